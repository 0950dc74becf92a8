/** A platform, written from the MOL rows alone. It keeps the rules by itself, and can be told what comes next. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

export type Route =
  | 'register'
  | 'heartbeat'
  | 'state'
  | 'discover'
  | 'a2a'
  | 'queue'
  | 'activity'
  | 'ack'
  | 'other';

type Json = Readonly<Record<string, unknown>>;

export interface Call {
  readonly route: Route;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Json;
  /** Of the caller's end of the connection. */
  readonly port: number | undefined;
}

export interface Scripted {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly text?: string;
  /** Does something else with the request than to answer it. */
  readonly act?: (request: IncomingMessage, response: ServerResponse) => void;
  /** After the rules were kept and the turn was taken, so that only the answer is another. */
  readonly late?: true;
}

export interface TakenTurn {
  readonly messageId: string;
  readonly contextId: string | undefined;
  readonly text: string;
  readonly request: Json;
}

/** What a target does with a turn: it polls its inbox, answers at once, or is busy. */
export type TargetMode = 'poll' | 'sync' | 'busy';

interface Row extends Json {
  readonly id: string;
}

const PREFIXES = ['webhook:', 'system:', 'test:', 'channel:'];
const NOT_FOUND_CURSOR =
  'since_id cursor not found (row may have been pruned); omit since_id to reset';

export class PlatformDouble {
  readonly own = randomUUID();
  readonly target = randomUUID();
  /** The live token of the bridge's workspace; undefined: none yet, and the next register gives one out. */
  token: string | undefined = 'wst-first';
  orgId: string | undefined;
  mode: TargetMode = 'poll';
  /** False: an old server. */
  knowsCursors = true;
  knowsAcks = true;
  mayTalk = true;
  state: Json = { paused: false };
  /** What a target that answers at once says. */
  answer = (turn: TakenTurn): unknown => messageResult(`answer to ${bodyOf(turn.text)}`);
  readonly calls: Call[] = [];
  /** Each message once, however often it was sent (MOL-A2A-04). */
  readonly turns: TakenTurn[] = [];
  readonly items = new Map<string, Record<string, unknown>>();
  acked = 0;
  readonly #rows: Row[] = [];
  readonly #scripts = new Map<Route, Scripted[]>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async open(port = 0): Promise<this> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.closeAllConnections();
    this.#server.close();
    await closed;
  }

  /** These answers come next on a route, in place of its own. */
  script(route: Route, ...answers: readonly Scripted[]): void {
    this.#scripts.set(route, [...(this.#scripts.get(route) ?? []), ...answers]);
  }

  callsOf(route: Route): Call[] {
    return this.calls.filter((call) => call.route === route);
  }

  /** A new row in the bridge's inbox; by itself a message of the target, with a link to nothing (MOL-INB-09). */
  say(text: string, more: Json = {}): Row {
    const seq = this.#rows.length + 1;
    const message = { role: 'user', messageId: randomUUID(), parts: [{ kind: 'text', text }] };
    const row = {
      id: randomUUID(),
      workspace_id: this.own,
      activity_type: 'a2a_receive',
      source_id: this.target,
      target_id: this.own,
      method: 'message/send',
      summary: text.slice(0, 80),
      request_body: { jsonrpc: '2.0', method: 'message/send', params: { message } },
      status: 'ok',
      created_at: new Date().toISOString(),
      seq,
      ...more,
    };
    this.#rows.push(row);
    return row;
  }

  /** Old rows go, and with them every cursor that is one of them. */
  forgetRows(): void {
    this.#rows.length = 0;
  }

  /** A turn that was queued at a busy target is over. */
  settle(queueId: string, outcome: Json): void {
    this.items.set(queueId, { ...this.items.get(queueId), ...outcome });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', 'http://platform');
    const [route, id] = routeOf(request.method ?? 'GET', url.pathname);
    const text = Buffer.concat(chunks).toString();
    const body = text === '' ? {} : (JSON.parse(text) as Json);
    const { headers, socket } = request;
    const port = socket.remotePort;
    this.calls.push({ route, path: url.pathname, query: url.searchParams, headers, body, port });
    const scripted = this.#scripts.get(route)?.shift();
    if (scripted !== undefined && scripted.late !== true) {
      send(request, response, scripted);
      return;
    }
    const answer = this.#refusal(headers, route) ?? this.#answer(route, id, { body, url });
    send(request, response, scripted ?? answer);
  }

  #refusal(headers: IncomingHttpHeaders, route: Route): Scripted | undefined {
    // The edge (MOL-HDR-02), and the guard of a tenant (MOL-HDR-07).
    if (headers.origin === undefined) return { status: 404, text: '' };
    if (this.orgId !== undefined && headers['x-molecule-org-id'] !== this.orgId) {
      return { status: 404, text: '' };
    }
    const claim = String(headers['x-workspace-id'] ?? this.own);
    if (PREFIXES.some((prefix) => claim.startsWith(prefix))) return error(403, 'invalid caller ID');
    if (route === 'register' && this.token === undefined) return undefined;
    if (headers.authorization === undefined) return error(401, 'missing caller auth token');
    if (headers.authorization !== `Bearer ${this.token}`) {
      return error(401, 'invalid caller auth token');
    }
    return claim === this.own
      ? undefined
      : error(401, 'caller ID does not match workspace auth token');
  }

  #answer(
    route: Route,
    id: string,
    { body, url }: { readonly body: Json; readonly url: URL },
  ): Scripted {
    switch (route) {
      case 'register':
        return this.#register(body);
      case 'heartbeat':
        return body['workspace_id'] === this.own
          ? { json: { status: 'ok' } }
          : error(401, 'invalid workspace auth token');
      case 'state':
        return { status: this.state['deleted'] === true ? 404 : 200, json: this.state };
      case 'discover':
        if (id !== this.target) return error(404, 'workspace not found');
        return this.mayTalk
          ? { json: { id, url: '', status: 'online' } }
          : error(403, 'not authorized to discover this workspace');
      case 'a2a':
        return this.#take(id, body);
      case 'queue':
        return this.#item(url.pathname.split('/').at(-1) ?? '');
      case 'activity':
        return this.#activity(url.searchParams);
      case 'ack':
        if (!this.knowsAcks) return { status: 404, text: '404 page not found' };
        this.acked = Math.max(this.acked, Number(body['acked_seq']));
        return { json: { last_acked_seq: this.acked } };
      case 'other':
        return { status: 404, text: '404 page not found' };
    }
  }

  #register({ id, agent_card: card, delivery_mode: mode = 'push', url }: Json): Scripted {
    if (typeof id !== 'string' || typeof card !== 'object') {
      return error(400, 'invalid request body');
    }
    if (mode !== 'push' && mode !== 'poll') {
      return error(400, "delivery_mode must be 'push' or 'poll'");
    }
    if (mode === 'push' && (url ?? '') === '') {
      return error(400, 'url is required for push-mode workspaces');
    }
    const registered = { status: 'registered', delivery_mode: mode };
    if (this.token !== undefined) return { json: registered };
    this.token = `wst-${randomUUID()}`;
    return { json: { ...registered, auth_token: this.token } };
  }

  #take(id: string, request: Json): Scripted {
    if (id !== this.target) return error(404, 'workspace not found');
    if (!this.mayTalk) {
      return error(403, 'access denied: workspaces cannot communicate per hierarchy rules');
    }
    const { message } = request['params'] as { message: Json };
    const parts = message['parts'] as readonly { readonly text: string }[];
    const turn: TakenTurn = {
      messageId: String(message['messageId']),
      contextId: message['contextId'] as string | undefined,
      text: parts[0]?.text ?? '',
      request,
    };
    const isNew = this.turns.every(({ messageId }) => messageId !== turn.messageId);
    if (isNew) this.turns.push(turn);
    if (this.mode === 'sync') return { json: { jsonrpc: '2.0', result: this.answer(turn) } };
    if (this.mode === 'poll') {
      return { json: { status: 'queued', delivery_mode: 'poll', method: 'message/send' } };
    }
    const queueId = this.#enqueue(turn, isNew);
    return {
      status: 202,
      json: {
        queued: true,
        queue_id: queueId,
        queue_depth: this.items.size,
        message: 'workspace agent busy — request queued, will dispatch when capacity available',
      },
    };
  }

  #enqueue({ messageId }: TakenTurn, isNew: boolean): string {
    const known = [...this.items].find(([, item]) => item['message_id'] === messageId);
    if (!isNew && known !== undefined) return known[0];
    const queueId = randomUUID();
    this.items.set(queueId, {
      queue_id: queueId,
      workspace_id: this.target,
      message_id: messageId,
      status: 'queued',
      priority: 50,
      attempts: 0,
      enqueued_at: new Date().toISOString(),
    });
    return queueId;
  }

  #item(queueId: string): Scripted {
    const item = this.items.get(queueId);
    return item === undefined
      ? { status: 404, json: { error: 'queue item not found', retryable: true } }
      : { json: item };
  }

  #activity(query: URLSearchParams): Scripted {
    const limit = Math.min(Number(query.get('limit') ?? 100), 500);
    const since = query.get('since_id');
    const rows = this.#rows.filter((row) => row['activity_type'] === query.get('type'));
    if (since === null || !this.knowsCursors) {
      const sinceSecs = Number(query.get('since_secs') ?? Infinity);
      const fresh = rows.filter(
        (row) => Date.now() - Date.parse(String(row['created_at'])) <= sinceSecs * 1000,
      );
      return { json: fresh.toReversed().slice(0, limit) };
    }
    const at = rows.findIndex((row) => row.id === since);
    return at < 0 ? error(410, NOT_FOUND_CURSOR) : { json: rows.slice(at + 1, at + 1 + limit) };
  }
}

