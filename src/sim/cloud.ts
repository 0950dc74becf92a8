import { Changes } from './world/changes.ts';
import { Clock } from './world/clock.ts';
import type { ClientConfig } from './socket/connection.ts';
import { Connections } from './socket/connections.ts';
import { Deliveries } from './socket/deliveries.ts';
import { Faults, type FaultPlan } from './world/faults.ts';
import type { CallBodies } from './world/call-record.ts';
import type { CallRecord } from './world/call-record.ts';
import { RecentRecords } from './world/recent.ts';
import { RecentValues } from './world/recent.ts';
import { createRandom } from './world/random.ts';
import { RateLimits } from './api/rate-limits.ts';
import { AccessTokens } from './api/tokens.ts';
import { World } from './world/world.ts';

export interface CloudOptions {
  /** Every id, choice and random fault comes from it. */
  readonly seed: number;
  /** How many times faster than real time the cloud's own waits pass (ack deadline, redelivery). */
  readonly timeScale?: number;
  /** False: no call is refused for being too frequent. */
  readonly rateLimits?: boolean;
  readonly faults?: FaultPlan;
  /** Replaces values that bootstrap and pong tell the client; in seconds, fractions allowed. */
  readonly clientConfig?: Partial<ClientConfig>;
  /** In the cloud's time. The real platform waits 3 s. */
  readonly ackDeadlineMs?: number;
  /** Event payloads above this travel in fragments. */
  readonly fragmentBytesMax?: number;
  /** How many API calls, and how many deliveries, are remembered for tests. */
  readonly keptMax?: number;
  readonly messagesPerChatMax?: number;
}

const ACK_DEADLINE_MS = 3_000;
const FRAGMENT_BYTES_MAX = 128 * 1024;
const KEPT_MAX = 20_000;
/** Room for about ten thousand ordinary calls. A long run must not fill the memory. */
const CALL_BODIES_BYTES_MAX = 16 * 1024 * 1024;
const CLIENT_CONFIG: ClientConfig = {
  ReconnectCount: -1,
  ReconnectInterval: 120,
  ReconnectNonce: 30,
  PingInterval: 120,
};

/** The parts of one simulated cloud. Functions named `…Routes(cloud)` build its routes. */
export interface Cloud {
  readonly world: World;
  readonly clock: Clock;
  /** Limits by key. Routes may have their own, such as operations per card entity. */
  readonly limits: RateLimits;
  readonly tokens: AccessTokens;
  readonly faults: Faults;
  readonly connections: Connections;
  readonly deliveries: Deliveries;
  readonly calls: RecentRecords<CallRecord>;
  /** By the number of the call. */
  readonly callBodies: RecentValues<number, CallBodies>;
  /** Notified after every API call, and after every change that is not made by a call. */
  readonly changes: Changes;
  readonly clientConfig: ClientConfig;
  /** `http://127.0.0.1:PORT`; empty until the server listens. */
  readonly baseUrl: string;
}

export function createCloud(options: CloudOptions): Cloud & { baseUrl: string } {
  const { seed } = options;
  const clock = new Clock(options.timeScale);
  const nowMs = () => clock.nowMs();
  const { messagesPerChatMax, keptMax = KEPT_MAX } = options;
  const world = new World({ nowMs, seed, ...(messagesPerChatMax && { messagesPerChatMax }) });
  const changes = new Changes();
  const faults = new Faults(createRandom(seed, 'faults'), () => changes.notify());
  if (options.faults !== undefined) faults.setPlan(options.faults);
  const connections = new Connections(createRandom(seed, 'connections'));
  const deliveries = new Deliveries(
    { clock, ids: world.ids, faults, connections, changes },
    {
      ackDeadlineMs: options.ackDeadlineMs ?? ACK_DEADLINE_MS,
      fragmentBytesMax: options.fragmentBytesMax ?? FRAGMENT_BYTES_MAX,
      keptMax,
    },
  );
  return {
    world,
    clock,
    limits: new RateLimits(nowMs, options.rateLimits),
    tokens: new AccessTokens(world.ids, nowMs),
    faults,
    connections,
    deliveries,
    calls: new RecentRecords(keptMax),
    callBodies: new RecentValues(CALL_BODIES_BYTES_MAX),
    changes,
    clientConfig: { ...CLIENT_CONFIG, ...options.clientConfig },
    baseUrl: '',
  };
}
