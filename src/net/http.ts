/** HTTP calls on undici. Every outcome is a value that says whether the request left this machine. */
import { type Agent, type Dispatcher, errors, FormData, request } from 'undici';
import { errorText } from '../core/errors.ts';
import { createHttpRoutes, type HttpRoutes } from './dispatcher.ts';
import { proxyFor, proxyName, type ProxySettings } from './proxy.ts';
import { addressRefusal, lookupPublic, untilFoundPublic } from './public-addresses.ts';
import { trustOnly } from './tls.ts';

export interface HttpOptions {
  /** Without proxies every call goes directly to its host. */
  readonly proxies?: ProxySettings;
  /** For DNS, TCP and TLS. Shorter than a call may take, so that "not sent" can be told from "no answer". */
  readonly connectTimeoutMs: number;
  /** A larger answer is not read to its end. An answer that is returned as a stream has no bound here. */
  readonly answerBytesMax: number;
  /** How long an unused connection stays open. Without it undici's own value is used. */
  readonly keptMs?: number;
  /** The only certificate to trust, for a server of our own. The name in the certificate is not checked. */
  readonly certificatePem?: string | undefined;
  /** Every call goes through this Unix socket, whatever host its URL names. */
  readonly socketPath?: string;
  /** Connects only to addresses of the open internet. What a name leads to is looked at when it connects. */
  readonly publicOnly?: boolean;
}

/** With at most one of `json`, `text` and `form`. */
export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** A body that is sent unchanged. `headers` must contain its content type. */
  readonly text?: string;
  readonly form?: readonly FormPart[];
  /** For the whole call. If the answer may be a stream, the longest time without a byte. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /**
   * Uses a new connection. The other side may close an old connection while the call is sent, and then it is
   * not known whether the call arrived.
   */
  readonly alone?: boolean;
}

export interface FormPart {
  readonly name: string;
  readonly value: string | Uint8Array<ArrayBuffer>;
  /** For bytes. */
  readonly fileName?: string;
}

interface Head {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface HttpAnswer extends Head {
  readonly kind: 'answer';
  /** Parsed JSON. Undefined if the body is something else, such as a proxy's HTML page. */
  readonly body: unknown;
  /** The form of the body. */
  readonly form: 'json' | 'html' | 'empty' | 'other';
  readonly retryAfterSecs: number | undefined;
  /** The time of the other side's clock, if the answer contains it. */
  readonly dateMs: number | undefined;
}

/** An answer that the caller reads. Errors while it is read are thrown there. */
export interface HttpStream extends Head {
  readonly kind: 'stream';
  readonly stream: Dispatcher.ResponseData<unknown>['body'];
}

export type HttpFailure =
  /** Nothing left this machine, so the call may be repeated. */
  | ({ readonly kind: 'not_sent' } & Trouble)
  /** The call was at least partly sent and no complete answer came: it may have been carried out. */
  | ({ readonly kind: 'no_answer' } & Trouble);

interface Trouble {
  /** Node's or undici's code. `TIMED_OUT`, `TOO_LARGE` and `STOPPED` are our own codes. */
  readonly code: string;
  /** A text for logs and operators. */
  readonly detail: string;
  /** The proxy that the call used, which may be the cause. */
  readonly proxy: FailedProxy | undefined;
}

interface FailedProxy {
  /** Without user and password. */
  readonly name: string;
  /** The HTTP status with which it refused the connection. */
  readonly status: number | undefined;
}

export type HttpResult = HttpAnswer | HttpFailure;

interface Limits {
  readonly signal: AbortSignal | null;
  readonly headersTimeout: number;
  readonly bodyTimeout: number;
}

/** The time of the call was over. */
const TIMED_OUT = 'timed out';
export const TOO_LARGE = 'too large';
const STOPPED = 'stopped';

/** undici's codes for a call that can't be made at all. This is a bug of the caller and not a fault of the network. */
const MISUSE: ReadonlySet<string> = new Set(['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED']);

export class HttpClient {
  readonly #proxies: ProxySettings;
  readonly #answerBytesMax: number;
  readonly #publicOnly: boolean;
  readonly #kept: HttpRoutes;
  readonly #alone: HttpRoutes;

