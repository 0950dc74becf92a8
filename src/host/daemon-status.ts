import { errorText } from '../core/errors.ts';
import { openId, type AppId, type OpenId } from '../core/ids.ts';
import type { Service } from '../core/service.ts';
import { Rounds } from '../time/repeat.ts';
import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';

/** How exactly one knows afterwards when a killed process stopped. */
const ALIVE_EVERY_MS = 5_000;

export interface SignOfLifeOptions {
  /** Keeps what the process says about itself; resolves when durable. */
  readonly write: (sign: { pid: number; atMs: number; status: string }) => Promise<void>;
  readonly status: () => unknown;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a sign of life says that is good for the next process, too. */
export interface Known {
  readonly botOpenId: OpenId | undefined;
  /** When an event of each type came from Lark last. */
  readonly seenAtMs: Readonly<Record<string, number>>;
}

/** `status`: JSON as a process noted it, maybe of an earlier version. Undefined if it is about another app. */
export function knownFrom(status: string, app: AppId): Known | undefined {
  const says = JSON.parse(status) as {
    app_id: unknown;
    bot_open_id?: unknown;
    events?: { seenAtMs?: Readonly<Record<string, number>> };
  };
  if (says.app_id !== app) return undefined;
  const { bot_open_id: bot, events } = says;
  const botOpenId = typeof bot === 'string' ? openId(bot) : undefined;
  return { botOpenId, seenAtMs: events?.seenAtMs ?? {} };
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
