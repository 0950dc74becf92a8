import { expect, onTestFinished } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { appId, openId } from '../../../src/core/ids.ts';
import type { InboundEvent } from '../../../src/core/message.ts';
import { Secret } from '../../../src/core/secret.ts';
import { CALL_LIMITS, createCallBroker } from '../../../src/lark/outbound/broker.ts';
import type { CallLimits } from '../../../src/lark/outbound/call-queue.ts';
import { type ConnectionOptions, Connection } from '../../../src/lark/inbound/connection.ts';
import { messageText } from '../../../src/wire/message-text.ts';
import { createGateway, type Gateway } from '../../../src/lark/outbound/gateway.ts';
import { createHttp, type LarkHttp } from '../../../src/lark/outbound/http.ts';
import type { Self } from '../../../src/lark/inbound/parsed.ts';
import { TokenSource } from '../../../src/lark/outbound/token.ts';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import type { SimApp, SimUser } from '../../../src/sim/world/model.ts';
import { type LarkCloudOptions, startLarkCloud } from '../../../src/sim/server.ts';
import { recordingLog } from '../../kit/log.ts';
import type { CallPriority } from '../../../src/bridge/ports/delivery.ts';
import type { Intake } from '../../../src/bridge/ports/intake.ts';
import { type Clock, systemClock } from '../../../src/time/clock.ts';

/** Looks until the matcher is content; the time limit is for broken code only. */
export const eventually = <T>(look: () => T) => expect.poll(look, { interval: 5 });

/** Stores events in a list, or does what a test says. */
export class RecordingIntake implements Intake {
  readonly events: InboundEvent[] = [];
  before: (event: InboundEvent) => Promise<void> = () => Promise.resolve();

  async admit(event: InboundEvent): Promise<void> {
    await this.before(event);
    this.events.push(event);
  }

  get texts(): string[] {
    return this.events.flatMap((event) =>
      event.kind === 'message' ? messageText(event.message.parts) : [],
    );
  }
}

export interface Rig {
  readonly lark: LarkCloud;
  readonly app: SimApp;
  readonly ann: SimUser;
  readonly http: LarkHttp;
  readonly self: Self;
  readonly log: ReturnType<typeof recordingLog>;
}

/** A cloud with one app and one person; all of it ends with the test. */
export async function startRig(
  options: LarkCloudOptions & { readonly callTimeoutMs?: number } = {},
): Promise<Rig> {
  const { callTimeoutMs, ...cloud } = options;
  const lark = await startLarkCloud({ seed: 1, ...cloud });
  onTestFinished(() => lark.stop());
  const http = createHttp(callTimeoutMs === undefined ? {} : { callTimeoutMs });
  onTestFinished(() => http.close());
  const app = lark.addApp({ name: 'Bridge' });
  const self = { appId: appId(app.appId), botOpenId: openId(app.botOpenId) };
  return { lark, app, ann: lark.addUser({ name: 'Ann' }), http, self, log: recordingLog() };
}

export type ConnectionRig = Rig & {
  readonly connection: Connection;
  readonly intake: RecordingIntake;
  readonly terminal: BridgeError[];
};

type Changes = Partial<
  Pick<
    ConnectionOptions,
    'timing' | 'appId' | 'appSecret' | 'clock' | 'openBaseUrl' | 'self' | 'fetchMessage'
  >
>;

/** Quick where the product is patient. */
const TIMING = {
  reconnectBaseMs: 20,
  reconnectMaxMs: 80,
  refusedMsMax: 100,
  refusedBaseMs: 5,
  refusedMaxMs: 20,
};

export function withConnection(rig: Rig, changes: Changes = {}): ConnectionRig {
  const intake = new RecordingIntake();
  const terminal: BridgeError[] = [];
  const base = {
    http: rig.http,
    openBaseUrl: rig.lark.openBaseUrl,
    appId: rig.self.appId,
    appSecret: new Secret(rig.app.appSecret),
    clock: systemClock,
  };
  const tokens = new TokenSource(base);
  const connection = new Connection({
    ...base,
    intake,
    fetchMessage: () => Promise.reject(new BridgeError('unreachable', 'no gateway here')),
    self: () => rig.self,
    log: rig.log,
    areCredentialsRefused: () => tokens.areCredentialsRefused(),
    onTerminal: (error) => terminal.push(error),
    ...changes,
    timing: { ...TIMING, ...changes.timing },
  });
  onTestFinished(() => connection.stop());
  return { ...rig, connection, intake, terminal };
}

export type GatewayRig = Rig & {
  readonly gateway: Gateway;
  readonly counted: CallPriority[];
};

export function withGateway(
  rig: Rig,
  {
    limits = CALL_LIMITS,
    secret = rig.app.appSecret,
    clock = systemClock,
  }: { limits?: CallLimits; secret?: string; clock?: Clock } = {},
): GatewayRig {
  const counted: CallPriority[] = [];
  const countCall = (priority: CallPriority) => void counted.push(priority);
  const base = {
    http: rig.http,
    openBaseUrl: rig.lark.openBaseUrl,
    appId: rig.self.appId,
    appSecret: new Secret(secret),
    clock: systemClock,
  };
  const broker = createCallBroker({ clock, limits, countCall });
  onTestFinished(() => broker.stop());
  const gateway = createGateway({
    ...base,
    tokens: new TokenSource(base),
    broker,
    countCall,
    self: () => rig.self,
    log: rig.log,
  });
  return { ...rig, gateway, counted };
}
