import { type Agent, type Dispatcher, request } from 'undici';
import { errorText } from '../core/errors.ts';
import { createHttpWays, type HttpWays } from '../net/dispatcher.ts';
import { proxyFor, proxyName, type ProxySettings } from '../net/proxy.ts';

/** The platform's own bound for answers (MOL-RES-12). */
export const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;

export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /**
   * Over a connection of its own: a kept one may be closed by the other side at this very moment, and then
   * nobody knows whether the call arrived.
   */
  readonly alone?: boolean;
}

export interface HttpAnswer {
  readonly kind: 'answer';
  readonly status: number;
  readonly retryAfterSecs: number | undefined;
  /** Parsed JSON; undefined if the body is something else. */
  readonly body: unknown;
  /** What the body was. */
  readonly form: 'json' | 'html' | 'empty' | 'other';
  /** The other side's clock, if it said. */
  readonly dateMs: number | undefined;
}

export type HttpResult =
  | HttpAnswer
  /** Nothing left this machine: the call may be repeated freely. */
  | { readonly kind: 'not_sent'; readonly detail: string }
  /** It may have left, and no whole answer came. */
  | { readonly kind: 'no_answer'; readonly detail: string; readonly tooLarge?: boolean };

type Body = NonNullable<Dispatcher.DispatchOptions['body']>;

export class Http {
  readonly #proxies: ProxySettings;
  readonly #kept: HttpWays;
  readonly #alone: HttpWays;

  /** `certificatePem`: the only one to trust, whatever name it carries; for a server of our own. */
  constructor(proxies: ProxySettings, certificatePem?: string) {
    const own =
      certificatePem === undefined
        ? {}
        : { ca: certificatePem, checkServerIdentity: () => undefined };
    this.#proxies = proxies;
    const options: Agent.Options = {
      connect: { timeout: CONNECT_TIMEOUT_MS, ...own },
      maxResponseSize: ANSWER_BYTES_MAX,
      keepAliveTimeout: 30_000,
      // Time limits are the caller's; undici's own would cut a long answer of a slow agent.
      headersTimeout: 0,
      bodyTimeout: 0,
    };
    this.#kept = createHttpWays(options, proxies);
    this.#alone = createHttpWays({ ...options, pipelining: 0 }, proxies);
  }

  async close(): Promise<void> {
    await Promise.all([this.#kept.destroy(), this.#alone.destroy()]);
  }

  /** Never rejects for what the network or the other side does. */
  async call({ signal, timeoutMs, ...call }: HttpCall): Promise<HttpResult> {
    const timeout = AbortSignal.timeout(timeoutMs);
    const end = AbortSignal.any([signal, timeout]);
    let sent = call.body === undefined;
    const began = () => {
      sent = true;
    };
    try {
      return await orAborted(this.#exchange(call, { signal: end, began }), end);
    } catch (error) {
      const tooLarge = codeOf(error) === 'UND_ERR_RES_EXCEEDED_MAX_SIZE';
      if (tooLarge) {
        const detail = `its answer is larger than ${ANSWER_BYTES_MAX / 1024 ** 2} MB`;
        return { kind: 'no_answer', detail, tooLarge };
      }
      const late = timeout.aborted && !signal.aborted;
      const trouble = late ? `no whole answer within ${timeoutMs / 1000} s` : troubleOf(error);
      const proxy = proxyFor(new URL(call.url), this.#proxies);
      const detail =
        proxy === undefined ? trouble : `${trouble} (through the proxy ${proxyName(proxy)})`;
      return { kind: sent ? 'no_answer' : 'not_sent', detail };
    }
  }

  async #exchange(
    { method, url, headers, body, alone = false }: Omit<HttpCall, 'signal' | 'timeoutMs'>,
    { signal, began }: { readonly signal: AbortSignal; readonly began: () => void },
  ): Promise<HttpAnswer> {
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const answer = await request(url, {
      method,
      headers:
        bytes === undefined
          ? headers
          : {
              ...headers,
              'content-type': 'application/json',
              'content-length': String(bytes.byteLength),
            },
      ...(bytes === undefined ? {} : { body: asked(bytes, began) }),
      dispatcher: (alone ? this.#alone : this.#kept).dispatcher,
      signal,
    });
    const text = await answer.body.text();
    const parsed = parseJson(text);
    return {
      kind: 'answer',
      status: answer.statusCode,
      retryAfterSecs: seconds(answer.headers['retry-after']),
      body: parsed,
      form: formOf(text, parsed),
      dateMs: time(answer.headers['date']),
    };
  }
}

/**
 * undici ends a call that waits for its connection only when that is up, or its time for that is over. It
 * writes nothing of it then.
 */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort);
    const forget = () => signal.removeEventListener('abort', abort);
    void work.then(resolve, reject).finally(forget);
  });
}

/**
 * A body that tells when it is asked for. A connection asks when it is up and begins to write, so that until
 * then nothing has left, whatever the error is called.
 */
function asked(bytes: Buffer, began: () => void): Body {
  function* once() {
    began();
    yield bytes;
  }
  // The types leave out that undici takes whatever can be iterated.
  return once() as unknown as Body;
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // HTML of a proxy, or nothing at all: the caller judges by the status.
    return undefined;
  }
}

function formOf(text: string, parsed: unknown): HttpAnswer['form'] {
  if (parsed !== undefined) return 'json';
  if (text.trim() === '') return 'empty';
  return /^\s*</.test(text) ? 'html' : 'other';
}

function seconds(header: string | string[] | undefined): number | undefined {
  const value = Number(header);
  return header !== undefined && Number.isFinite(value) && value >= 0 ? value : undefined;
}

function time(header: string | string[] | undefined): number | undefined {
  const atMs = typeof header === 'string' ? Date.parse(header) : NaN;
  return Number.isNaN(atMs) ? undefined : atMs;
}

export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' ? code : '';
}

/** Trying several addresses in vain makes an error without words of its own. */
function troubleOf(error: unknown): string {
  return errorText(error) || codeOf(error);
}

/** The hub did not say this, but something in front of it or in its place: nothing was delivered. */
export function isFromElsewhere({ status, form }: HttpAnswer): boolean {
  if (status >= 300 && status < 400) return true;
  return status === 404 ? form === 'empty' || form === 'html' : status < 300 && form === 'html';
}

const FORMS = {
  html: 'a web page',
  empty: 'no body',
  other: 'something that is not JSON',
} as const;

/** In words, for logs and operators. */
export function describe(result: HttpResult): string {
  if (result.kind !== 'answer') return result.detail;
  const { status, form, body } = result;
  const isRedirect = status >= 300 && status < 400;
  const said = (body as { error?: unknown } | null | undefined)?.error;
  if (typeof said === 'string' && said !== '') return `HTTP ${status}: ${said}`;
  if (isRedirect) return `HTTP ${status}, a redirect, which is not followed`;
  return form === 'json' ? `HTTP ${status}` : `HTTP ${status} with ${FORMS[form]}`;
}
