/** The turn contract as a whole: a server with all of its routes. */
import type { HubStore } from '../../ports.ts';
import type { Pages } from '../../../core/pages.ts';
import type { Secret } from '../../../core/secret.ts';
import { RateLimit } from '../rate-limit.ts';
import type { Turns } from '../../domain/turns.ts';
import { addA2aRoute } from './a2a.ts';
import { addActivityRoutes } from './activity.ts';
import { createCallers } from './callers.ts';
import { addPages } from './pages.ts';
import { addQueueRoute } from './queue.ts';
import { Refusal } from './refusal.ts';
import { addRegistryRoutes } from './registry.ts';
import { createServer, type Server, type ServerOptions } from './server.ts';
import type { Log } from '../../../core/log.ts';
import type { Clock } from '../../../time/clock.ts';

interface ContractOptions {
  readonly tls: ServerOptions['tls'];
  readonly corsOrigin?: string;
  readonly rateLimit?: number;
  readonly log: Log;
  readonly clock: Clock;
  readonly store: HubStore;
  readonly provisionToken: Secret;
  readonly turns: Turns;
  /** Pages for monitors, such as the health of the process. */
  readonly pages?: Pages;
}

export function createContractServer(options: ContractOptions): Server {
  const { tls, corsOrigin, rateLimit, log, clock, store, pages = {} } = options;
  const server = createServer({ tls, corsOrigin, log });
  const callers = createCallers(store);
  if (rateLimit !== undefined) {
    limitRate(server, new RateLimit(rateLimit, clock), pages);
  }

  addPages(server, pages);
  const parts = { ...options, callers };
  addRegistryRoutes(server, parts);
  addA2aRoute(server, parts);
  addQueueRoute(server, parts);
  addActivityRoutes(server, parts);
  return server;
}

function limitRate(server: Server, limit: RateLimit, pages: Pages): void {
  server.addHook('onRequest', async (request) => {
    if (Object.hasOwn(pages, request.url) || limit.take(request.ip)) return;
    throw new Refusal(429, 'rate limit exceeded', { retry_after: 1 });
  });
}
