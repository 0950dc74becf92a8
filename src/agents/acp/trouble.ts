/** Why a request to an agent came to nothing. */
import type { FailedResult } from '../runtime.ts';

export type Trouble =
  /** The agent refused. `detail` is what it added, for the log. */
  | {
      readonly kind: 'refused';
      readonly code: number;
      readonly said: string;
      readonly detail?: string;
    }
  /** It said nothing in time. */
  | { readonly kind: 'silent'; readonly method: string }
  /** Its program has ended, or was ended. */
  | { readonly kind: 'gone' }
  /** It wrote a message that is larger than what is read. */
  | { readonly kind: 'too_large' }
  /** It speaks another version of the protocol. */
  | { readonly kind: 'other_version'; readonly version: string }
  /** It could not be started. */
  | { readonly kind: 'not_started'; readonly result: FailedResult };

/** The code of an error in the protocol: a person has to log in. */
export const AUTH_REQUIRED = -32_000;

export class AcpTrouble extends Error {
  override readonly name = 'AcpTrouble';
  readonly trouble: Trouble;

  constructor(trouble: Trouble) {
    super(trouble.kind === 'refused' ? `${trouble.code}: ${trouble.said}` : trouble.kind);
    this.trouble = trouble;
  }
}
