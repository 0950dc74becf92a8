/** What went over the wire, as text; longer ones are cut, bytes are only counted. */
export interface CallBodies {
  readonly request: string;
  /** Empty when the answer was never sent. */
  readonly response: string;
}

/** Twice the largest card in a JSON string, with its envelope. */
const BODY_CHARS_MAX = 80 * 1024;

/** A body as it is kept. */
export function keptText(text: string): string {
  if (text.length <= BODY_CHARS_MAX) return text;
  return `${text.slice(0, BODY_CHARS_MAX)} … (${text.length} characters)`;
}
