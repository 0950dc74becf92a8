import { errorText } from '../core/errors.ts';
import type { Service } from '../core/lifecycle.ts';
import { ALIVE_EVERY_MS } from '../core/limits.ts';
import type { Clock, Log } from '../core/ports.ts';

export interface SignOfLifeOptions {
  /** Keeps what the process says about itself; resolves when durable. */
  readonly write: (sign: { pid: number; atMs: number; status: string }) => Promise<void>;
  readonly status: () => unknown;
  readonly clock: Clock;
  readonly log: Log;
}

/** Notes every few seconds that the process lives and how it is. */
export class SignOfLife implements Service {
  readonly name = 'sign_of_life';
  readonly #options: SignOfLifeOptions;
  #cancel = () => {};
  #stopped = false;

  constructor(options: SignOfLifeOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.#note();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#write();
  }

  async #note(): Promise<void> {
    await this.#write();
    if (this.#stopped) return;
    this.#cancel = this.#options.clock.after(ALIVE_EVERY_MS, () => void this.#note());
  }

  async #write(): Promise<void> {
    const { write, status, clock, log } = this.#options;
    try {
      await write({ pid: process.pid, atMs: clock.nowMs(), status: JSON.stringify(status()) });
    } catch (error) {
      // A full disk shows in the bridge's own writes; this one is only a note.
      log.warn('sign_of_life_failed', { error: errorText(error) });
    }
  }
}
