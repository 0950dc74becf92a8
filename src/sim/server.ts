import { writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { accountPageRoutes } from './accounts/account-pages.ts';
import { accountRoutes, Accounts, type AccountsOptions } from './accounts/accounts.ts';
import { ApiServer, CONTROL_PREFIX } from './api/api-server.ts';
import { bootstrapRoutes, Tickets } from './socket/bootstrap.ts';
import { createCloud, type Cloud, type CloudOptions } from './cloud.ts';
import { createControlDesk } from './control/control-api.ts';
import { platformRoutes } from './api/api-routes.ts';
import type { CallRecord } from './world/call-record.ts';
import { LarkCloud } from './control/lark-cloud.ts';
import { SocketServer } from './socket/socket-server.ts';
import { createServerIdentity, type ServerIdentity } from './tls/certificates.ts';

/** HTTPS and WSS with a certificate that is made at the start, from an authority of its own. */
export interface TlsOptions {
  /** Names and IP addresses for the certificate, beside `localhost`, 127.0.0.1, ::1 and `host`. */
  readonly hosts?: readonly string[];
  /** Where the authority's certificate is written (PEM), for `NODE_EXTRA_CA_CERTS` and the like. */
  readonly caFile?: string;
}

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
  /** Without it everything is in the clear. `LarkCloud.caPem` is what clients must trust. */
  readonly tls?: true | TlsOptions;
  /** Told of every call to a route that the simulator does not have: usually why a bot fails here. */
  readonly onUnknownRoute?: (call: CallRecord) => void;
}

/** Longer than clients keep idle sockets, so that the server is never the one to close first. */
const KEEP_ALIVE_MS = 75_000;
/** Names of this machine that every certificate is good for. */
const OWN_HOSTS = ['localhost', '127.0.0.1', '::1'];

/** Starts a simulated cloud of Lark: REST, long connection, accounts and control on one port. */
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
      caPem: identity?.caPem,
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

/** All that are open, also those that have not yet said what they want. */
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
  // A TLS handshake that hangs is no connection of HTTP yet, and would hold the end up.
  for (const socket of raw) socket.destroy();
  return new Promise((resolve) => {
    http.close(() => resolve());
  });
}
