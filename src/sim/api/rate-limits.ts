interface Limit {
  readonly hitsMax: number;
  readonly windowMs: number;
}

/** Hits of one key: a ring of the last `hitsMax` times. */
interface Hits {
  readonly windowMs: number;
  readonly atMs: Float64Array;
  next: number;
  lastMs: number;
}

/** With this many keys, those without recent hits are dropped. */
const KEYS_MAX = 20_000;

/** Sliding windows by key. A refused hit does not count. With `enabled` false nothing is refused. */
export class RateLimits {
  readonly #keys = new Map<string, Hits>();
  readonly #nowMs: () => number;
  enabled: boolean;

  constructor(nowMs: () => number, enabled = true) {
    this.#nowMs = nowMs;
    this.enabled = enabled;
  }

  /** 0 if the hit is allowed. Otherwise, after how many milliseconds the next hit is. */
  take(key: string, limit: Limit): number {
    if (!this.enabled) return 0;
    const nowMs = this.#nowMs();
    const hits = this.#hitsOf(key, limit);
    // The next slot has the oldest of the last `hitsMax` hits. Only that one matters.
    const freeAtMs = (hits.atMs[hits.next] ?? 0) + limit.windowMs;
    if (freeAtMs > nowMs) return freeAtMs - nowMs;
    hits.atMs[hits.next] = nowMs;
    hits.next = (hits.next + 1) % limit.hitsMax;
    hits.lastMs = nowMs;
    return 0;
  }

  #hitsOf(key: string, limit: Limit): Hits {
    let hits = this.#keys.get(key);
    if (hits === undefined) {
      if (this.#keys.size >= KEYS_MAX) this.#dropIdle();
      const atMs = new Float64Array(limit.hitsMax).fill(-Infinity);
      hits = { windowMs: limit.windowMs, atMs, next: 0, lastMs: 0 };
      this.#keys.set(key, hits);
    }
    return hits;
  }

  #dropIdle(): void {
    const nowMs = this.#nowMs();
    for (const [key, hits] of this.#keys) {
      if (hits.lastMs + hits.windowMs <= nowMs) this.#keys.delete(key);
    }
  }
}
