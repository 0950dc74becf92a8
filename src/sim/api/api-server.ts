import type { IncomingMessage, ServerResponse } from 'node:http';
import { refusalByFault, tooManyCalls } from './api-faults.ts';
import { sendBroken } from './broken-downloads.ts';
import { authenticate, scopeRefusal } from './auth.ts';
import type { Cloud } from '../cloud.ts';
import { refuse, textField, type Answer, type Call, type Route } from './http.ts';
import { parseBody, readBody } from './http-body.ts';
import { bodyText } from '../world/call-record.ts';
import type { CallRecord } from '../world/call-record.ts';
import type { SimApp } from '../world/model.ts';
import { Router } from './router.ts';

/** Calls of one API by one app. */
const PER_SECOND = { hitsMax: 50, windowMs: 1_000 };
const PER_MINUTE = { hitsMax: 1_000, windowMs: 60_000 };

/** Paths under this belong to the simulator itself: they have no faults and no limits, and are not recorded. */
export const CONTROL_PREFIX = '/_control';

/** A call to the simulator itself. */
export interface ControlRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly contentType: string;
  readonly raw: Buffer;
}

export type ControlHandler = (request: ControlRequest) => Promise<Answer>;

interface Received {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly request: IncomingMessage;
  readonly raw: Buffer;
}

/** The result of a request. `cut`: the socket is closed without an answer. `silence`: no answer is sent. */
type Outcome = Answer | 'cut' | 'silence';

interface ApiServerOptions {
  /** Answers calls to the simulator itself. */
  readonly control: ControlHandler;
  /** Called for every call to a route that the simulator does not have, after the 404 was sent. */
  readonly onUnknownRoute?: ((call: CallRecord) => void) | undefined;
}

/** The HTTP API: finds the route, enforces token, scopes and limits, and applies faults. */
export class ApiServer {
  readonly #cloud: Cloud;
  readonly #router: Router;
  readonly #options: ApiServerOptions;
  /** How many calls were finished. */
  #calls = 0;
  /** Uuids of calls that are not finished yet. */
  readonly #sending = new Set<string>();

  constructor(cloud: Cloud, routes: readonly Route[], options: ApiServerOptions) {
    this.#cloud = cloud;
    this.#options = options;
    this.#router = new Router(routes);
  }

