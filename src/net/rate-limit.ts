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

/** A token bucket for each caller, which refills steadily. */
export class RateLimit {
  readonly #perSecond: number;
  readonly #clock: Clock;
  readonly #atOnce: number;
  readonly #buckets = new Map<string, Bucket>();

  /** `atOnce`: so much may come at once; without it, that of a second. */
  constructor(perSecond: number, clock: Clock, atOnce = perSecond) {
    this.#perSecond = perSecond;
    this.#clock = clock;
    this.#atOnce = atOnce;
  }

  /** Counts one request of the caller, or another amount. False if the caller is over the limit already. */
  take(caller: string, amount = 1): boolean {
    const bucket = this.#bucketOf(caller);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= amount;
    return true;
  }

  /** Counts what can't be refused any more. */
  spend(caller: string, amount: number): void {
    this.#bucketOf(caller).tokens -= amount;
  }

  /** When the caller is within the limit again. */
  waitMs(caller: string): number {
    return Math.max(0, ((1 - this.#bucketOf(caller).tokens) / this.#perSecond) * 1000);
  }

  #bucketOf(caller: string): Bucket {
    const known = this.#buckets.get(caller);
    if (known !== undefined) {
      this.#fill(known);
      return known;
    }
    if (this.#buckets.size >= CALLERS_REMEMBERED) this.#forgetIdle();
    const bucket = { tokens: this.#atOnce, filledAtMs: this.#clock.nowMs() };
    this.#buckets.set(caller, bucket);
    return bucket;
  }

  #fill(bucket: Bucket): void {
    const nowMs = this.#clock.nowMs();
    // If the clock was set back, no token is lost.
    const passedMs = Math.max(0, nowMs - bucket.filledAtMs);
    bucket.tokens = Math.min(this.#atOnce, bucket.tokens + (passedMs / 1000) * this.#perSecond);
    bucket.filledAtMs = nowMs;
  }

  /** A full bucket is like a new one, so it can be forgotten. If none is full, the oldest is forgotten. */
  #forgetIdle(): void {
    for (const [caller, bucket] of this.#buckets) {
      this.#fill(bucket);
      if (bucket.tokens >= this.#atOnce) this.#buckets.delete(caller);
    }
    if (this.#buckets.size < CALLERS_REMEMBERED) return;
    for (const caller of this.#buckets.keys()) {
      this.#buckets.delete(caller);
      return;
    }
  }
}
