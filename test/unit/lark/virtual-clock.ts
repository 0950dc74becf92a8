import type { Clock } from '../../../src/time/clock.ts';

interface Timer {
  readonly dueAtMs: number;
  readonly run: () => void;
}

/** Time that moves only when a test says so. */
export class VirtualClock implements Clock {
  #nowMs = 1_700_000_000_000;
  #timers: Timer[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { dueAtMs: this.#nowMs + delayMs, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  get timers(): number {
    return this.#timers.length;
  }

  /** Moves on, timer by timer, and lets what they started run on in between. */
  async pass(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await settle();
    for (;;) {
      const [next] = this.#timers.toSorted((a, b) => a.dueAtMs - b.dueAtMs);
      if (next === undefined || next.dueAtMs > endMs) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#nowMs = Math.max(this.#nowMs, next.dueAtMs);
      next.run();
      await settle();
    }
    this.#nowMs = endMs;
    await settle();
  }

  /** The wall clock is corrected, forward or back; timers don't notice. */
  set(nowMs: number): void {
    this.#nowMs = nowMs;
  }
}

/** Everything that can go on without time passing has gone on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
