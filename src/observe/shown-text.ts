/**
 * Texts from outside, for a terminal or a log. A control character would act on the terminal of whoever reads
 * it, and a change of direction shows a text in another order than it has. They are shown as `\u001b` instead.
 */

/** C0 without tab and line feed, DEL, C1, line and paragraph separators, and changes of direction. */
const CONTROLS = /(?![\n\t])[\p{Cc}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu;

/** In JSON they are part of texts only, so whoever parses it gets them unchanged. */
export function shownText(text: string): string {
  return text.replace(CONTROLS, escaped);
}

function escaped(char: string): string {
  return `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
}
