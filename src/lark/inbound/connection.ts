/** Keeps the long connection up: one link at a time, and a new one within seconds of losing it. */
import { backoffMs } from '../../time/backoff.ts';
import { BridgeError } from '../../core/errors.ts';
import { APP_ID_PATTERN, type AppId } from '../../core/ids.ts';
import type { Service } from '../../core/service.ts';
import { WS_HANDSHAKE_TIMEOUT_MS } from '../../core/limits.ts';
import type { Secret } from '../../core/secret.ts';
import { requestEndpoint } from './endpoint.ts';
import { type EventCounts, Events, type SeenAtMs } from './events.ts';
import type { LarkHttp } from '../outbound/http.ts';
import { type Link, type LinkTiming, openLink } from './link.ts';
import type { Self } from './parse.ts';
import type { FetchMessage } from './reread.ts';
import type { ProxySettings } from '../../net/proxy.ts';
import { sdkLogger } from '../sdk.ts';
import { NO_OBSERVER, type Intake, type Observer } from '../../bridge/ports.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';

/** Long enough for a lossy mobile network (3 s causes storms), short enough to notice a dead link. */
const WS_PONG_TIMEOUT_MS = 20_000;
/** Reconnect delays: the first at once, then doubling up to this. Lark's own default is two minutes. */
const WS_RECONNECT_MAX_MS = 8_000;
const WS_RECONNECT_BASE_MS = 500;
/** A connection that lasted this long was sound: after it the first reconnect is at once again. */
const WS_STABLE_MS = 60_000;
/**
 * Credentials that worked are asked again, because Lark also refuses by mistake: while it is updated, or
 * while somebody publishes a version of the app. After this the token endpoint is asked as well.
 */
const WS_REFUSED_MS_MAX = 5 * 60_000;
/** The pauses in between: a refused client that asks often looks like an attack. */
const WS_REFUSED_BASE_MS = 2_000;
const WS_REFUSED_MAX_MS = 60_000;
/** Lark asks for a ping every 90–120 s; more often finds a dead link sooner and keeps NATs open. */
const WS_PING_INTERVAL_MAX_MS = 30_000;
/** Whatever a server says: less would be a storm of pings. */
const WS_PING_INTERVAL_MIN_MS = 1_000;

export interface ConnectionStatus {
  /** `waiting`: for the next try. `refused`: Lark said no for good, see `lastError`. */
  readonly state: 'connecting' | 'connected' | 'waiting' | 'stopped' | 'refused';
  readonly sinceMs: number;
  readonly lastEventAtMs: number | undefined;
  /** How often a link was opened after the first one. */
  readonly reconnects: number;
  readonly lastError: string | undefined;
  /** Since when Lark says no; it is asked again. */
  readonly refusedSinceMs: number | undefined;
}

export interface Connection extends Service {
  /**
   * Resolves once connected, or after a first try that failed for a passing reason (then it goes on
   * trying). Rejects with `config_invalid`, `credentials_refused`, `wrong_brand` or `already_running`.
   */
  start(): Promise<void>;
  /** Lets events at hand be stored and acked, says goodbye. */
  stop(): Promise<void>;
  /** Drops the link, if there is one, and connects at once. Turns are not touched. */
  restart(): void;
  /** Calls `listener` each time that a link is up. */
  onUp(listener: () => void): void;
  status(): ConnectionStatus;
  counts(): EventCounts;
}

export interface ConnectionOptions {
  readonly http: LarkHttp;
  readonly openBaseUrl: string;
  readonly appId: AppId;
  readonly appSecret: Secret;
  readonly proxy?: ProxySettings;
  readonly intake: Intake;
  /** For messages whose event is incomplete. */
  readonly fetchMessage: FetchMessage;
  readonly self: () => Self;
  readonly clock: Clock;
  readonly log: Log;
  /** 0…1, for the spread of retries. */
  readonly random?: () => number;
  /** True if Lark gives no token for the credentials either. Never rejects for what the network does. */
  readonly areCredentialsRefused: () => Promise<boolean>;
  /** After `start`: Lark has refused for minutes, gives no token either, and nobody tries any more. */
  readonly onTerminal?: (error: BridgeError) => void;
  readonly timing?: Partial<ConnectionTiming>;
  readonly observer?: Observer;
  /** When events came to earlier processes. */
  readonly seenBefore?: SeenAtMs | undefined;
}

