import { backoffMs } from '../../time/backoff.ts';
import { BridgeError, errorText } from '../../core/errors.ts';
import type { AppId, OpenId } from '../../core/ids.ts';
import type { Service } from '../../core/service.ts';
import type { BotInfo } from './gateway.ts';
import type { Self } from '../inbound/parse.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';

/** Lark is asked who the bot is until it says so. */
const BOT_INFO_RETRY_BASE_MS = 2_000;
const BOT_INFO_RETRY_MAX_MS = 60_000;

export interface IdentityOptions {
  readonly appId: AppId;
  /** What the settings say; then Lark is not asked. */
  readonly botOpenId: OpenId | undefined;
  /** What Lark said to an earlier process; good until it says it anew. */
  readonly lastKnown: OpenId | undefined;
  readonly botInfo: () => Promise<BotInfo>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/**
 * Who the bot is in Lark. Until that is known no mention is taken for one of it, or it would answer for
 * others; such messages are left to be delivered again.
 */
export class Identity implements Service {
  readonly name = 'lark_identity';
  readonly #options: IdentityOptions;
  #openId: OpenId | undefined;
  #tries = 0;
  #cancelRetry = () => {};
  #stopped = false;

  constructor(options: IdentityOptions) {
    this.#options = options;
    this.#openId = options.botOpenId ?? options.lastKnown;
  }

  get self(): Self {
    return { appId: this.#options.appId, botOpenId: this.#openId };
  }

  /** Asks Lark once; if it can't be reached, asks on in the background. Throws if it refuses the app. */
  async start(): Promise<void> {
    if (this.#options.botOpenId === undefined) await this.#ask();
  }

  stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelRetry();
    return Promise.resolve();
  }

  async #ask(): Promise<void> {
    const { botInfo, log } = this.#options;
    this.#tries += 1;
    try {
      const info = await botInfo();
      this.#openId = info.openId;
      log.info('bot_identified', { bot_open_id: info.openId, bot: info.name });
      if (!info.active) {
        log.error('bot_inactive', {
          next: 'Switch on the bot ability of the app and publish a version in the developer console.',
        });
      }
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      if (error.code === 'credentials_refused' && this.#tries === 1) throw error;
      log.error('bot_unknown', {
        error: errorText(error),
        ...(this.#openId === undefined && {
          effect: 'group messages are not answered until the bot knows its own open_id',
        }),
        next: 'It is asked for again; or set LARK_BOT_OPEN_ID.',
      });
      this.#askLater();
    }
  }

  #askLater(): void {
    if (this.#stopped) return;
    const { clock, random, log } = this.#options;
    const delayMs = backoffMs(this.#tries, {
      baseMs: BOT_INFO_RETRY_BASE_MS,
      maxMs: BOT_INFO_RETRY_MAX_MS,
      random: random(),
    });
    this.#cancelRetry = clock.after(delayMs, () => {
      this.#ask().catch((error: unknown) => {
        log.error('bot_unknown', { error: errorText(error) });
      });
    });
  }
}
