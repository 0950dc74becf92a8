export interface Rate {
  /** `Infinity` lifts the limit. */
  readonly hitsMax: number;
  readonly windowMs: number;
}

/** A sliding window: no more than `hitsMax` hits in any `windowMs`. A ring of the last times. */
export class RateWindow {
  readonly #rate: Rate;
  readonly #atMs: Float64Array;
  #next = 0;
  #lastMs = -Infinity;

  constructor(rate: Rate) {
    this.#rate = rate;
    this.#atMs = new Float64Array(Number.isFinite(rate.hitsMax) ? rate.hitsMax : 0).fill(-Infinity);
  }

  /** When the next hit fits; not after `nowMs` means at once. */
  freeAtMs(nowMs: number): number {
    // A clock that was set back must not block anybody for as long as it was ahead.
    if (this.#lastMs > nowMs) {
      this.#atMs.fill(-Infinity);
      this.#lastMs = -Infinity;
    }
    return (this.#atMs[this.#next] ?? -Infinity) + this.#rate.windowMs;
  }

  hit(nowMs: number): void {
    if (this.#atMs.length === 0) return;
    this.#atMs[this.#next] = nowMs;
    this.#next = (this.#next + 1) % this.#atMs.length;
    this.#lastMs = nowMs;
  }
}

/** A pause that somebody asked for. */
export class CoolDown {
  #fromMs = 0;
  #untilMs = -Infinity;

  /** Never shortens a pause that is on. */
  set(nowMs: number, durationMs: number): void {
    if (this.freeAtMs(nowMs) >= nowMs + durationMs) return;
    this.#fromMs = nowMs;
    this.#untilMs = nowMs + durationMs;
  }

  freeAtMs(nowMs: number): number {
    return nowMs < this.#fromMs ? -Infinity : this.#untilMs;
  }
}
