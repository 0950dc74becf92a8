/** The loopback HTTP server behind which the tools are. It judges a request before it reads its body. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errorStack } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { isOwnHost } from '../../net/host-names.ts';

const PATH = '/mcp';
const HOST = '127.0.0.1';
/** The largest call is a question with all its options. JSON that is nested deeply is parsed at 1 MB a second. */
const BODY_BYTES_MAX = 64 * 1024;
/** How long a request may take to arrive. Its answer may take as long as a person. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Agents keep a connection or two. This bounds what a program of this machine can take without a token. */
const CONNECTIONS_MAX = 256;

/** Whoever a token belongs to. */
export interface ToolHolder {
  /** It has as many calls open as it may. */
  readonly isBusy: boolean;
  /** Answers a message of the Model Context Protocol, or several at once. */
  answer(
    message: unknown,
    to: { readonly headers: Headers; readonly response: ServerResponse },
  ): Promise<void>;
}

interface ToolDoorParts {
  /** Whose token it is. Undefined: nobody's. */
  readonly holderOf: (token: string) => ToolHolder | undefined;
  readonly log: Log;
}

export class ToolDoor {
  readonly #parts: ToolDoorParts;
  readonly #server: Server;

  constructor(parts: ToolDoorParts) {
    this.#parts = parts;
    this.#server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
      void this.#serve(request, response);
    });
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** Resolves with its address. Rejects with an error of the system if it can't listen. */
  async open(): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host: HOST, port: 0 }, resolve);
    });
    // Nothing lives on only because an agent could call.
    this.#server.unref();
    const { port } = this.#server.address() as AddressInfo;
    return `http://${HOST}:${port}${PATH}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const holder = this.#admit(request);
      if ('status' in holder) {
        refuse(response, holder);
        return;
      }
      const read = await readMessage(request);
      if (read.ok) await holder.answer(read.message, { headers: headersOf(request), response });
      else refuse(response, read.refusal);
    } catch (error) {
      // Whoever called has gone.
      if (request.socket.destroyed) return;
      this.#parts.log.error('agent_tool_call_failed', { error: errorStack(error) });
      if (response.headersSent) response.destroy();
      else refuse(response, { status: 500, code: INTERNAL, why: 'the bridge could not answer' });
    }
  }

  #admit({ headers, url, method }: IncomingMessage): ToolHolder | Refusal {
    if (!isOwnHost(headers.host, [])) return no(421, 'call it by its address');
    if (headers.origin !== undefined) return no(403, 'web pages may not call it');
    if (url !== PATH) return no(404, `there is only ${PATH}`);
    if (method !== 'POST') return no(405, 'only POST is served, with an answer of its own to each');
    const token = /^Bearer (\S{1,200})$/i.exec(headers.authorization ?? '')?.[1];
    const holder = token === undefined ? undefined : this.#parts.holderOf(token);
    if (holder === undefined) return no(401, 'the token is not that of an open session');
    if (holder.isBusy) return no(429, 'too many calls of this session are open');
    if (Number(headers['content-length'] ?? 0) > BODY_BYTES_MAX) return TOO_LARGE;
    return holder;
  }
}

interface Refusal {
  readonly status: number;
  /** Of JSON-RPC. */
  readonly code: number;
  readonly why: string;
}

const SERVER_ERROR = -32_000;
const INTERNAL = -32_603;
const PARSE_ERROR = -32_700;

function no(status: number, why: string): Refusal {
  return { status, code: SERVER_ERROR, why };
}

const TOO_LARGE = no(413, `a body has at most ${BODY_BYTES_MAX} bytes`);

function refuse(response: ServerResponse, { status, code, why }: Refusal): void {
  const body = JSON.stringify({ jsonrpc: '2.0', error: { code, message: why }, id: null });
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...(status === 405 && { allow: 'POST' }),
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
  });
  response.end(body);
}

type Read =
  | { readonly ok: true; readonly message: unknown }
  | { readonly ok: false; readonly refusal: Refusal };

async function readMessage(request: IncomingMessage): Promise<Read> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // The answer that says why it is too large goes through the same connection.
  const read: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
  for await (const chunk of read) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return { ok: false, refusal: TOO_LARGE };
    chunks.push(chunk);
  }
  try {
    return { ok: true, message: JSON.parse(Buffer.concat(chunks).toString()) };
  } catch {
    // What JSON.parse says quotes the body.
    return { ok: false, refusal: { status: 400, code: PARSE_ERROR, why: 'that is no JSON' } };
  }
}

function headersOf({ headers }: IncomingMessage): Headers {
  const given = new Headers();
  for (const name of ['accept', 'content-type', 'mcp-protocol-version']) {
    const value = headers[name];
    if (typeof value === 'string') given.set(name, value);
  }
  return given;
}
