/** Every control character but tab and line feed, separators of lines, and changes of direction. */
export const RAW_CONTROL = /(?![\n\t])[\p{Cc}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/u;

/** Sets the title of a terminal, colours it, and turns the rest around. */
export const HOSTILE_TEXT = 'a\u001B]0;title\u0007b\u009B31mc\u0000\r\u007Fd\u202Ee\u2066f\u2028g';
