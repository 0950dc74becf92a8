/** One API call as it was received and answered. */
export interface CallRecord {
  /** The calls are counted from 1. */
  readonly number: number;
  /** The cloud's clock. */
  readonly atMs: number;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: string;
  /** HTTP status; 0 if no answer was sent. */
  readonly status: number;
  /** `code` of the answer; undefined if the answer is not JSON in the platform's form. */
  readonly code: number | undefined;
  readonly appId: string | undefined;
  readonly uuid: string | undefined;
  /** True: the simulator has no such route. The client got a plain 404. */
  readonly unknownRoute: boolean;
}

/** The bodies of a call, as text. Long ones are cut; of uploads and downloads only the size is kept. */
export interface CallBodies {
  readonly request: string;
  /** Empty if no answer was sent. */
  readonly response: string;
}

/** Twice the size of the largest card in a JSON string, with its envelope. */
const BODY_CHARS_MAX = 80 * 1024;

/** A body, cut if it is too long to keep. */
export function bodyText(text: string): string {
  if (text.length <= BODY_CHARS_MAX) return text;
  return `${text.slice(0, BODY_CHARS_MAX)} … (${text.length} characters)`;
}
