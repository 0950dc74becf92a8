/** Keeps the long connection up: one link at a time. A lost link is replaced within seconds. */
import { backoffMs } from '../../time/backoff.ts';
import { BridgeError } from '../../core/errors.ts';
import { APP_ID_PATTERN, type AppId, type OpenId } from '../../core/ids.ts';
import type { Service } from '../../time/service.ts';
import { WS_HANDSHAKE_TIMEOUT_MS } from '../../core/limits.ts';
import type { Secret } from '../../core/secret.ts';
import { requestEndpoint } from './endpoint.ts';
import { type EventCounts, Events, type SeenAtMs } from './events.ts';
import type { LarkHttp } from '../outbound/http.ts';
import { type Link, type LinkTiming, openLink } from './link.ts';
import type { Self } from './parsed.ts';
import type { FetchMessage } from './reread.ts';
import type { ProxySettings } from '../../net/proxy.ts';
import { sdkLogger } from '../sdk.ts';
import { NO_OBSERVER, type Observer } from '../../bridge/ports/observer.ts';
import type { Intake } from '../../bridge/ports/intake.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';
import { waitAtMost } from '../../time/wait.ts';

/** Long enough for a bad mobile network (3 s makes it reconnect all the time), short enough to notice a dead link. */
const WS_PONG_TIMEOUT_MS = 20_000;
/** The first reconnect comes at once. Then the delay doubles up to this. Lark's own default is two minutes. */
const WS_RECONNECT_MAX_MS = 8_000;
const WS_RECONNECT_BASE_MS = 500;
/** A connection that lasted this long was good: after it the first reconnect comes at once again. */
const WS_STABLE_MS = 60_000;
/**
 * Credentials that worked are tried again after a refusal, because Lark also refuses by mistake: while Lark is
 * updated, or while somebody publishes a version of the app. After this time the token endpoint is asked too.
 */
const WS_REFUSED_MS_MAX = 5 * 60_000;
/** The pauses between these tries grow: a refused client that tries often looks like an attack. */
const WS_REFUSED_BASE_MS = 2_000;
const WS_REFUSED_MAX_MS = 60_000;
/** Lark asks for a ping every 90–120 s. Pinging more often finds a dead link sooner and keeps NATs open. */
const WS_PING_INTERVAL_MAX_MS = 30_000;
/** The least, whatever a server asks for: a shorter interval would flood it with pings. */
const WS_PING_INTERVAL_MIN_MS = 1_000;

interface ConnectionStatus {
  /** `waiting`: for the next try. `refused`: for good, see `lastError`. */
  readonly state: 'connecting' | 'connected' | 'waiting' | 'stopped' | 'refused';
  readonly sinceMs: number;
  readonly lastEventAtMs: number | undefined;
  /** Links that were opened after the first one. */
  readonly reconnects: number;
  readonly lastError: string | undefined;
  /** Since when Lark has refused. The connection is tried again. */
  readonly refusedSinceMs: number | undefined;
}

export interface ConnectionOptions {
  readonly http: LarkHttp;
  readonly openBaseUrl: string;
  readonly appId: AppId;
  readonly appSecret: Secret;
  readonly proxy?: ProxySettings;
  readonly intake: Intake;
  /** Reads a message whose event is incomplete. */
  readonly fetchMessage: FetchMessage;
  /** Takes the names that come with mentions. */
  readonly noteName?: (id: OpenId, name: string) => void;
  readonly self: () => Self;
  readonly clock: Clock;
  readonly log: Log;
  /** 0…1, to spread retries. */
  readonly random?: () => number;
  /** True if Lark gives no token for the credentials either. Does not reject if the network fails. */
  readonly areCredentialsRefused: () => Promise<boolean>;
  /** Called after `start` when Lark has refused for minutes and gives no token either. No more tries follow. */
  readonly onTerminal?: (error: BridgeError) => void;
  readonly timing?: Partial<ConnectionTiming>;
  readonly observer?: Observer;
  /** When earlier processes received events. */
  readonly seenBefore?: SeenAtMs | undefined;
}

interface ConnectionTiming extends LinkTiming {
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

/** A stop waits no longer than this for events that are being stored. Lark delivers again what was not acked. */
const SETTLE_MS_MAX = 1_000;

export class Connection implements Service {
  readonly name = 'lark_connection';
  readonly #options: ConnectionOptions;
  readonly #timing: ConnectionTiming;
  readonly #events: Events;
  #state: ConnectionStatus['state'] = 'stopped';
  #sinceMs: number;
  #opened = 0;
  #lastError: string | undefined;
  /** Tries since a link last lasted for `stableMs`. */
  #tries = 0;
  /** Refusals since a link was last up. */
  #refusals = 0;
  #refusedSinceMs: number | undefined;
  #link: Link | undefined;
  #cancelRetry = () => {};
  readonly #listeners: (() => void)[] = [];
  /** Grows with every try, stop and restart. Results that belong to an older number are ignored. */
  #generation = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#timing = { ...TIMING, ...options.timing };
    const { observer = NO_OBSERVER, seenBefore, clock, log } = options;
    this.#events = new Events({ ...options, observer, seenBefore, logger: sdkLogger(log) });
    this.#sinceMs = clock.nowMs();
  }

