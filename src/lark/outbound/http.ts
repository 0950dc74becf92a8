/** HTTP to Lark on undici. Every outcome is a value that says how much is known about it. */
import { type FormData, request as send } from 'undici';
import { errorText } from '../../core/errors.ts';
import { createHttpWays } from '../../net/dispatcher.ts';
import { proxyFor, proxyName, type ProxySettings } from '../../net/proxy.ts';

/** The official SDK sends REST calls without any limit of its own. */
const LARK_CALL_TIMEOUT_MS = 15_000;
/** An answer of Lark beyond this is not read to its end. A page of history can hold 50 long messages. */
const LARK_ANSWER_BYTES_MAX = 16 * 1024 * 1024;
/** TCP and TLS to Lark; shorter than a call, so that "nothing was sent" can be told from "no answer". */
const LARK_CONNECT_TIMEOUT_MS = 8_000;

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly form?: FormData;
  /** A body to send as it is; `headers` say what it is. */
  readonly text?: string;
  /** Hand over the body of a 2xx answer as a stream instead of reading it as JSON. */
  readonly stream?: boolean;
}

export interface HttpAnswer {
  readonly kind: 'answered';
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** What the JSON said; undefined if it was none (a proxy's HTML page, say). A stream if asked for. */
  readonly body: unknown;
}

/** `code` names the failure, as Node and undici call it. */
export type HttpOutcome =
  | HttpAnswer
  /** Nothing left this machine that Lark could have acted on. */
  | { readonly kind: 'not_sent'; readonly detail: string; readonly code?: string }
  /** The request left and no usable answer came: it may have been carried out. */
  | { readonly kind: 'no_answer'; readonly detail: string; readonly code?: string };

export interface LarkHttp {
  /** Rejects only for a bug in the request itself. */
  call(request: HttpRequest): Promise<HttpOutcome>;
  /** Ends what is under way. */
  close(): Promise<void>;
}

export interface HttpOptions {
  readonly proxy?: ProxySettings;
  readonly callTimeoutMs?: number;
  readonly answerBytesMax?: number;
}

export function createHttp(options: HttpOptions = {}): LarkHttp {
  const timeoutMs = options.callTimeoutMs ?? LARK_CALL_TIMEOUT_MS;
  const bytesMax = options.answerBytesMax ?? LARK_ANSWER_BYTES_MAX;
  const proxies = options.proxy ?? {};
  const ways = createHttpWays(
    {
      connect: { timeout: Math.min(LARK_CONNECT_TIMEOUT_MS, timeoutMs) },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    },
    proxies,
  );

  async function exchange(request: HttpRequest): Promise<HttpAnswer> {
    const answer = await send(request.url, {
      dispatcher: ways.dispatcher,
      method: request.method,
      headers: {
        accept: 'application/json',
        ...(request.json === undefined ? {} : { 'content-type': 'application/json' }),
        ...request.headers,
      },
      body:
        request.json === undefined
          ? (request.text ?? request.form ?? null)
          : JSON.stringify(request.json),
      // A stream may run for longer than a call; then the time without a byte is what counts.
      signal: request.stream === true ? null : AbortSignal.timeout(timeoutMs),
    });
    const headers = flatHeaders(answer.headers);
    const streamed = request.stream === true && answer.statusCode < 300;
    const body: unknown = streamed ? answer.body : parseJson(await readText(answer.body, bytesMax));
    return { kind: 'answered', status: answer.statusCode, headers, body };
  }

  return {
    async call(request) {
      try {
        return await exchange(request);
      } catch (error) {
        const trouble = networkTrouble(error);
        if (trouble === undefined) throw error;
        const { code, sent } = trouble;
        const detail = `${code} (${wayTo(new URL(request.url), proxies, error)})`;
        return { kind: sent ? 'no_answer' : 'not_sent', detail, code };
      }
    },
    close: () => ways.destroy(),
  };
}

/** The host, and the proxy on the way to it, which may be what is at fault. */
function wayTo(target: URL, proxies: ProxySettings, error: unknown): string {
  const proxy = proxyFor(target, proxies);
  if (proxy === undefined) return target.host;
  const [, status] = /^Proxy response \((\d+)\)/.exec(errorText(error)) ?? [];
  const answered = status === undefined ? '' : `, which answered ${status}`;
  return `${target.host} through the proxy ${proxyName(proxy)}${answered}`;
}

const TOO_LARGE = 'ANSWER_TOO_LARGE';

async function readText(body: AsyncIterable<unknown>, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    const buffer = chunk as Buffer;
    bytes += buffer.byteLength;
    // Leaving the loop by a throw destroys the body, and with it the connection.
    if (bytes > bytesMax) throw Object.assign(new Error('answer too large'), { code: TOO_LARGE });
    chunks.push(buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // Not Lark's form: what that means is for the reader of the status to say.
  }
}

function flatHeaders(raw: Record<string, string | string[] | undefined>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(raw)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}

/** Codes of failures before the request line: name, route, TCP, TLS, proxy, or a client already closed. */
const BEFORE_SENDING =
  /^(ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|EADDRNOTAVAIL|EPROTO|UND_ERR_CONNECT_TIMEOUT|UND_ERR_PRX_TLS|UND_ERR_CLOSED|UND_ERR_DESTROYED|UND_ERR_ABORTED|ERR_TLS_\w+|ERR_SSL_\w+|\w*CERT\w*|UNABLE_TO_\w+|HOSTNAME_MISMATCH)$/;
const AFTER_SENDING =
  /^(ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|UND_ERR_SOCKET|UND_ERR_HEADERS_TIMEOUT|UND_ERR_HEADERS_OVERFLOW|UND_ERR_BODY_TIMEOUT|UND_ERR_RES_CONTENT_LENGTH_MISMATCH|UND_ERR_INFO|HPE_\w+|ANSWER_TOO_LARGE|ABORT_ERR)$/;

function networkTrouble(error: unknown): { code: string; sent: boolean } | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.name === 'TimeoutError') return { code: 'timed out', sent: true };
  const { code = '', syscall } = error as NodeJS.ErrnoException;
  if (BEFORE_SENDING.test(code) || syscall === 'connect') {
    return { code, sent: false };
  }
  return AFTER_SENDING.test(code) ? { code, sent: true } : undefined;
}
