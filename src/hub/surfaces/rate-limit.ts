import type { Clock } from '../../time/clock.ts';

/** Callers whose request rate is remembered; past this idle ones are forgotten. */
export const HUB_CALLERS_REMEMBERED = 10_000;

interface Bucket {
  tokens: number;
  filledAtMs: number;
}

/** A token bucket for each caller: a second's worth may come at once, and it refills all the time. */
export class RateLimit {
  readonly #perSecond: number;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(perSecond: number, clock: Clock) {
    this.#perSecond = perSecond;
    this.#clock = clock;
  }

  /** Takes one request of the caller; false if it is one too many. */
  take(caller: string): boolean {
    const bucket = this.#bucketOf(caller);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  #bucketOf(caller: string): Bucket {
    const known = this.#buckets.get(caller);
    if (known !== undefined) {
      this.#fill(known);
      return known;
    }
    if (this.#buckets.size >= HUB_CALLERS_REMEMBERED) this.#forgetIdle();
    const bucket = { tokens: this.#perSecond, filledAtMs: this.#clock.nowMs() };
    this.#buckets.set(caller, bucket);
    return bucket;
  }

  #fill(bucket: Bucket): void {
    const nowMs = this.#clock.nowMs();
    // A clock that was set back must not take tokens away.
    const passedMs = Math.max(0, nowMs - bucket.filledAtMs);
    bucket.tokens = Math.min(this.#perSecond, bucket.tokens + (passedMs / 1000) * this.#perSecond);
    bucket.filledAtMs = nowMs;
  }

  /** A full bucket says nothing that a new one would not. If none is full, the oldest goes. */
  #forgetIdle(): void {
    for (const [caller, bucket] of this.#buckets) {
      this.#fill(bucket);
      if (bucket.tokens >= this.#perSecond) this.#buckets.delete(caller);
    }
    if (this.#buckets.size < HUB_CALLERS_REMEMBERED) return;
    for (const caller of this.#buckets.keys()) {
      this.#buckets.delete(caller);
      return;
    }
  }
}
