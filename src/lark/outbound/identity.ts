/** Finds out who the bot is in Lark. */
import { backoffMs } from '../../time/backoff.ts';
import { BridgeError, errorText } from '../../core/errors.ts';
import type { AppId, OpenId } from '../../core/ids.ts';
import type { Service } from '../../time/service.ts';
import type { BotInfo } from './gateway.ts';
import type { Self } from '../inbound/parsed.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';

/** The pauses until Lark is asked again grow from the first to the second: a bot that is switched off stays so for a while. */
const BOT_INFO_RETRY_BASE_MS = 2_000;
const BOT_INFO_RETRY_MAX_MS = 60_000;

interface IdentityOptions {
  readonly appId: AppId;
  /** From the settings. If it is set, Lark is not asked. */
  readonly botOpenId: OpenId | undefined;
  /** What Lark told an earlier process. It is used until Lark answers again. */
  readonly lastKnown: OpenId | undefined;
  readonly botInfo: () => Promise<BotInfo>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/**
 * The bot's id. Until it is known, no mention counts as one of the bot: it would answer messages for others.
 * Such messages get no ack, so Lark delivers them again.
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

  /** Asks Lark once. If that fails, it asks again in the background. Throws if Lark refuses the app. */
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
        log.error('bot_found_inactive', {
          next: 'Switch on the bot ability of the app and publish a version in the developer console.',
        });
      }
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      if (error.code === 'credentials_refused' && this.#tries === 1) throw error;
      log.error('bot_not_identified', {
        error: errorText(error),
        ...(this.#openId === undefined && {
          effect: 'group messages are not answered until the bot knows its own open_id',
        }),
        next: 'Lark is asked again. You can also set LARK_BOT_OPEN_ID.',
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
        log.error('bot_not_identified', { error: errorText(error) });
      });
    });
  }
}
