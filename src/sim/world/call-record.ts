/** One API call as it was received and answered. */
export interface CallRecord {
  /** Counts the calls from 1. */
  readonly number: number;
  /** The cloud's clock. */
  readonly atMs: number;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: string;
  /** HTTP status; 0 when the answer was never sent. */
  readonly status: number;
  /** `code` of the answer; undefined when it was not JSON of the platform's form. */
  readonly code: number | undefined;
  readonly appId: string | undefined;
  readonly uuid: string | undefined;
  /** True: the simulator has no such route, so the client got a plain 404. */
  readonly unknownRoute: boolean;
}

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
