/** Which part of a text can be seen. Programs write terminal controls, and people paste invisible characters. */

/** `ESC [` or its one-character form, parameters and a last letter. At the end of the text the letter may be missing. */
const CONTROL_SEQUENCE = String.raw`(?:\u001B\[|\u009B)[0-?]*[ -/]*(?:[@-~]|$)`;
/** Titles, links and the like: `ESC ]` (or P, X, ^, _) up to a bell or to `ESC \`. One without an end stays in the text. */
const CONTROL_STRING = String.raw`(?:\u001B[\]PX^_]|[\u0090\u0098\u009D-\u009F])[^\u0007\u001B\u009C]*(?:\u0007|\u001B\\|\u009C)`;
/** The choice of a character set, keypad modes and the like. */
const ESCAPE_SEQUENCE = String.raw`\u001B[ -/]+[0-~]|\u001B[0-Z\\^-~]`;
/** All other control characters except tab and line ends. */
const CONTROL_CHARACTER = String.raw`[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u0084\u0086-\u009F]`;

const TERMINAL_CONTROLS = new RegExp(
  [CONTROL_STRING, CONTROL_SEQUENCE, ESCAPE_SEQUENCE, CONTROL_CHARACTER].join('|'),
  'g',
);

/** A text without terminal controls (colours, titles, NUL). Everything else stays byte for byte. */
export function withoutTerminalControls(text: string): string {
  return text.replace(TERMINAL_CONTROLS, '');
}

/** Joiners, direction marks, byte order marks and fillers. They are not drawn. */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\uFFF9-\uFFFB\u2800]/gu;

/** The visible part of a text, without white space around it. Only for checks: some emoji need the parts that are left out. */
export function visibleOf(text: string): string {
  return withoutTerminalControls(text).replace(INVISIBLE, '').trim();
}

/** True if a text has no visible part. */
export function isBlank(text: string): boolean {
  return visibleOf(text) === '';
}

/** Signs that are not drawn, or that change the direction of others, as their numbers: what is shown is what is there. */
export function withMarksShown(text: string): string {
  return text.replace(
    /[^\P{Cc}\t\n]|[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\uFFF9-\uFFFB\u2800\u2028\u2029]/gu,
    (sign) => `\\u{${sign.codePointAt(0)?.toString(16) ?? ''}}`,
  );
}