  /** Never rejects. A bug in a route gives the client a 500, and this process a warning. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#handle(request, response);
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error));
      if (response.headersSent) response.destroy();
      else this.#write(response, refuse(1500, 'internal error', { status: 500 }));
    }
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? 'GET';
    const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
    const raw = await readBody(request);
    if (raw === undefined) {
      response.destroy();
      return;
    }
    const contentType = request.headers['content-type'] ?? '';
    if (path === CONTROL_PREFIX || path.startsWith(`${CONTROL_PREFIX}/`)) {
      const controlRequest = { method, path, query: new URLSearchParams(query), contentType, raw };
      this.#write(response, await this.#options.control(controlRequest));
      return;
    }
    const received: Received = { method, path, query, request, raw };
    const match = this.#router.match(method, path);
    if (match === undefined) {
      const record = this.#finish(response, received, notFound(), { unknownRoute: true });
      this.#options.onUnknownRoute?.(record);
      return;
    }
    const body = parseBody(contentType, raw);
    const call: Call = {
      method,
      path,
      params: match.params,
      query: new URLSearchParams(query),
      headers: request.headers,
      body: body?.fields ?? {},
      raw,
      parts: body?.parts ?? [],
      app: undefined,
    };
    const { app, outcome } = await this.#outcome(match.route, call, body === undefined);
    this.#finish(response, received, outcome, { app, uuid: textField(call.body, 'uuid') });
  }

  async #outcome(
    route: Route,
    call: Call,
    malformed: boolean,
  ): Promise<{ readonly app: SimApp | undefined; readonly outcome: Outcome }> {
    let app: SimApp | undefined;
    if (route.auth === 'tenant') {
      const caller = authenticate(this.#cloud, call.headers);
      if ('status' in caller) return { app: undefined, outcome: caller };
      app = caller;
    }
    const outcome = malformed ? badRequest() : await this.#withUuidGuard(route, { ...call, app });
    return { app, outcome };
  }

  async #withUuidGuard(route: Route, call: Call): Promise<Outcome> {
    const uuid = textField(call.body, 'uuid');
    if (route.uuidGuarded !== true || !uuid) return this.#withFaults(route, call);
    const key = `${call.app?.appId} ${uuid}`;
    if (this.#sending.has(key)) return refuse(230049, 'The message is being sent.');
    this.#sending.add(key);
    try {
      return await this.#withFaults(route, call);
    } finally {
      this.#sending.delete(key);
    }
  }

  async #withFaults(route: Route, call: Call): Promise<Outcome> {
    const { faults, clock } = this.#cloud;
    const appId = call.app?.appId;
    const context = { appId, path: call.path, method: call.method, body: call.raw };
    const target = { app: call.app, context, sends: route.uuidGuarded === true };
    if (!route.path.startsWith('/callback/')) {
      const refusal = refusalByFault(this.#cloud, target);
      if (refusal !== undefined) return refusal;
      const slow = faults.take('response_slow', context);
      if (slow) await new Promise<void>((resolve) => clock.afterReal(slow.delayMs, resolve));
    }
    const answer = await this.#execute(route, call);
    if (faults.take('response_lost', context)) return 'cut';
    return faults.take('response_hang', context) ? 'silence' : answer;
  }

  #execute(route: Route, call: Call): Answer | Promise<Answer> {
    const { app } = call;
    if (app !== undefined) {
      const refusal = scopeRefusal(app, route) ?? this.#rateRefusal(app, route);
      if (refusal !== undefined) return refusal;
    }
    return route.handle(call);
  }

  #rateRefusal(app: SimApp, route: Route): Answer | undefined {
    const { limits } = this.#cloud;
    const key = `${app.appId} ${route.method} ${route.path}`;
    const waitMs = limits.take(`${key} s`, PER_SECOND) || limits.take(`${key} m`, PER_MINUTE);
    return waitMs > 0 ? tooManyCalls(waitMs / 1_000) : undefined;
  }

  #finish(
    to: ServerResponse,
    received: Received,
    outcome: Outcome,
    about: {
      readonly app?: SimApp | undefined;
      readonly uuid?: string | undefined;
      readonly unknownRoute?: boolean;
    },
  ): CallRecord {
    let response = '';
    if (outcome === 'cut') received.request.socket.destroy();
    else if (outcome !== 'silence') response = this.#write(to, outcome);
    this.#calls += 1;
    const request = requestText(received);
    const bytes = request.length + response.length;
    this.#cloud.callBodies.set(this.#calls, { request, response }, bytes);
    const record: CallRecord = {
      number: this.#calls,
      atMs: this.#cloud.clock.nowMs(),
      method: received.method,
      path: received.path,
      query: received.query,
      status: typeof outcome === 'string' ? 0 : outcome.status,
      code: typeof outcome === 'string' ? undefined : codeOf(outcome),
      appId: about.app?.appId,
      uuid: about.uuid,
      unknownRoute: about.unknownRoute === true,
    };
    this.#cloud.calls.add(record);
    this.#cloud.changes.notify();
    return record;
  }

  /** Returns the body as text to keep. */
  #write(response: ServerResponse, answer: Answer): string {
    const logId = this.#cloud.world.ids.log();
    const { body, type, text } = encode(answer, logId);
    // With the platform's upper and lower case: some clients look for exactly these names.
    const headers = {
      'Content-Type': type,
      'X-Tt-Logid': logId,
      ...answer.headers,
      // This header is last, and the head is written before the body. Otherwise Node decodes the bytes
      // of a Content-Disposition, and the file name arrives broken.
      'Content-Length': String(body.length),
    };
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.statusCode = answer.status;
    if (answer.ending !== undefined) sendBroken(response, body, answer.ending);
    else {
      response.writeHead(answer.status);
      response.end(body);
    }
    return bodyText(text);
  }
}

interface Encoded {
  readonly body: Buffer;
  readonly type: string;
  readonly text: string;
}

function encode({ body }: Answer, logId: string): Encoded {
  if (Buffer.isBuffer(body)) {
    return { body, type: 'application/octet-stream', text: `${body.length} bytes` };
  }
  if (typeof body === 'string') {
    return { body: Buffer.from(body), type: 'text/html; charset=utf-8', text: body };
  }
  const text = JSON.stringify(withLogId(body, logId));
  return { body: Buffer.from(text), type: 'application/json; charset=utf-8', text };
}

/** Of uploads only the size is kept. */
function requestText({ request, raw }: Received): string {
  const isUpload = request.headers['content-type']?.startsWith('multipart/') === true;
  return isUpload ? `${raw.length} bytes` : bodyText(raw.toString());
}

/** The `error` object of a refusal has the log id too. */
function withLogId(body: unknown, logId: string): unknown {
  if (typeof body !== 'object' || body === null || !('error' in body)) return body;
  const { error } = body;
  return typeof error === 'object' ? { ...body, error: { log_id: logId, ...error } } : body;
}

function codeOf(answer: Answer): number | undefined {
  const { body } = answer;
  if (typeof body !== 'object' || body === null || !('code' in body)) return undefined;
  return typeof body.code === 'number' ? body.code : undefined;
}

function notFound(): Answer {
  const headers = { 'Content-Type': 'text/plain; charset=utf-8' };
  return { status: 404, headers, body: '404 page not found' };
}

function badRequest(): Answer {
  return refuse(9499, 'Bad Request: the body is not what its content type says');
}
