/** The room put together: one app's way into Lark and out of it. */
import type { BridgeError } from '../core/errors.ts';
import type { AppId, OpenId } from '../core/ids.ts';
import type { Service } from '../core/service.ts';
import type { Secret } from '../core/secret.ts';
import { CALL_LIMITS, createCallBroker, LIFTED_CALL_LIMITS } from './outbound/broker.ts';
import { createConnection, type Connection } from './inbound/connection.ts';
import type { SeenAtMs } from './inbound/events.ts';
import { createGateway, type Gateway } from './outbound/gateway.ts';
import { createHttp, type LarkHttp } from './outbound/http.ts';
import { Identity } from './outbound/identity.ts';
import type { ProxySettings } from '../net/proxy.ts';
import { OtherConnections } from './inbound/other-connections.ts';
import { createTokenSource } from './outbound/token.ts';
import type { Intake, Observer } from '../bridge/ports.ts';
import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';

export interface LastKnown {
  readonly botOpenId: OpenId | undefined;
  /** When an event of each type came last. */
  readonly seenAtMs: SeenAtMs;
}

export interface LarkOptions {
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
  /** For the pace of calls: it goes on steadily when somebody sets the machine's clock. */
  readonly paceClock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly observer: Observer;
}

export interface Lark {
  readonly gateway: Gateway;
  readonly identity: Identity;
  readonly otherConnections: OtherConnections;
  readonly http: LarkHttp;
  /** Its stop ends the wait of calls that Lark's rate limits hold back, so that nothing else waits for them. */
  readonly calls: Service;
  /** `onTerminal`: Lark refuses for good. */
  connect(intake: Intake, onTerminal: (error: BridgeError) => void): Connection;
}

export function createLark(options: LarkOptions): Lark {
  const {
    appId,
    botOpenId,
    lastKnown,
    proxy,
    callLimits,
    countCall,
    clock,
    paceClock,
    random,
    log,
    observer,
  } = options;
  const http = createHttp({ proxy });
  const tokens = createTokenSource({ ...options, http, onCall: () => countCall('token') });
  const limits = callLimits === 'off' ? LIFTED_CALL_LIMITS : CALL_LIMITS;
  const broker = createCallBroker({ clock: paceClock, limits, countCall, observer });
  const self = () => identity.self;
  const gateway = createGateway({ ...options, http, tokens, broker, self });
  const identity = new Identity({
    appId,
    botOpenId,
    lastKnown: lastKnown?.botOpenId,
    botInfo: () => gateway.botInfo(),
    clock,
    random,
    log,
  });
  const otherConnections = new OtherConnections({
    onlineInstances: () => gateway.onlineInstances(),
    clock,
    log,
  });
  return {
    gateway,
    identity,
    otherConnections,
    http,
    calls: {
      name: 'lark_calls',
      start: () => Promise.resolve(),
      stop: () => Promise.resolve(broker.stop()),
    },
    connect: (intake, onTerminal) =>
      createConnection({
        ...options,
        http,
        intake,
        fetchMessage: gateway.fetchMessage,
        self,
        areCredentialsRefused: () => tokens.areCredentialsRefused(),
        onTerminal,
        seenBefore: lastKnown?.seenAtMs,
      }),
  };
}
