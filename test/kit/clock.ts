import { type Clock, systemClock } from '../../src/time/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** Time that moves only when told to. */
export class VirtualClock implements Clock {
  #nowMs: number;
  #timers: Timer[] = [];
  #order = 0;

  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    this.#order += 1;
    const timer = { atMs: this.#nowMs + Math.max(0, Math.round(delayMs)), order: this.#order, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** How many wait. */
  get timers(): number {
    return this.#timers.length;
  }

  /** The wall clock is corrected, forward or back; timers don't notice. */
  set(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  /** Moves on, timer by timer, and lets what they started run on in between. */
  async pass(durationMs: number): Promise<void> {
    const untilMs = this.#nowMs + durationMs;
    do await settle();
    while (this.step(untilMs));
    await settle();
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, resolve);
    });
  }

  /** Goes to the next timer and runs it; false if there is none before `untilMs`. */
  step(limitMs: number): boolean {
    const untilMs = Math.round(limitMs);
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (
        next === undefined ||
        timer.atMs < next.atMs ||
        (timer.atMs === next.atMs && timer.order < next.order)
      ) {
        next = timer;
      }
    }
    if (next === undefined || next.atMs > untilMs) {
      this.#nowMs = Math.max(this.#nowMs, untilMs);
      return false;
    }
    this.#timers = this.#timers.filter((timer) => timer !== next);
    this.#nowMs = Math.max(this.#nowMs, next.atMs);
    next.run();
    return true;
  }
}

/** Lets everything that can go on without time passing go on: promises, and commits on their way. */
export async function settle(isWriting: () => boolean = () => false): Promise<void> {
  for (let quiet = 0; quiet < 12; quiet = isWriting() ? 0 : quiet + 1) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** For code that only reads the time. Its timers never run. */
export function clockWithoutTimers(nowMs: () => number): Clock {
  return { nowMs, after: () => () => {} };
}

/** Time that a test sets: waits up to a second end at once, longer ones never. */
export function clockWithShortWaits(nowMs: () => number): Clock {
  return {
    nowMs,
    after: (delayMs, run) => (delayMs <= 1_000 ? systemClock.after(0, run) : () => {}),
  };
}

/** Waits of 30 s and more never end by themselves: what a test waits for must come by an event. */
export const patientClock: Clock = {
  nowMs: systemClock.nowMs,
  after: (delayMs, run) => (delayMs < 30_000 ? systemClock.after(delayMs, run) : () => {}),
};

/** Waits of 30 s and more end when the test says so. */
export class HeldClock implements Clock {
  readonly #held = new Set<() => void>();

  nowMs(): number {
    return systemClock.nowMs();
  }

  after(delayMs: number, run: () => void): () => void {
    if (delayMs < 30_000) return systemClock.after(delayMs, run);
    this.#held.add(run);
    return () => this.#held.delete(run);
  }

  /** All of those that wait now are over. */
  endLongWaits(): void {
    const waiting = [...this.#held];
    this.#held.clear();
    for (const run of waiting) run();
  }
}

/** Timers run so many times as early; the date is the real one. */
export function fasterClock(times: number): Clock {
  return {
    nowMs: systemClock.nowMs,
    after: (delayMs, run) => systemClock.after(delayMs / times, run),
  };
}

export const fastClock = fasterClock(50);