export interface ConnectionTiming extends LinkTiming {
  readonly reconnectBaseMs: number;
  readonly reconnectMaxMs: number;
  readonly stableMs: number;
  readonly refusedMsMax: number;
  readonly refusedBaseMs: number;
  readonly refusedMaxMs: number;
}

const TIMING: ConnectionTiming = {
  handshakeTimeoutMs: WS_HANDSHAKE_TIMEOUT_MS,
  pongTimeoutMs: WS_PONG_TIMEOUT_MS,
  pingIntervalMinMs: WS_PING_INTERVAL_MIN_MS,
  pingIntervalMaxMs: WS_PING_INTERVAL_MAX_MS,
  reconnectBaseMs: WS_RECONNECT_BASE_MS,
  reconnectMaxMs: WS_RECONNECT_MAX_MS,
  stableMs: WS_STABLE_MS,
  refusedMsMax: WS_REFUSED_MS_MAX,
  refusedBaseMs: WS_REFUSED_BASE_MS,
  refusedMaxMs: WS_REFUSED_MAX_MS,
};

/** A stop waits no longer than this for events at hand; Lark delivers again what was not acked. */
const SETTLE_MS_MAX = 1_000;

export function createConnection(options: ConnectionOptions): Connection {
  return new Supervisor(options);
}

