import { errorText } from '../core/errors.ts';
import type { Service } from '../core/lifecycle.ts';
import { ALIVE_EVERY_MS } from '../core/limits.ts';
import type { Clock, Log } from '../core/ports.ts';
import { Rounds } from '../core/rounds.ts';

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
  readonly #rounds: Rounds;

  constructor(options: SignOfLifeOptions) {
    this.#options = options;
    this.#rounds = new Rounds(options.clock, async () => {
      await this.#write();
      return ALIVE_EVERY_MS;
    });
  }

  async start(): Promise<void> {
    await this.#write();
    this.#rounds.start(ALIVE_EVERY_MS);
  }

  async stop(): Promise<void> {
    await this.#rounds.stop();
    await this.#write();
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