export function messageResult(text: string): Json {
  return { kind: 'message', role: 'agent', parts: [{ kind: 'text', text }] };
}

/** What the person wrote: all behind the header line. */
export function bodyOf(text: string): string {
  return text.slice(text.indexOf('\n') + 1);
}

export function error(status: number, words: string): Scripted {
  return { status, json: { error: words } };
}

function routeOf(method: string, path: string): [Route, string] {
  const [room, id = '', one, two] = path.split('/').slice(1);
  if (room === 'registry') {
    if (id === 'register' || id === 'heartbeat') return [id, ''];
    return id === 'discover' ? ['discover', one ?? ''] : ['other', ''];
  }
  if (room !== 'workspaces') return ['other', ''];
  if (one === 'a2a') return [two === 'queue' ? 'queue' : 'a2a', id];
  if (one === 'activity') {
    if (two === 'ack') return ['ack', id];
    return [method === 'GET' ? 'activity' : 'other', id];
  }
  return [one === 'state' ? 'state' : 'other', id];
}

function send(request: IncomingMessage, response: ServerResponse, answer: Scripted): void {
  if (answer.act !== undefined) {
    answer.act(request, response);
    return;
  }
  const { status = 200, headers = {}, json, text } = answer;
  const type = json === undefined ? 'text/plain' : 'application/json';
  response.writeHead(status, { 'content-type': type, ...headers });
  response.end(json === undefined ? text : JSON.stringify(json));
}
