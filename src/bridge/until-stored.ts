import { BridgeError, errorText } from '../core/errors.ts';
import { STORE_RETRY_MS } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';

/**
 * Repeats writes that must not be lost: an agent or Lark can't be asked again for what they have answered.
 * `healthy` is false while a write fails.
 */
export class StoreRetry {
  readonly #clock: Clock;
  readonly #log: Log;
  #failing = 0;
  #stopped = false;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  get healthy(): boolean {
    return this.#failing === 0;
  }

  /** Ends the repeats: a write that fails after this rejects, and the next start repeats the work. */
  stop(): void {
    this.#stopped = true;
  }

  async untilStored<T>(write: () => Promise<T>): Promise<T> {
    let failed = false;
    try {
      for (;;) {
        try {
          return await write();
        } catch (error) {
          if (!(error instanceof BridgeError) || error.code !== 'store_unavailable') throw error;
          if (this.#stopped) throw error;
          if (!failed) {
            failed = true;
            this.#failing += 1;
            this.#log.error('write_failed', { error: errorText(error) });
          }
          await new Promise<void>((resolve) => {
            this.#clock.after(STORE_RETRY_MS, resolve);
          });
        }
      }
    } finally {
      if (failed) this.#failing -= 1;
    }
  }
}
