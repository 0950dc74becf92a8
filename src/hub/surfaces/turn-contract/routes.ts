/** The turn contract as a whole: a server with all of its routes. */
import type { WorkspaceId } from '../../../core/ids.ts';
import { Bridges } from '../../domain/claims.ts';
import type { FastifyRequest } from 'fastify';
import type { LarkOutlet } from '../../ports/lark-sends.ts';
import type { HubStore } from '../../ports/store.ts';
import type { Pages } from '../../../net/pages.ts';
import type { Secret } from '../../../core/secret.ts';
import { PAGES_PER_SECOND, RateLimit } from '../../../net/rate-limit.ts';
import type { AgentWatch } from '../../domain/agent-watch.ts';
import type { Turns } from '../../domain/turns.ts';
import { addA2aRoute } from './a2a.ts';
import { announcedBytes } from './admission.ts';
import { addActivityRoutes, addNotifyRoute } from './activity.ts';
import { createCallers } from './callers.ts';
import { addPages } from './pages.ts';
import { addQueueRoute } from './queue.ts';
import { Refusal } from './refusal.ts';
import { addRegistryRoutes } from './registry.ts';
import { createServer, refuseUnknownRoute, type Server, type ServerOptions } from './server.ts';
import type { Log } from '../../../core/log.ts';
import type { Clock } from '../../../time/clock.ts';

interface ContractOptions {
  readonly tls: ServerOptions['tls'];
  readonly corsOrigin?: string;
  /** Host names by which the hub is called. */
  readonly names?: readonly string[];
  readonly rateLimit?: number;
  readonly log: Log;
  readonly clock: Clock;
  readonly store: HubStore;
  readonly provisionToken: Secret;
  readonly turns: Turns;
  /** Hears which agents ask for their turns. */
  readonly agentWatch: Pick<AgentWatch, 'asked'>;
  /** Workspaces elsewhere that may say that a turn comes from Lark. */
  readonly bridges?: readonly WorkspaceId[];
  /** Shows messages of agents in Lark. */
  readonly outlet?: LarkOutlet;
  /** Pages for monitors, such as the health of the process. */
  readonly pages?: Pages;
}

export function createContractServer(options: ContractOptions): Server {
  const { tls, corsOrigin, names = [], rateLimit, log, clock, store, pages = {} } = options;
  const server = createServer({ tls, corsOrigin, names, clock, log });
  const callers = createCallers(store);
  limitRate(server, {
    calls: rateLimit === undefined ? undefined : new RateLimit(rateLimit, clock),
    pages: new RateLimit(PAGES_PER_SECOND, clock),
  });

  limitTraffic(server, new RateLimit(BYTES_PER_SECOND, clock, BYTES_AT_ONCE));

  server.addHook('onRequest', async (request) => {
    // Before its body is read. The handler for unknown routes would come after it.
    if (request.is404) refuseUnknownRoute(request);
  });

  addPages(server, pages);
  const parts = { ...options, callers, bridges: new Bridges(options.bridges ?? []) };
  addRegistryRoutes(server, parts);
  addA2aRoute(server, parts);
  addQueueRoute(server, parts);
  addActivityRoutes(server, parts);
  addNotifyRoute(server, parts);
  return server;
}

/**
 * Bytes that one token may send: to read and store many of them takes the disk and the process from everybody else.
 * Working agents move some kilobytes a second.
 */
const BYTES_PER_SECOND = 256 * 1024;
/** To write a byte out costs so much of what it costs to read and store one. */
const FETCHED_WEIGHT = 1 / 8;
/** Two of the largest messages. Bursts of more make the disk slow for everybody. */
const BYTES_AT_ONCE = 2 * 1024 * 1024;

function limitTraffic(server: Server, traffic: RateLimit): void {
  /** Those whose token was judged: others may send any text as one. */
  const judged = new WeakSet<FastifyRequest>();
  // Before the body is read.
  server.addHook('preParsing', async (request) => {
    const caller = request.headers.authorization;
    if (caller === undefined) return;
    judged.add(request);
    if (traffic.take(caller, Math.max(1, announcedBytes(request)))) return;
    throw new Refusal(429, 'this token has sent and fetched too many bytes', {
      retry_after: Math.max(1, Math.ceil(traffic.waitMs(caller) / 1000)),
    });
  });
  server.addHook('onSend', async (request, _reply, payload) => {
    const caller = request.headers.authorization;
    if (caller === undefined || !judged.has(request)) return;
    const isWhole = typeof payload === 'string' || Buffer.isBuffer(payload);
    if (isWhole) traffic.spend(caller, payload.length * FETCHED_WEIGHT);
  });
}

interface Limits {
  readonly calls: RateLimit | undefined;
  readonly pages: RateLimit;
}

function limitRate(server: Server, { calls, pages }: Limits): void {
  server.addHook('onRequest', async ({ ip, routeOptions }) => {
    const isPage = routeOptions.config.isForAll === true;
    const limit = isPage ? pages : calls;
    const caller = isPage ? `${ip} ${routeOptions.url}` : ip;
    if (limit === undefined || limit.take(caller)) return;
    throw new Refusal(429, 'rate limit exceeded', { retry_after: 1 });
  });
}
