import type { TurnId } from '../../core/ids.ts';
import type { Clock } from '../../time/clock.ts';

/**
 * Turns that gather: files without words, which wait for the words. They stand in no line meanwhile, so that they
 * delay nothing of their chat. Only an index in memory: the journal has the turns with their times.
 */
export class Bursts {
  readonly #clock: Clock;
  readonly #waiting = new Map<TurnId, () => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `begin` after the wait, unless the turn is taken out before. */
  hold(id: TurnId, waitMs: number, begin: () => void): void {
    this.takeOut(id);
    const cancel = this.#clock.after(Math.max(1, waitMs), () => {
      this.#waiting.delete(id);
      begin();
    });
    this.#waiting.set(id, cancel);
  }

  takeOut(id: TurnId): void {
    this.#waiting.get(id)?.();
    this.#waiting.delete(id);
  }

  stop(): void {
    for (const id of this.#waiting.keys()) this.takeOut(id);
  }
}
