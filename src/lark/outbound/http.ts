/** HTTP to Lark: its bounds, and its trouble in words that name the host. */
import {
  type HttpAnswer as Answer,
  type HttpCall,
  HttpClient,
  type HttpFailure,
} from '../../net/http.ts';
import type { ProxySettings } from '../../net/proxy.ts';

/** The official SDK sends REST calls without any limit of its own. */
const LARK_CALL_TIMEOUT_MS = 15_000;
/** An answer of Lark beyond this is not read to its end. A page of history can hold 50 long messages. */
const LARK_ANSWER_BYTES_MAX = 16 * 1024 * 1024;
/** TCP and TLS to Lark; shorter than a call, so that "nothing was sent" can be told from "no answer". */
const LARK_CONNECT_TIMEOUT_MS = 8_000;

export interface HttpRequest extends Omit<HttpCall, 'timeoutMs' | 'signal' | 'alone'> {
  /** Hand over the body of a 2xx answer as a stream instead of reading it as JSON. */
  readonly stream?: boolean;
}

export interface HttpAnswer extends Pick<Answer, 'status' | 'headers'> {
  readonly kind: 'answered';
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
  const { proxy = {}, callTimeoutMs: timeoutMs = LARK_CALL_TIMEOUT_MS } = options;
  const client = new HttpClient({
    proxies: proxy,
    connectTimeoutMs: Math.min(LARK_CONNECT_TIMEOUT_MS, timeoutMs),
    answerBytesMax: options.answerBytesMax ?? LARK_ANSWER_BYTES_MAX,
  });
  return {
    async call({ stream = false, ...request }) {
      const headers = { accept: 'application/json', ...request.headers };
      const call = { ...request, headers, timeoutMs };
      const result = stream ? await client.open(call, isSuccess) : await client.call(call);
      if (result.kind === 'not_sent' || result.kind === 'no_answer') {
        const { kind, code } = result;
        return { kind, code, detail: `${code} (${wayOf(result, new URL(request.url))})` };
      }
      const body = result.kind === 'stream' ? result.stream : result.body;
      return { kind: 'answered', status: result.status, headers: result.headers, body };
    },
    close: () => client.close(),
  };
}

function isSuccess({ status }: Pick<HttpAnswer, 'status'>): boolean {
  return status < 300;
}

/** The host, and the proxy on the way to it, which may be what is at fault. */
function wayOf({ proxy }: HttpFailure, { host }: URL): string {
  if (proxy === undefined) return host;
  const answered = proxy.status === undefined ? '' : `, which answered ${proxy.status}`;
  return `${host} through the proxy ${proxy.name}${answered}`;
}
