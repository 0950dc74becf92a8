/** Serves the pages for monitors at their own address. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BridgeError, errorText } from '../core/errors.ts';
import type { Service } from '../time/service.ts';
import type { PageAnswer, Pages } from '../net/pages.ts';
import type { Log } from '../core/log.ts';
import { isOwnHost, isWelcomeOrigin } from '../net/host-names.ts';
import { PAGES_PER_SECOND, RateLimit } from '../net/rate-limit.ts';
import type { Clock } from '../time/clock.ts';

/** How long a request may take to arrive. */
const REQUEST_TIMEOUT_MS = 10_000;

interface MonitorServerOptions {
  /** `host:port`; an IPv6 address in brackets; port 0: any free one. */
  readonly address: string;
  /** Host names by which the server is called, besides its own address and `localhost`. */
  readonly names: readonly string[];
  /** Origins of web pages that may read the pages: `*`, or separated by commas. */
  readonly corsOrigin?: string | undefined;
  readonly pages: Pages;
  readonly clock: Clock;
  readonly log: Log;
}

export class MonitorServer implements Service {
  readonly name = 'monitor_server';
  readonly #options: MonitorServerOptions;
  readonly #server: Server;
  readonly #names: readonly string[];
  readonly #limit: RateLimit;

  constructor(options: MonitorServerOptions) {
    this.#options = options;
    this.#names = [...options.names, splitAddress(options.address).host];
    this.#limit = new RateLimit(PAGES_PER_SECOND, options.clock);
    this.#server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
      void this.#answer(request, response);
    });
  }

  /** Base URL; known after `start`. */
  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://${splitAddress(this.#options.address).inUrl}:${port}`;
  }

  async start(): Promise<void> {
    const { address, log } = this.#options;
    const { host, port } = splitAddress(address);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(listenError(address, error)));
      this.#server.listen({ host, port }, resolve);
    });
    log.info('monitor_started', { address: this.url });
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => {
      this.#server.close(resolve);
    });
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pages, corsOrigin, log } = this.#options;
    const { method, headers } = request;
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    let answer: PageAnswer;
    try {
      if (!isOwnHost(headers.host, this.#names)) {
        answer = plain(421, 'not known by this host name: call it by its address\n');
      } else if (!isWelcomeOrigin(headers, { names: this.#names, corsOrigin })) {
        answer = plain(403, 'web pages of other sites may not read this\n');
      } else if (!this.#limit.take(`${request.socket.remoteAddress} ${path}`)) {
        answer = plain(429, 'too many requests\n');
      } else if (page === undefined)
        answer = plain(404, `no such page: ${Object.keys(pages).join(' ')}\n`);
      else if (method !== 'GET' && method !== 'HEAD') answer = plain(405, 'read only\n');
      else answer = await page.render();
    } catch (error) {
      log.error('monitor_page_failed', { path, error: errorText(error) });
      answer = plain(500, 'internal error\n');
    }
    const { status, contentType, body } = answer;
    response
      .writeHead(status, {
        'content-type': contentType,
        'content-length': Buffer.byteLength(body),
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      })
      .end(method === 'HEAD' ? undefined : body);
  }
}

function plain(status: number, body: string): PageAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}

/** `inUrl`: the host in a URL that works on this machine. */
export function splitAddress(address: string): { host: string; port: number; inUrl: string } {
  const at = address.lastIndexOf(':');
  const inUrl = address.slice(0, at);
  const host = inUrl.replace(/^\[(.*)\]$/, '$1');
  const everywhere = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[host];
  return { host, port: Number(address.slice(at + 1)), inUrl: everywhere ?? inUrl };
}

function listenError(address: string, error: NodeJS.ErrnoException): BridgeError {
  const inUse = error.code === 'EADDRINUSE';
  return new BridgeError(
    inUse ? 'port_in_use' : 'config_invalid',
    inUse
      ? `${address} is in use by another program`
      : `can't listen on ${address}: ${errorText(error)}`,
    { next: 'Choose another address with LARK_BRIDGE_HEALTH_ADDRESS.', cause: error },
  );
}
