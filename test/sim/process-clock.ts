import type { Clock } from '../../src/time/clock.ts';
import type { VirtualClock } from '../kit/clock.ts';

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
