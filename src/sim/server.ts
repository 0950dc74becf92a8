import { writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { accountPageRoutes } from './accounts/account-pages.ts';
import { accountRoutes, Accounts, type AccountsOptions } from './accounts/accounts.ts';
import { ApiServer, CONTROL_PREFIX } from './api/api-server.ts';
import { bootstrapRoutes, Tickets } from './socket/bootstrap.ts';
import { createCloud, type Cloud, type CloudOptions } from './cloud.ts';
import { createControlHandler } from './control/control-api.ts';
import { apiRoutes } from './api/api-routes.ts';
import type { CallRecord } from './world/call-record.ts';
import { LarkCloud } from './control/lark-cloud.ts';
import { PageServer, pageUrlOf } from './page/page-server.ts';
import { SocketServer } from './socket/socket-server.ts';
import { createServerIdentity, type ServerIdentity } from './tls/certificates.ts';

/** HTTPS and WSS. The certificate is made at the start, by an authority of its own. */
export interface TlsOptions {
  /** More names and IP addresses for the certificate. It always has `localhost`, 127.0.0.1, ::1 and `host`. */
  readonly hosts?: readonly string[];
  /** Where the authority's certificate is written (PEM), for `NODE_EXTRA_CA_CERTS` and the like. */
  readonly caFile?: string;
}

export interface LarkCloudOptions extends Omit<CloudOptions, 'seed'> {
  /** 0: any free port. */
  readonly port?: number;
  /** 127.0.0.1 by default. There is no protection: everybody who can reach the port controls the cloud. */
  readonly host?: string;
  /**
   * The same seed gives the same ids and the same random faults. By default it is random: a client
   * that remembers message ids must not take the ids of a new cloud for old ones.
   */
  readonly seed?: number;
  readonly accounts?: AccountsOptions;
  /** Without it nothing is encrypted. Clients must trust `LarkCloud.caPem`. */
  readonly tls?: true | TlsOptions;
  /** Called for every call to a route that the simulator does not have. It is usually why a bot fails here. */
  readonly onUnknownRoute?: (call: CallRecord) => void;
}

/** Longer than clients keep idle sockets, so that the server never closes one first. */
const KEEP_ALIVE_MS = 75_000;
/** Names of this machine. Every certificate is valid for them. */
const OWN_HOSTS = ['localhost', '127.0.0.1', '::1'];

/** Starts a simulated cloud of Lark: REST, long connection, accounts, control and the page on one port. */
export async function startLarkCloud(options: LarkCloudOptions = {}): Promise<LarkCloud> {
  const { host = '127.0.0.1', port = 0, accounts: accountsOptions, tls, ...rest } = options;
  const { onUnknownRoute, ...cloudOptions } = rest;
  const cloud = createCloud({ seed: Math.floor(Math.random() * 2 ** 31), ...cloudOptions });
  const tickets = new Tickets(cloud);
  const accounts = new Accounts(cloud, accountsOptions);
  const identity = tls === undefined ? undefined : await identityFor(tls, host);
  const settings = { keepAliveTimeout: KEEP_ALIVE_MS };
  const http =
    identity === undefined
      ? createHttpServer(settings)
      : createHttpsServer({ ...settings, key: identity.key, cert: identity.cert });
  const raw = rawSocketsOf(http);
  const sockets = new SocketServer(cloud, tickets);
  await listen(http, port, host);
  cloud.baseUrl = urlOf(http, identity === undefined ? 'http' : 'https', host);
  const lark = new LarkCloud(
    { cloud, accounts, stop: () => stop({ http, raw }, sockets, cloud) },
    {
      openBaseUrl: cloud.baseUrl,
      accountsBaseUrl: cloud.baseUrl,
      controlUrl: cloud.baseUrl + CONTROL_PREFIX,
      pageUrl: pageUrlOf(cloud.baseUrl),
      caPem: identity?.caPem,
    },
  );
  const routes = [
    ...apiRoutes(cloud),
    ...bootstrapRoutes(cloud, tickets),
    ...accountRoutes(accounts),
    ...accountPageRoutes(cloud, accounts),
  ];
  const control = createControlHandler(lark, routes);
  const api = new ApiServer(cloud, routes, { onUnknownRoute, control });
  const page = new PageServer(cloud);
  http.on('request', (request, response) => {
    void (page.isFor(request) ? page : api).handle(request, response);
  });
  http.on('upgrade', (request, socket, head) => sockets.upgrade(request, socket, head));
  return lark;
}

async function identityFor(tls: true | TlsOptions, host: string): Promise<ServerIdentity> {
  const { hosts = [], caFile } = tls === true ? {} : tls;
  const identity = createServerIdentity([...new Set([...OWN_HOSTS, host, ...hosts])]);
  if (caFile !== undefined) await writeFile(caFile, identity.caPem);
  return identity;
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

function urlOf(http: Server, scheme: 'http' | 'https', host: string): string {
  const { port } = http.address() as AddressInfo;
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** All open sockets, also those that have not sent a request yet. */
function rawSocketsOf(http: Server): ReadonlySet<Socket> {
  const raw = new Set<Socket>();
  http.on('connection', (socket: Socket) => {
    raw.add(socket);
    socket.on('close', () => raw.delete(socket));
  });
  return raw;
}

interface Listening {
  readonly http: Server;
  readonly raw: ReadonlySet<Socket>;
}

function stop({ http, raw }: Listening, sockets: SocketServer, cloud: Cloud): Promise<void> {
  cloud.clock.stop();
  sockets.stop();
  // A TLS handshake that hangs is not an HTTP connection yet. It would keep the server open.
  for (const socket of raw) socket.destroy();
  return new Promise((resolve) => {
    http.close(() => resolve());
  });
}
