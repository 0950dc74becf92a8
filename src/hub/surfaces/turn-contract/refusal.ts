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