  constructor(options: HttpOptions) {
    const { proxies = {}, connectTimeoutMs, keptMs, certificatePem, socketPath } = options;
    const { publicOnly = false } = options;
    const agent: Agent.Options = {
      connect: {
        timeout: connectTimeoutMs,
        ...(certificatePem === undefined ? {} : trustOnly(certificatePem)),
        ...(socketPath === undefined ? {} : { socketPath }),
        ...(publicOnly && { lookup: lookupPublic }),
      },
      ...(keptMs === undefined ? {} : { keepAliveTimeout: keptMs }),
    };
    this.#proxies = proxies;
    this.#answerBytesMax = options.answerBytesMax;
    this.#publicOnly = publicOnly;
    this.#kept = createHttpRoutes(agent, proxies, [notingSendStarts]);
    this.#alone = createHttpRoutes({ ...agent, pipelining: 0 }, proxies, [notingSendStarts]);
  }

  /** Ends all calls that run. */
  async close(): Promise<void> {
    await Promise.all([this.#kept.destroy(), this.#alone.destroy()]);
  }

  /** Rejects only for a bug in the call itself. */
  async call(call: HttpCall): Promise<HttpResult> {
    const limit = limitOf(call);
    // undici's own limits would end the wait for a slow agent too early.
    const limits = { signal: limit.signal, headersTimeout: 0, bodyTimeout: 0 };
    try {
      return await this.#exchange(call, limits, (response) => this.#read(response));
    } finally {
      limit.end();
    }
  }

  /** Like `call`, but an answer for which `isStream` is true is returned as a stream, without a limit of the whole time. */
  open(call: HttpCall, isStream: (head: Head) => boolean): Promise<HttpResult | HttpStream> {
    const { timeoutMs, signal = null } = call;
    const limits = { signal, headersTimeout: timeoutMs, bodyTimeout: timeoutMs };
    return this.#exchange<HttpAnswer | HttpStream>(call, limits, async (response) => {
      const head = headOf(response);
      if (!isStream(head)) return this.#read(response);
      return { kind: 'stream', ...head, stream: response.body };
    });
  }

  async #exchange<T>(
    call: HttpCall,
    limits: Limits,
    take: (response: Dispatcher.ResponseData<unknown>) => Promise<T>,
  ): Promise<T | HttpFailure> {
    const { method, alone = false } = call;
    const target = new URL(call.url);
    const content = contentOf(call);
    const { dispatcher } = alone ? this.#alone : this.#kept;
    const sendStart: SendStart = { begun: false };
    const options = { method, ...content, ...limits, dispatcher, opaque: sendStart };
    try {
      if (this.#publicOnly) await this.#refuseOthers(target);
      const answer = request(target, options);
      return await take(await untilAborted(answer, limits.signal));
    } catch (error) {
      const trouble = troubleOf(error, call);
      if (trouble === undefined) throw error;
      const proxy = proxyFor(target, this.#proxies);
      return {
        kind: sendStart.begun ? 'no_answer' : 'not_sent',
        code: trouble.code,
        detail:
          proxy === undefined
            ? trouble.text
            : `${trouble.text} (through the proxy ${proxyName(proxy)})`,
        proxy: proxy && { name: proxyName(proxy), status: proxyStatusOf(trouble.text) },
      };
    }
  }

  /** What the lookup of a connection does not see: an address in place of a name, and names that a proxy looks up. */
  async #refuseOthers(target: URL): Promise<void> {
    const refusal = addressRefusal(target.hostname);
    if (refusal !== undefined) throw refusal;
    if (proxyFor(target, this.#proxies) !== undefined) await untilFoundPublic(target.hostname);
  }

  async #read(response: Dispatcher.ResponseData<unknown>): Promise<HttpAnswer> {
    const { status, headers } = headOf(response);
    const text = await readText(response.body, this.#answerBytesMax);
    const body = parseJson(text);
    return {
      kind: 'answer',
      status,
      headers,
      body,
      form: formOf(text, body),
      retryAfterSecs: secondsOf(headers['retry-after']),
      dateMs: timeOf(headers['date']),
    };
  }
}

/** Aborts when the time of a call is over, or with the call's own signal. `AbortSignal.any` takes twice as long. */
function limitOf({ timeoutMs, signal: stop }: HttpCall) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new TimeIsOver()), timeoutMs);
  const abort = () => controller.abort(stop?.reason);
  if (stop?.aborted === true) abort();
  stop?.addEventListener('abort', abort);
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer);
      stop?.removeEventListener('abort', abort);
    },
  };
}

/**
 * Rejects as soon as `signal` aborts. While a connection is being opened, undici itself ends an aborted call only
 * when the connection is open or has failed. It sends nothing of the call then.
 */
