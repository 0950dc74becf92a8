import { Agent, EnvHttpProxyAgent, request, type Dispatcher } from 'undici';
import { errorText } from '../core/errors.ts';

/** The platform's own bound for answers (MOL-RES-12). */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;

export interface Proxies {
  readonly httpProxy: string | undefined;
  readonly httpsProxy: string | undefined;
  readonly noProxy: string | undefined;
}

export interface HttpCall {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export type HttpResult =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly retryAfterSecs: number | undefined;
      /** Parsed JSON; undefined if the body is empty or something else. */
      readonly body: unknown;
    }
  /** Nothing left this machine: the call may be repeated freely. */
  | { readonly kind: 'not_sent'; readonly detail: string }
  /** It left, and no whole answer came. */
  | { readonly kind: 'no_answer'; readonly detail: string };

/** Errors that mean that no connection came about. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

export class Http {
  readonly #dispatcher: Dispatcher;

  /** `certificatePem`: the only one to trust, whatever name it carries; for a server of our own. */
  constructor(proxies: Proxies, certificatePem?: string) {
    const own =
      certificatePem === undefined
        ? {}
        : { ca: certificatePem, checkServerIdentity: () => undefined };
    const options = {
      connect: { timeout: CONNECT_TIMEOUT_MS, ...own },
      maxResponseSize: ANSWER_BYTES_MAX,
      keepAliveTimeout: 30_000,
      // Time limits are the caller's; undici's own would cut a long answer of a slow agent.
      headersTimeout: 0,
      bodyTimeout: 0,
    };
    const proxied = proxies.httpProxy ?? proxies.httpsProxy;
    this.#dispatcher =
      proxied === undefined
        ? new Agent(options)
        : new EnvHttpProxyAgent({
            ...options,
            ...(proxies.httpProxy === undefined ? {} : { httpProxy: proxies.httpProxy }),
            ...(proxies.httpsProxy === undefined ? {} : { httpsProxy: proxies.httpsProxy }),
            ...(proxies.noProxy === undefined ? {} : { noProxy: proxies.noProxy }),
          });
  }

  async close(): Promise<void> {
    await this.#dispatcher.destroy();
  }

  /** Never rejects for what the network or the other side does. */
  async call({ method, url, headers, body, timeoutMs, signal }: HttpCall): Promise<HttpResult> {
    try {
      const answer = await request(url, {
        method,
        headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        dispatcher: this.#dispatcher,
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      });
      const text = await answer.body.text();
      return {
        kind: 'answer',
        status: answer.statusCode,
        retryAfterSecs: seconds(answer.headers['retry-after']),
        body: parseJson(text),
      };
    } catch (error) {
      const detail = errorText(error);
      return NOT_SENT.has(codeOf(error))
        ? { kind: 'not_sent', detail }
        : { kind: 'no_answer', detail };
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // HTML of a proxy, or nothing at all: the caller judges by the status.
    return undefined;
  }
}

function seconds(header: string | string[] | undefined): number | undefined {
  const value = Number(header);
  return header !== undefined && Number.isFinite(value) && value >= 0 ? value : undefined;
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' ? code : '';
}
