import type { Clock } from '../time/clock.ts';

/** How many callers are remembered. Beyond this the idle ones are forgotten. */
export const CALLERS_REMEMBERED = 10_000;

/**
 * Requests a second for each page for monitors and caller address: many for a monitor, and little work for the
 * process. Pages have a limit of their own, so that other calls keep no monitor out.
 */
export const PAGES_PER_SECOND = 20;

interface Bucket {
  tokens: number;
  filledAtMs: number;
}

/** A token bucket for each caller. The requests of one second may come at once; the bucket refills steadily. */
export class RateLimit {
  readonly #perSecond: number;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(perSecond: number, clock: Clock) {
    this.#perSecond = perSecond;
    this.#clock = clock;
  }

  /** Counts one request of the caller. False if it is over the limit. */
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
    if (this.#buckets.size >= CALLERS_REMEMBERED) this.#forgetIdle();
    const bucket = { tokens: this.#perSecond, filledAtMs: this.#clock.nowMs() };
    this.#buckets.set(caller, bucket);
    return bucket;
  }

  #fill(bucket: Bucket): void {
    const nowMs = this.#clock.nowMs();
    // If the clock was set back, no token is lost.
    const passedMs = Math.max(0, nowMs - bucket.filledAtMs);
    bucket.tokens = Math.min(this.#perSecond, bucket.tokens + (passedMs / 1000) * this.#perSecond);
    bucket.filledAtMs = nowMs;
  }

  /** A full bucket is like a new one, so it can be forgotten. If none is full, the oldest is forgotten. */
  #forgetIdle(): void {
    for (const [caller, bucket] of this.#buckets) {
      this.#fill(bucket);
      if (bucket.tokens >= this.#perSecond) this.#buckets.delete(caller);
    }
    if (this.#buckets.size < CALLERS_REMEMBERED) return;
    for (const caller of this.#buckets.keys()) {
      this.#buckets.delete(caller);
      return;
    }
  }
}
