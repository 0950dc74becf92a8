/** How texts of strangers are written where one line is expected. */
import { shortened } from '../../../text/cut.ts';

/** Names and titles are shorter. What is longer wants to fill the screen. */
const LINE_CHARS_MAX = 200;

/** Line ends and other controls, and marks that turn the direction of what follows or hide it. */
const NOT_IN_A_LINE =
  /[\p{Cc}\p{Zl}\p{Zp}]+|[\u061C\u200B\u200E\u200F\u202A-\u202E\u2060\u2066-\u2069\uFEFF]/gu;
const HALF_CHARACTERS = /\p{Cs}/gu;

/** A name or a title on one line. It can't look like the beginning of another line. */
export function oneLine(text: string): string {
  // A text of megabytes is not searched to its end.
  const head = text.slice(0, LINE_CHARS_MAX * 10);
  const line = head.replace(NOT_IN_A_LINE, ' ').replaceAll(/\s+/g, ' ');
  return shortened(wellFormed(line.trim()), LINE_CHARS_MAX);
}

/** A half of a character that needs two can't be written as UTF-8. */
export function wellFormed(text: string): string {
  return text.replace(HALF_CHARACTERS, '\uFFFD');
}

/** A line for something that has no text of its own, such as `[location: Main street 1]`. */
export function bracketed(kind: string, ...details: readonly string[]): string {
  const told = details.map(oneLine).filter((detail) => detail !== '');
  return told.length === 0 ? `[${kind}]` : `[${kind}: ${told.join(', ')}]`;
}

/** Such as `2026-03-20 11:02 UTC`: an agent need not know where the bridge runs. */
export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
