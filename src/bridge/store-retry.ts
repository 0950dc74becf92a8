import { errorText } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';
import { untilStored } from '../time/until-stored.ts';

/**
 * Repeats writes that must not be lost, because neither an agent nor Lark can be asked a second time for what
 * they answered. `healthy` is false while a write fails.
 */
export class StoreRetry {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #stopping = new AbortController();
  #failing = 0;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  get healthy(): boolean {
    return this.#failing === 0;
  }

  /** Ends the repeats: a write that fails after this rejects, and the next start repeats the work. */
  stop(): void {
    this.#stopping.abort();
  }

  async untilStored<T>(write: () => Promise<T>): Promise<T> {
    let refusals = 0;
    try {
      return await untilStored(write, {
        clock: this.#clock,
        stop: this.#stopping.signal,
        onRefused: (error) => {
          refusals += 1;
          if (refusals > 1) return;
          this.#failing += 1;
          this.#log.error('write_failed', { error: errorText(error) });
        },
      });
    } finally {
      if (refusals > 0) this.#failing -= 1;
    }
  }
}