function untilAborted<T>(answer: Promise<T>, signal: AbortSignal | null): Promise<T> {
  if (signal === null) return answer;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort);
    const forget = () => signal.removeEventListener('abort', abort);
    void answer.then(resolve, reject).finally(forget);
  });
}

// ---------------------------------------------------------------- what is sent

/** Whether the sending of a request has begun. It is passed to undici as the request's `opaque` value. */
interface SendStart {
  begun: boolean;
}

/**
 * Notes when the sending of a request begins. undici starts a request when its connection is open, proxy and TLS
 * included. An error before that means that nothing was sent. After that it is not known what was sent.
 */
function notingSendStarts(dispatch: Dispatcher.Dispatch): Dispatcher.Dispatch {
  return (options, handler) => {
    const { opaque: sendStart } = options as Dispatcher.RequestOptions<SendStart>;
    return dispatch(options, {
      onRequestStart(controller, context) {
        handler.onRequestStart?.(controller, context);
        // A request that was stopped meanwhile is not sent.
        if (sendStart !== undefined) sendStart.begun ||= !controller.aborted;
      },
      onResponseStart: (...answer) => handler.onResponseStart?.(...answer),
      onResponseData: (...chunk) => handler.onResponseData?.(...chunk),
      onResponseEnd: (...end) => handler.onResponseEnd?.(...end),
      onResponseError: (...error) => handler.onResponseError?.(...error),
    });
  };
}

function contentOf({ headers = {}, json, text, form }: HttpCall) {
  if (json !== undefined) {
    const all = { 'content-type': 'application/json', ...headers };
    return { headers: all, body: JSON.stringify(json) };
  }
  return { headers, body: text ?? (form === undefined ? null : formData(form)) };
}

function formData(parts: readonly FormPart[]): FormData {
  const data = new FormData();
  for (const { name, value, fileName } of parts) {
    if (typeof value === 'string') data.append(name, value);
    else data.append(name, new Blob([value]), fileName);
  }
  return data;
}

// ---------------------------------------------------------------- what comes back

function headOf({ statusCode, headers: raw }: Dispatcher.ResponseData<unknown>): Head {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(raw)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return { status: statusCode, headers };
}

class TimeIsOver extends Error {
  override readonly name = 'TimeIsOver';
}

class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge';

  constructor(bytesMax: number) {
    super(`its answer is larger than ${bytesMax / 1024 ** 2} MB`);
  }
}

async function readText(body: AsyncIterable<Buffer>, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    // Leaving the loop by a throw destroys the body, and with it the connection.
    if (bytes > bytesMax) throw new AnswerTooLarge(bytesMax);
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // The caller decides by the status what this means.
  }
}

function formOf(text: string, parsed: unknown): HttpAnswer['form'] {
  if (parsed !== undefined) return 'json';
  if (text.trim() === '') return 'empty';
  return /^\s*</.test(text) ? 'html' : 'other';
}

function secondsOf(header: string | undefined): number | undefined {
  const value = Number(header);
  return header !== undefined && Number.isFinite(value) && value >= 0 ? value : undefined;
}

function timeOf(header: string | undefined): number | undefined {
  const atMs = header === undefined ? NaN : Date.parse(header);
  return Number.isNaN(atMs) ? undefined : atMs;
}

// ---------------------------------------------------------------- what went wrong

/** Undefined for a bug: the cause is neither the network nor the other side. */
function troubleOf(
  error: unknown,
  { timeoutMs, signal }: HttpCall,
): { readonly code: string; readonly text: string } | undefined {
  if (error instanceof AnswerTooLarge) return { code: TOO_LARGE, text: error.message };
  if (error instanceof TimeIsOver) {
    return { code: TIMED_OUT, text: `no whole answer within ${timeoutMs / 1000} s` };
  }
  if (signal?.aborted === true) return { code: STOPPED, text: errorText(error) };
  const code = codeOf(error);
  if (code === undefined || MISUSE.has(code)) return undefined;
  // If all of several addresses fail, the error has no text of its own.
  return { code, text: errorText(error) || code };
}

function codeOf(error: unknown): string | undefined {
  const { code } = error as { readonly code?: unknown };
  if (typeof code === 'string') return code;
  // The error for an answer that is not HTTP may have no code.
  return error instanceof errors.HTTPParserError ? error.name : undefined;
}

function proxyStatusOf(text: string): number | undefined {
  const [, status] = /^Proxy response \((\d+)\)/.exec(text) ?? [];
  return status === undefined ? undefined : Number(status);
}