  /**
   * Resolves once connected, or after a first try that failed for a reason that passes; then it keeps
   * trying. Rejects with `config_invalid`, `credentials_refused`, `wrong_brand` or `already_running`.
   */
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

  /** Lets events that are being stored get their ack, then closes the link. */
  async stop(): Promise<void> {
    this.#generation += 1;
    this.#cancelRetry();
    const link = this.#link;
    this.#link = undefined;
    await waitAtMost(this.#options.clock, this.#events.settled(), SETTLE_MS_MAX);
    await link?.close();
    this.#enter('stopped');
  }

  /** Drops the link, if there is one, and connects at once. Turns go on. */
  restart(): void {
    if (this.#state === 'stopped') return;
    this.#tries = 0;
    this.#retryIn(0);
  }

  /** Calls `listener` each time that a link is up. */
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

  /** One try. Returns the error if Lark refused in a way that another try seldom changes. */
  async #connect(): Promise<BridgeError | undefined> {
    this.#generation += 1;
    const generation = this.#generation;
    const startedMs = this.#options.clock.nowMs();
    this.#enter('connecting');
    const result = await requestEndpoint(this.#options);
    if (generation !== this.#generation) return undefined;
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
        if (generation === this.#generation) this.#lost(closeCode);
      },
    });
    this.#link = link;
    const opened = await link.opened;
    if (generation !== this.#generation) return undefined;
    if (!opened) {
      this.#failed('the WebSocket handshake failed');
      return undefined;
    }
    this.#opened += 1;
    this.#refusals = 0;
    this.#refusedSinceMs = undefined;
    this.#enter('connected');
    const took_ms = this.#options.clock.nowMs() - startedMs;
    log.info('lark_connected', { took_ms, reconnects: this.#opened - 1 });
    for (const listener of this.#listeners) listener();
    return undefined;
  }

  #lost(closeCode: number): void {
    const lastedMs = this.#options.clock.nowMs() - this.#sinceMs;
    if (lastedMs >= this.#timing.stableMs) this.#tries = 0;
    this.#lastError = `the connection ended (close code ${closeCode})`;
    this.#options.log.warn('lark_disconnected', { close_code: closeCode, lasted_ms: lastedMs });
    this.#retryIn(this.#nextDelayMs());
  }

  #failed(detail: string): void {
    this.#lastError = detail;
    const delayMs = this.#nextDelayMs();
    this.#options.log.warn('lark_connect_failed', { error: detail, retry_in_ms: delayMs });
    this.#retryIn(delayMs);
  }

  /** One refusal means little for credentials that worked. It counts when it lasts. */
  async #refused(error: BridgeError): Promise<void> {
    const { clock, log, areCredentialsRefused, onTerminal } = this.#options;
    const generation = this.#generation;
    const nowMs = clock.nowMs();
    this.#lastError = error.message;
    this.#refusedSinceMs ??= nowMs;
    this.#refusals += 1;
    const { refusedMsMax, refusedBaseMs, refusedMaxMs } = this.#timing;
    if (nowMs - this.#refusedSinceMs >= refusedMsMax && (await areCredentialsRefused())) {
      if (generation !== this.#generation) return;
      this.#end(error);
      onTerminal?.(error);
      return;
    }
    if (generation !== this.#generation) return;
    const random = (this.#options.random ?? Math.random)();
    const pace = { baseMs: refusedBaseMs, maxMs: refusedMaxMs, random };
    const delayMs = backoffMs(this.#refusals, pace);
    // Each try logs a line; only the first one is an error.
    log[this.#refusals === 1 ? 'error' : 'warn']('lark_connect_refused', {
      code: error.code,
      error: error.message,
      next: error.next,
      retry_in_ms: delayMs,
    });
    this.#retryIn(delayMs);
  }

  #end(error: BridgeError): void {
    this.#lastError = error.message;
    this.#enter('refused');
    this.#options.log.error('lark_connection_refused', { code: error.code, error: error.message });
  }

  /** The first try after a good link comes at once: usually Lark has closed it for an update of its own. */
  #nextDelayMs(): number {
    this.#tries += 1;
    if (this.#tries === 1) return 0;
    const { reconnectBaseMs, reconnectMaxMs } = this.#timing;
    const random = (this.#options.random ?? Math.random)();
    return backoffMs(this.#tries - 1, { baseMs: reconnectBaseMs, maxMs: reconnectMaxMs, random });
  }

  #retryIn(delayMs: number): void {
    this.#generation += 1;
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
