/** A workspace runtime's side of the channel socket, written from the MOL-SOCK rows alone. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { chmodSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { temporaryFolder } from '../../kit/folder.ts';

const BODY_BYTES_MAX = 16 * 1024 * 1024;
const METHODS = ['message/send', 'message/stream'];

export interface SocketTurn {
  readonly method: string;
  readonly id: unknown;
  readonly headers: IncomingMessage['headers'];
  readonly message: Record<string, unknown> & { readonly parts: readonly { text: string }[] };
  readonly metadata: Record<string, unknown>;
  readonly response: ServerResponse;
}

export class ChannelRuntime {
  readonly capability = 'cap-0123456789';
  /** Every turn that was taken, in order. */
  readonly turns: SocketTurn[] = [];
  /** JSON-RPC codes of what was refused. */
  readonly refused: number[] = [];
  /** Requests that have come, whole or not. */
  requests = 0;
  /** What to do with a turn; by itself it is left without an answer. */
  onTurn: (turn: SocketTurn) => void = () => {};
  readonly #dir = temporaryFolder();
  #server: Server | undefined;

  get path(): string {
    return join(this.#dir, 'a2a.sock');
  }

  get env(): Record<string, string> {
    return {
      MOLECULE_CHANNEL_API_VERSION: '1',
      MOLECULE_CHANNEL_A2A_SOCKET: this.path,
      MOLECULE_CHANNEL_A2A_TOKEN: this.capability,
      MOLECULE_CHANNEL_PLUGIN_ID: 'lark-bridge',
    };
  }

  async open(): Promise<void> {
    this.#server = createServer((request, response) => {
      this.requests += 1;
      void this.#take(request, response);
    });
    this.#server.listen(this.path);
    await once(this.#server, 'listening');
    chmodSync(this.path, 0o600);
  }

  /** Nobody listens any more, and whoever waits is cut off. */
  async shut(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }

  async close(): Promise<void> {
    await this.shut();
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of request) {
        bytes += (chunk as Buffer).length;
        if (bytes <= BODY_BYTES_MAX) chunks.push(chunk as Buffer);
      }
    } catch {
      // The client went away in the middle of its request.
      return;
    }
    const refuse = (status: number, code: number, message: string) => {
      this.refused.push(code);
      respond(response, status, { jsonrpc: '2.0', id: null, error: { code, message } });
    };
    if (request.method !== 'POST' || request.url !== '/')
      return refuse(404, -32600, 'no such path');
    if (request.headers['x-molecule-channel-capability'] !== this.capability) {
      return refuse(401, -32001, 'invalid channel capability');
    }
    if (bytes > BODY_BYTES_MAX) return refuse(413, -32600, 'request too large');
    let body: Record<string, unknown>;
    try {
      body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
    } catch {
      return refuse(400, -32700, 'parse error');
    }
    const params = body['params'] as
      | { message?: SocketTurn['message']; metadata?: Record<string, unknown> }
      | undefined;
    const { message, metadata = {} } = params ?? {};
    const claimed = (message?.['metadata'] as { source?: unknown } | undefined)?.source;
    if (message === undefined || claimed !== undefined)
      return refuse(400, -32600, 'invalid request');
    const method = String(body['method']);
    if (!METHODS.includes(method)) return refuse(400, -32601, 'method not found');
    const turn = { method, id: body['id'], headers: request.headers, message, metadata, response };
    this.turns.push(turn);
    this.onTurn(turn);
  }
}

function respond(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** Answers a turn with its result, or with something else of JSON-RPC's form. */
export function answer(turn: SocketTurn, rest: Record<string, unknown>, status = 200): void {
  respond(turn.response, status, { jsonrpc: '2.0', id: turn.id, ...rest });
}

export function say(turn: SocketTurn, text: string): void {
  const parts = [{ kind: 'text', text }];
  answer(turn, { result: { kind: 'message', role: 'agent', parts } });
}

/** Begins an answer in the form of server-sent events; each call sends one more. */
export function stream(turn: SocketTurn): (result: Record<string, unknown>) => void {
  turn.response.writeHead(200, { 'content-type': 'text/event-stream' });
  return (result) => {
    turn.response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id: turn.id, result })}\n\n`);
  };
}

/** The person's own words, under the header line. */
export function wordsOf(turn: SocketTurn): string {
  return turn.message.parts[0]?.text.split('\n').slice(1).join('\n') ?? '';
}
