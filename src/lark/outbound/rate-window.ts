/** How many calls fit into a time, and pauses that Lark asks for. */
export interface Rate {
  /** `Infinity`: no limit. */
  readonly hitsMax: number;
  readonly windowMs: number;
}

/** A sliding window: at most `hitsMax` hits in any `windowMs`. It keeps the last times in a ring. */
export class RateWindow {
  readonly #rate: Rate;
  readonly #atMs: Float64Array;
  #next = 0;
  #lastMs = -Infinity;

  constructor(rate: Rate) {
    this.#rate = rate;
    this.#atMs = new Float64Array(Number.isFinite(rate.hitsMax) ? rate.hitsMax : 0).fill(-Infinity);
  }

  /** When the next hit is allowed. At or before `nowMs` means at once. */
  freeAtMs(nowMs: number): number {
    // If the clock was set back, old times lie in the future. They must not block calls until then.
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

/** A pause that Lark asked for. */
export class CoolDown {
  #fromMs = 0;
  #untilMs = -Infinity;

  /** Does not shorten a pause that is running. */
  set(nowMs: number, durationMs: number): void {
    if (this.freeAtMs(nowMs) >= nowMs + durationMs) return;
    this.#fromMs = nowMs;
    this.#untilMs = nowMs + durationMs;
  }

  freeAtMs(nowMs: number): number {
    return nowMs < this.#fromMs ? -Infinity : this.#untilMs;
  }
}
