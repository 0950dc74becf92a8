/** The turn contract as a whole: a server with all of its routes. */
import type { HubStore, QueueId } from '../../ports.ts';
import type { Pages } from '../../../core/pages.ts';
import type { Secret } from '../../../core/secret.ts';
import { RateLimit } from '../rate-limit.ts';
import type { Settlements } from '../../domain/settlements.ts';
import { addA2aRoute } from './a2a.ts';
import { addActivityRoutes } from './activity.ts';
import { createCallers, type Callers } from './callers.ts';
import { addPages } from './pages.ts';
import { addQueueRoute } from './queue.ts';
import { Refusal } from './refusal.ts';
import { addRegistryRoutes } from './registry.ts';
import { createServer, type Server, type ServerOptions } from './server.ts';
import type { Log } from '../../../core/log.ts';
import type { Clock } from '../../../time/clock.ts';

export interface ContractOptions {
  readonly tls: ServerOptions['tls'];
  readonly corsOrigin?: string;
  readonly rateLimit?: number;
  readonly log: Log;
  readonly clock: Clock;
  readonly store: HubStore;
  readonly provisionToken: Secret;
  readonly settlements: Settlements;
  readonly wakeDispatcher: () => void;
  readonly cancelTurn: (turn: QueueId) => Promise<void>;
  /** What the process says about itself to monitors. */
  readonly pages?: Pages;
}

export function createContractServer(options: ContractOptions): Server {
  const { tls, corsOrigin, rateLimit, log, clock, store, pages = {} } = options;
  const server = createServer({ tls, corsOrigin, log });
  const callers = createCallers(store);
  if (rateLimit !== undefined) {
    limitRate(server, { limit: new RateLimit(rateLimit, clock), callers, pages });
  }

  addPages(server, pages);
  const parts = { ...options, callers };
  addRegistryRoutes(server, parts);
  addA2aRoute(server, parts);
  addQueueRoute(server, parts);
  addActivityRoutes(server, parts);
  return server;
}

/** The program's own workspaces are let through: on one machine all share one address. */
function limitRate(
  server: Server,
  { limit, callers, pages }: { limit: RateLimit; callers: Callers; pages: Pages },
): void {
  server.addHook('onRequest', async (request) => {
    if (Object.hasOwn(pages, request.url) || limit.take(request.ip)) return;
    if (await callers.isProvisioned(request)) return;
    throw new Refusal(429, 'rate limit exceeded', { retry_after: 1 });
  });
}