class Supervisor implements Connection {
  readonly name = 'lark_connection';
  readonly #options: ConnectionOptions;
  readonly #timing: ConnectionTiming;
  readonly #events: Events;
  #state: ConnectionStatus['state'] = 'stopped';
  #sinceMs: number;
  #opened = 0;
  #lastError: string | undefined;
  /** Tries since the link was last sound for `stableMs`. */
  #tries = 0;
  /** Refusals since the link was last up. */
  #refusals = 0;
  #refusedSinceMs: number | undefined;
  #link: Link | undefined;
  #cancelRetry = () => {};
  readonly #listeners: (() => void)[] = [];
  /** Grows with every try, stop and restart: what belongs to an older number has nothing to say. */
  #era = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#timing = { ...TIMING, ...options.timing };
    const { observer = NO_OBSERVER, seenBefore, clock, log } = options;
    this.#events = new Events({ ...options, observer, seenBefore, logger: sdkLogger(log) });
    this.#sinceMs = clock.nowMs();
  }

  async start(): Promise<void> {
    const { appId } = this.#options;
    if (!APP_ID_PATTERN.test(appId)) {
      throw new BridgeError('config_invalid', `LARK_APP_ID is not an app id: ${appId}`, {
        next: 'It looks like cli_ and 16 hexadecimal digits; see the developer console, or run: lark-bridge connect',
      });
    }
    const terminal = await this.#connect();
    if (terminal === undefined) return;
    this.#end(terminal);
    throw terminal;
  }

  async stop(): Promise<void> {
    this.#era += 1;
    this.#cancelRetry();
    const link = this.#link;
    this.#link = undefined;
    await Promise.race([this.#events.settled(), sleep(this.#options.clock, SETTLE_MS_MAX)]);
    await link?.close();
    this.#enter('stopped');
  }

  restart(): void {
    if (this.#state === 'stopped') return;
    this.#tries = 0;
    this.#retryIn(0);
  }

  onUp(listener: () => void): void {
    this.#listeners.push(listener);
  }

  status(): ConnectionStatus {
    return {
      state: this.#state,
      sinceMs: this.#sinceMs,
      lastEventAtMs: this.#events.lastAtMs,
      reconnects: Math.max(0, this.#opened - 1),
      lastError: this.#lastError,
      refusedSinceMs: this.#refusedSinceMs,
    };
  }

  counts(): EventCounts {
    return this.#events.counts();
  }

  /** One try. Returns the error if Lark refused in a way that trying again seldom helps. */
  async #connect(): Promise<BridgeError | undefined> {
    this.#era += 1;
    const era = this.#era;
    const startedMs = this.#options.clock.nowMs();
    this.#enter('connecting');
    const result = await requestEndpoint(this.#options);
    if (era !== this.#era) return undefined;
    if (!result.ok) {
      if (result.terminal !== undefined) return result.terminal;
      this.#failed(result.detail);
      return undefined;
    }
    const { log, appId, appSecret, proxy = {} } = this.#options;
    const link = openLink({
      endpoint: result.endpoint,
      appId,
      appSecret,
      dispatcher: this.#events.dispatcher,
      logger: sdkLogger(log),
      proxy,
      timing: this.#timing,
      onLost: (closeCode) => {
        if (era === this.#era) this.#lost(closeCode);
      },
    });
    this.#link = link;
    const opened = await link.opened;
    if (era !== this.#era) return undefined;
    if (!opened) {
      this.#failed('the WebSocket handshake failed');
      return undefined;
    }
    this.#opened += 1;
    this.#refusals = 0;
    this.#refusedSinceMs = undefined;
    this.#enter('connected');
    const tookMs = this.#options.clock.nowMs() - startedMs;
    log.info('lark_connected', { tookMs, reconnects: this.#opened - 1 });
    for (const listener of this.#listeners) listener();
    return undefined;
  }

  #lost(closeCode: number): void {
    const lastedMs = this.#options.clock.nowMs() - this.#sinceMs;
    if (lastedMs >= this.#timing.stableMs) this.#tries = 0;
    this.#lastError = `the connection ended (close code ${closeCode})`;
    this.#options.log.warn('lark_disconnected', { closeCode, lastedMs });
    this.#retryIn(this.#nextDelayMs());
  }

  #failed(detail: string): void {
    this.#lastError = detail;
    const delayMs = this.#nextDelayMs();
    this.#options.log.warn('lark_connect_failed', { error: detail, retryInMs: delayMs });
    this.#retryIn(delayMs);
  }

  /** One refusal says little about credentials that worked. It is believed when it lasts. */
  async #refused(error: BridgeError): Promise<void> {
    const { clock, log, areCredentialsRefused, onTerminal } = this.#options;
    const era = this.#era;
    const nowMs = clock.nowMs();
    this.#lastError = error.message;
    this.#refusedSinceMs ??= nowMs;
    this.#refusals += 1;
    const { refusedMsMax, refusedBaseMs, refusedMaxMs } = this.#timing;
    if (nowMs - this.#refusedSinceMs >= refusedMsMax && (await areCredentialsRefused())) {
      if (era !== this.#era) return;
      this.#end(error);
      onTerminal?.(error);
      return;
    }
    if (era !== this.#era) return;
    const random = (this.#options.random ?? Math.random)();
    const pace = { baseMs: refusedBaseMs, maxMs: refusedMaxMs, random };
    const delayMs = backoffMs(this.#refusals, pace);
    // Each try is another line, so the first one says what to do.
    log[this.#refusals === 1 ? 'error' : 'warn']('lark_connect_refused', {
      code: error.code,
      error: error.message,
      next: error.next,
      retryInMs: delayMs,
    });
    this.#retryIn(delayMs);
  }

  #end(error: BridgeError): void {
    this.#lastError = error.message;
    this.#enter('refused');
    this.#options.log.error('lark_connection_refused', { code: error.code, error: error.message });
  }

  /** The first try after a sound link is at once: a kick is usually a deployment at Lark's end. */
  #nextDelayMs(): number {
    this.#tries += 1;
    if (this.#tries === 1) return 0;
    const { reconnectBaseMs, reconnectMaxMs } = this.#timing;
    const random = (this.#options.random ?? Math.random)();
    return backoffMs(this.#tries - 1, { baseMs: reconnectBaseMs, maxMs: reconnectMaxMs, random });
  }

  #retryIn(delayMs: number): void {
    this.#era += 1;
    this.#cancelRetry();
    void this.#link?.close();
    this.#link = undefined;
    this.#enter('waiting');
    this.#cancelRetry = this.#options.clock.after(delayMs, () => void this.#retry());
  }

  async #retry(): Promise<void> {
    const refusal = await this.#connect();
    if (refusal !== undefined) await this.#refused(refusal);
  }

  #enter(state: ConnectionStatus['state']): void {
    this.#state = state;
    this.#sinceMs = this.#options.clock.nowMs();
  }
}

function sleep(clock: Clock, durationMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(durationMs, resolve);
  });
}
