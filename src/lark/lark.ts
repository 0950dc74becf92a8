/** Puts the parts of this folder together: everything that one app receives from Lark and sends to it. */
import type { BridgeError } from '../core/errors.ts';
import type { AppId, OpenId } from '../core/ids.ts';
import type { Service } from '../time/service.ts';
import type { Secret } from '../core/secret.ts';
import { CALL_LIMITS, createCallBroker, LIFTED_CALL_LIMITS } from './outbound/broker.ts';
import { Connection } from './inbound/connection.ts';
import type { SeenAtMs } from './inbound/events.ts';
import { createGateway, type Gateway } from './outbound/gateway.ts';
import { createHttp, type LarkHttp } from './outbound/http.ts';
import { Identity } from './outbound/identity.ts';
import type { ProxySettings } from '../net/proxy.ts';
import { OtherConnections } from './inbound/other-connections.ts';
import { TokenSource } from './outbound/token.ts';
import type { Intake } from '../bridge/ports/intake.ts';
import type { Observer } from '../bridge/ports/observer.ts';
import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';

interface LastKnown {
  readonly botOpenId: OpenId | undefined;
  /** When the last event of each type came. */
  readonly seenAtMs: SeenAtMs;
}

interface LarkOptions {
  readonly appId: AppId;
  readonly appSecret: Secret;
  readonly openBaseUrl: string;
  readonly botOpenId: OpenId | undefined;
  /** What an earlier process knew. */
  readonly lastKnown: LastKnown | undefined;
  readonly proxy: ProxySettings;
  /** `off`: calls are not held back to keep to Lark's rate limits. */
  readonly callLimits: 'lark' | 'off';
  /** Called for each request to Lark, with its class. */
  readonly countCall: (callClass: string) => void;
  readonly clock: Clock;
  /** For the pace of calls: this clock does not jump when somebody sets the machine's clock. */
  readonly paceClock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly observer: Observer;
}

export class Lark {
  readonly gateway: Gateway;
  readonly identity: Identity;
  readonly otherConnections: OtherConnections;
  readonly http: LarkHttp;
  /** Its stop cancels calls that wait because of Lark's rate limits, so that no other part waits for them. */
  readonly calls: Service;
  readonly #options: LarkOptions;
  readonly #tokens: TokenSource;

  constructor(options: LarkOptions) {
    const { appId, botOpenId, lastKnown, callLimits, countCall } = options;
    const { clock, paceClock, random, log, observer } = options;
    this.#options = options;
    this.http = createHttp({ proxy: options.proxy });
    const onCall = () => countCall('token');
    this.#tokens = new TokenSource({ ...options, http: this.http, onCall });
    const limits = callLimits === 'off' ? LIFTED_CALL_LIMITS : CALL_LIMITS;
    const broker = createCallBroker({ clock: paceClock, limits, countCall, observer });
    this.calls = {
      name: 'lark_calls',
      start: () => Promise.resolve(),
      stop: () => Promise.resolve(broker.stop()),
    };
    this.gateway = createGateway({
      ...options,
      http: this.http,
      tokens: this.#tokens,
      broker,
      self: () => this.identity.self,
    });
    this.identity = new Identity({
      appId,
      botOpenId,
      lastKnown: lastKnown?.botOpenId,
      botInfo: () => this.gateway.botInfo(),
      clock,
      random,
      log,
    });
    this.otherConnections = new OtherConnections({
      onlineInstances: () => this.gateway.onlineInstances(),
      clock,
      log,
    });
  }

  /** `onTerminal`: Lark refuses for good. */
  connect(intake: Intake, onTerminal: (error: BridgeError) => void): Connection {
    return new Connection({
      ...this.#options,
      http: this.http,
      intake,
      fetchMessage: this.gateway.fetchMessage,
      noteName: this.gateway.noteName,
      self: () => this.identity.self,
      areCredentialsRefused: () => this.#tokens.areCredentialsRefused(),
      onTerminal,
      seenBefore: this.#options.lastKnown?.seenAtMs,
    });
  }
}
