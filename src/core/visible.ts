/** What of a text can be seen. Programs write for terminals, and people paste characters that show nothing. */

/** `ESC [` or its one-character form, parameters and the letter that ends them; at the end of the text that may be missing. */
const CONTROL_SEQUENCE = String.raw`(?:\u001B\[|\u009B)[0-?]*[ -/]*(?:[@-~]|$)`;
/** Titles, links and the like: `ESC ]` (or P, X, ^, _) up to a bell or to `ESC \`. One without an end is left standing. */
const CONTROL_STRING = String.raw`(?:\u001B[\]PX^_]|[\u0090\u0098\u009D-\u009F])[^\u0007\u001B\u009C]*(?:\u0007|\u001B\\|\u009C)`;
/** Choice of a character set, keypad modes and the like. */
const ESCAPE_SEQUENCE = String.raw`\u001B[ -/]+[0-~]|\u001B[0-Z\\^-~]`;
/** All other control characters but tab and line ends. */
const CONTROL_CHARACTER = String.raw`[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u0084\u0086-\u009F]`;

const TERMINAL_CONTROLS = new RegExp(
  [CONTROL_STRING, CONTROL_SEQUENCE, ESCAPE_SEQUENCE, CONTROL_CHARACTER].join('|'),
  'g',
);

/** A text without what only steers a terminal (colours, titles, NUL); everything else stays byte for byte. */
export function withoutTerminalControls(text: string): string {
  return text.replace(TERMINAL_CONTROLS, '');
}

/** Joiners, marks of direction, byte order marks, fillers: nothing is drawn for them. */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\uFFF9-\uFFFB\u2800]/gu;

/** What a person sees of a text, without white space around it. For judging only: some emoji need what is left out. */
export function visibleOf(text: string): string {
  return withoutTerminalControls(text).replace(INVISIBLE, '').trim();
}

/** True if nothing of a text can be seen. */
export function isBlank(text: string): boolean {
  return visibleOf(text) === '';
}
