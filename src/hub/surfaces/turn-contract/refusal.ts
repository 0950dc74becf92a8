import { failureSentence } from '../../../wire/failure-sentences.ts';
import { QUOTA, type Quota } from '../../ports/quota.ts';

/** A refused request. Handlers throw it; the server makes a response of it. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;

  constructor(status: number, error: string, more: Readonly<Record<string, unknown>> = {}) {
    super(error);
    this.status = status;
    this.body = { error, ...more };
  }

  /** After how many seconds the caller may try again. Also sent as `Retry-After`. */
  get retryAfterSecs(): number | undefined {
    const secs = this.body['retry_after'];
    return typeof secs === 'number' ? secs : undefined;
  }
}

/** Nothing was stored, so the caller may send the same request again. */
export function busy(error: string, retryAfterSecs: number): Refusal {
  return new Refusal(503, error, { busy: true, retry_after: retryAfterSecs });
}

/** When a sender may look whether one of its turns has ended. */
const TURNS_RETRY_AFTER_SECS = 30;
const MB = 1024 * 1024;

const FULL = {
  bytes: failureSentence('hub_full_of_bytes', QUOTA.bytes / MB),
  rows: failureSentence('hub_full_of_rows', QUOTA.rows.toLocaleString('en')),
} as const;

/** Nothing was stored. The words say what is full, and when there is room again. */
export function overQuota(quota: Quota): Refusal {
  if (quota === 'waiting') {
    const error = `this workspace has ${QUOTA.waiting.toLocaleString('en')} turns that have no answer yet, which is all it may have`;
    return new Refusal(429, error, {
      retry_after: TURNS_RETRY_AFTER_SECS,
      hint: 'there is room again when one of them has its answer or is cancelled',
    });
  }
  return new Refusal(507, FULL[quota], {
    quota,
    max: QUOTA[quota],
    hint: 'there is room again when old ones are deleted: turns a day after their end, what is in inboxes after 30 days',
  });
}
