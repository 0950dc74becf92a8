import type { Clock } from '../../src/time/clock.ts';

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

  constructor(startMs: number) {
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

/** What the machine of the bridge believes: somebody may set its clock, and timers don't mind. */
export class MachineClock {
  skewMs = 0;
}

/** The clock of one process: its timers die with it. */
export class ProcessClock implements Clock {
  readonly #clock: VirtualClock;
  readonly #machine: MachineClock;
  dead = false;

  constructor(clock: VirtualClock, machine: MachineClock) {
    this.#clock = clock;
    this.#machine = machine;
  }

  nowMs(): number {
    return this.#clock.nowMs() + this.#machine.skewMs;
  }

  after(delayMs: number, run: () => void): () => void {
    return this.#clock.after(delayMs, () => {
      if (!this.dead) run();
    });
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
