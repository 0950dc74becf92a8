/** HTTP calls on undici. Every outcome is a value that says whether the request left this machine. */
import { type Agent, type Dispatcher, errors, FormData, request } from 'undici';
import { errorText } from '../core/errors.ts';
import { createHttpWays, type HttpWays } from './dispatcher.ts';
import { proxyFor, proxyName, type ProxySettings } from './proxy.ts';
import { trustOnly } from './tls.ts';

export interface HttpOptions {
  /** Without any, every call goes the direct way. */
  readonly proxies?: ProxySettings;
  /** For name, route and TLS; less than a call may take, so that "not sent" can be told from "no answer". */
  readonly connectTimeoutMs: number;
  /** An answer beyond this is not read to its end. One that is handed over as a stream has no bound here. */
  readonly answerBytesMax: number;
  /** How long a connection is kept that nobody uses; undici's own value unless told. */
  readonly keptMs?: number;
  /** The only certificate to trust, whatever name it carries; for a server of our own. */
  readonly certificatePem?: string | undefined;
  /** Every call goes through this socket of the machine, whatever host its URL names. */
  readonly socketPath?: string;
}

/** With at most one of `json`, `text` and `form`. */
export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** A body to send as it is; `headers` say what it is. */
  readonly text?: string;
  readonly form?: readonly FormPart[];
  /** For the whole call; for one that may be answered by a stream, the longest time without a byte. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /**
   * Over a connection of its own: a kept one may be closed by the other side at this very moment, and then
   * nobody knows whether the call arrived.
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
  /** Parsed JSON; undefined if the body is something else (a proxy's HTML page, say). */
  readonly body: unknown;
  /** What the body was. */
  readonly form: 'json' | 'html' | 'empty' | 'other';
  readonly retryAfterSecs: number | undefined;
  /** The other side's clock, if it said. */
  readonly dateMs: number | undefined;
}

/** An answer that is read by whoever asked for it. What goes wrong from here on is thrown there. */
export interface HttpStream extends Head {
  readonly kind: 'stream';
  readonly stream: Dispatcher.ResponseData<unknown>['body'];
}

export type HttpFailure =
  /** Nothing left this machine: the call may be repeated freely. */
  | ({ readonly kind: 'not_sent' } & Trouble)
  /** It began to leave and no whole answer came: it may have been carried out. */
  | ({ readonly kind: 'no_answer' } & Trouble);

interface Trouble {
  /** Names the failure as Node and undici do; `TIMED_OUT`, `TOO_LARGE` and `STOPPED` are ours. */
  readonly code: string;
  /** In words, for logs and operators. */
  readonly detail: string;
  /** The one on the way, which may be what is at fault. */
  readonly proxy: FailedProxy | undefined;
}

interface FailedProxy {
  /** Without user and password. */
  readonly name: string;
  /** What it answered instead of opening the way. */
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

/** What undici says of a call that can't be made at all: a bug of the caller, not the network's fault. */
const MISUSE: ReadonlySet<string> = new Set(['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED']);

export class HttpClient {
  readonly #proxies: ProxySettings;
  readonly #answerBytesMax: number;
  readonly #kept: HttpWays;
  readonly #alone: HttpWays;

  constructor(options: HttpOptions) {
    const { proxies = {}, connectTimeoutMs, keptMs, certificatePem, socketPath } = options;
    const agent: Agent.Options = {
      connect: {
        timeout: connectTimeoutMs,
        ...(certificatePem === undefined ? {} : trustOnly(certificatePem)),
        ...(socketPath === undefined ? {} : { socketPath }),
      },
      ...(keptMs === undefined ? {} : { keepAliveTimeout: keptMs }),
    };
    this.#proxies = proxies;
    this.#answerBytesMax = options.answerBytesMax;
    this.#kept = createHttpWays(agent, proxies, [notingDepartures]);
    this.#alone = createHttpWays({ ...agent, pipelining: 0 }, proxies, [notingDepartures]);
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    await Promise.all([this.#kept.destroy(), this.#alone.destroy()]);
  }

  /** Rejects only for a bug in the call itself. */
  async call(call: HttpCall): Promise<HttpResult> {
    const limit = limitOf(call);
    // undici's own limits would cut a long answer of a slow agent.
    const limits = { signal: limit.signal, headersTimeout: 0, bodyTimeout: 0 };
    try {
      return await this.#exchange(call, limits, (response) => this.#read(response));
    } finally {
      limit.end();
    }
  }

  /** As `call`; an answer of which `isStream` says yes is handed over unread, and may go on for long. */
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
    const departure: Departure = { begun: false };
    const options = { method, ...content, ...limits, dispatcher, opaque: departure };
    try {
      const answer = request(target, options);
      return await take(await orAborted(answer, limits.signal));
    } catch (error) {
      const trouble = troubleOf(error, call);
      if (trouble === undefined) throw error;
      const proxy = proxyFor(target, this.#proxies);
      return {
        kind: departure.begun ? 'no_answer' : 'not_sent',
        code: trouble.code,
        detail:
          proxy === undefined
            ? trouble.text
            : `${trouble.text} (through the proxy ${proxyName(proxy)})`,
        proxy: proxy && { name: proxyName(proxy), status: proxyStatusOf(trouble.text) },
      };
    }
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

/** Aborts when the time of a call is over, or with its own signal. Half the price of `AbortSignal.any`. */
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
 * undici ends a call that waits for its connection only when that is up, or its time for that is over. It
 * writes nothing of it then.
 */
function orAborted<T>(answer: Promise<T>, signal: AbortSignal | null): Promise<T> {
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

/** Whether a request has begun to leave. It goes along as what undici calls the opaque of a request. */
interface Departure {
  begun: boolean;
}

/**
 * Notes when a request begins to leave: undici starts it when the connection is up, with proxy and TLS, and
 * writes it then. Until then nothing has left, whatever the error is called; from then on nobody can say.
 */
function notingDepartures(dispatch: Dispatcher.Dispatch): Dispatcher.Dispatch {
  return (options, handler) => {
    const { opaque: departure } = options as Dispatcher.RequestOptions<Departure>;
    return dispatch(options, {
      onRequestStart(controller, context) {
        handler.onRequestStart?.(controller, context);
        // Who was stopped meanwhile ends here.
        if (departure !== undefined) departure.begun ||= !controller.aborted;
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
    return undefined; // What that means is for the reader of the status to say.
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

/** Undefined for what is neither the network nor the other side: a bug. */
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
  // Trying several addresses in vain makes an error without words of its own.
  return { code, text: errorText(error) || code };
}

function codeOf(error: unknown): string | undefined {
  const { code } = error as { readonly code?: unknown };
  if (typeof code === 'string') return code;
  // What speaks no HTTP at all has only a name.
  return error instanceof errors.HTTPParserError ? error.name : undefined;
}

function proxyStatusOf(text: string): number | undefined {
  const [, status] = /^Proxy response \((\d+)\)/.exec(text) ?? [];
  return status === undefined ? undefined : Number(status);
}
