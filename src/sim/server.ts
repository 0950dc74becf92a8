import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { accountPageRoutes } from './accounts/account-pages.ts';
import { accountRoutes, Accounts, type AccountsOptions } from './accounts/accounts.ts';
import { ApiServer, CONTROL_PREFIX } from './api/api-server.ts';
import { appInfoRoutes } from './api/app-info.ts';
import { attentionRoutes } from './api/attention.ts';
import { bootstrapRoutes, Tickets } from './socket/bootstrap.ts';
import { botRoutes } from './api/bot.ts';
import { cardTokenRoutes } from './cards/card-tokens.ts';
import { cardRoutes } from './cards/cards.ts';
import { createCloud, type Cloud, type CloudOptions } from './cloud.ts';
import { contactRoutes } from './api/contacts.ts';
import { createControlDesk } from './control/control.ts';
import { fileRoutes } from './api/files.ts';
import type { Route } from './api/http.ts';
import type { CallRecord } from './world/journal.ts';
import { LarkCloud } from './lark-cloud.ts';
import { messageEditRoutes } from './api/message-edits.ts';
import { messageListRoutes } from './api/message-list.ts';
import { messageRoutes } from './api/messages.ts';
import { reactionRoutes } from './api/reactions.ts';
import { SocketServer } from './socket/socket-server.ts';
import { tokenRoutes } from './api/tokens.ts';

export interface LarkCloudOptions extends Omit<CloudOptions, 'seed'> {
  /** 0: any free port. */
  readonly port?: number;
  /** 127.0.0.1 unless told. There is no protection: everybody who reaches it controls it. */
  readonly host?: string;
  /**
   * Same seed, same ids and same random faults. Drawn by chance unless told, so that a client which
   * remembers message ids does not take a new cloud's for its old ones.
   */
  readonly seed?: number;
  readonly accounts?: AccountsOptions;
  /** Told of every call to a route that the simulator does not have: usually why a bot fails here. */
  readonly onUnknownRoute?: (call: CallRecord) => void;
}

/** Longer than clients keep idle sockets, so that the server is never the one to close first. */
const KEEP_ALIVE_MS = 75_000;

/** Starts a simulated cloud of Lark: REST, long connection, accounts and control on one port. */
export async function startLarkCloud(options: LarkCloudOptions = {}): Promise<LarkCloud> {
  const {
    host = '127.0.0.1',
    port = 0,
    accounts: accountsOptions,
    onUnknownRoute,
    ...rest
  } = options;
  const cloud = createCloud({ seed: Math.floor(Math.random() * 2 ** 31), ...rest });
  const tickets = new Tickets(cloud);
  const accounts = new Accounts(cloud, accountsOptions);
  const http = createServer({ keepAliveTimeout: KEEP_ALIVE_MS });
  const sockets = new SocketServer(cloud, tickets);
  await listen(http, port, host);
  cloud.baseUrl = urlOf(http, host);
  const lark = new LarkCloud(
    { cloud, accounts, stop: () => stop(http, sockets, cloud) },
    {
      openBaseUrl: cloud.baseUrl,
      accountsBaseUrl: cloud.baseUrl,
      controlUrl: cloud.baseUrl + CONTROL_PREFIX,
    },
  );
  const routes = [
    ...platformRoutes(cloud),
    ...bootstrapRoutes(cloud, tickets),
    ...accountRoutes(accounts),
    ...accountPageRoutes(cloud, accounts),
  ];
  const control = createControlDesk(lark, routes);
  const api = new ApiServer(cloud, routes, { onUnknownRoute, control });
  http.on('request', (request, response) => void api.handle(request, response));
  http.on('upgrade', (request, socket, head) => sockets.upgrade(request, socket, head));
  return lark;
}

function platformRoutes(cloud: Cloud): Route[] {
  return [
    tokenRoutes,
    botRoutes,
    appInfoRoutes,
    messageRoutes,
    messageEditRoutes,
    messageListRoutes,
    reactionRoutes,
    attentionRoutes,
    cardRoutes,
    cardTokenRoutes,
    fileRoutes,
    contactRoutes,
  ].flatMap((routes) => routes(cloud));
}

function listen(http: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    http.once('error', reject);
    http.listen(port, host, () => {
      http.off('error', reject);
      resolve();
    });
  });
}

function urlOf(http: Server, host: string): string {
  const { port } = http.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function stop(http: Server, sockets: SocketServer, cloud: Cloud): Promise<void> {
  cloud.clock.stop();
  sockets.stop();
  http.closeAllConnections();
  return new Promise((resolve) => {
    http.close(() => resolve());
  });
}
