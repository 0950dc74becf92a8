/** HTTP to Lark, with its bounds, and with error texts that name the host. */
import {
  type HttpAnswer as Answer,
  type HttpCall,
  HttpClient,
  type HttpFailure,
} from '../../net/http.ts';
import type { ProxySettings } from '../../net/proxy.ts';

/** The official SDK sets no time limit for REST calls. */
const LARK_CALL_TIMEOUT_MS = 15_000;
/** 30 MB at 2 Mbit/s. */
const LARK_UPLOAD_TIMEOUT_MS = 120_000;
/** A larger answer of Lark is not read to its end. A page of history can contain 50 long messages. */
const LARK_ANSWER_BYTES_MAX = 16 * 1024 * 1024;
/** For TCP and TLS to Lark. Shorter than a call, so that "nothing was sent" can be told from "no answer". */
const LARK_CONNECT_TIMEOUT_MS = 8_000;

export interface HttpRequest extends Omit<HttpCall, 'timeoutMs' | 'signal' | 'alone'> {
  /** Returns the body of a 2xx answer as a stream instead of reading it as JSON. */
  readonly stream?: boolean;
}

export interface HttpAnswer extends Pick<Answer, 'status' | 'headers'> {
  readonly kind: 'answered';
  /** The parsed JSON, or a stream if the request asked for it. Undefined if it was no JSON, such as a proxy's HTML page. */
  readonly body: unknown;
}

/** `code` is the code of the failure from Node or undici. */
export type HttpOutcome =
  | HttpAnswer
  /** Nothing was sent, so Lark did nothing. */
  | { readonly kind: 'not_sent'; readonly detail: string; readonly code?: string }
  /** The request was sent and no usable answer came: Lark may have carried it out. */
  | { readonly kind: 'no_answer'; readonly detail: string; readonly code?: string };

export interface LarkHttp {
  /** Rejects only for a bug in the request itself. */
  call(request: HttpRequest): Promise<HttpOutcome>;
  /** Ends all calls that run. */
  close(): Promise<void>;
}

export interface HttpOptions {
  readonly proxy?: ProxySettings;
  readonly callTimeoutMs?: number;
  readonly answerBytesMax?: number;
}

export function createHttp(options: HttpOptions = {}): LarkHttp {
  const { proxy = {}, callTimeoutMs = LARK_CALL_TIMEOUT_MS } = options;
  const uploadTimeoutMs = options.callTimeoutMs ?? LARK_UPLOAD_TIMEOUT_MS;
  const client = new HttpClient({
    proxies: proxy,
    connectTimeoutMs: Math.min(LARK_CONNECT_TIMEOUT_MS, callTimeoutMs),
    answerBytesMax: options.answerBytesMax ?? LARK_ANSWER_BYTES_MAX,
  });
  return {
    async call({ stream = false, ...request }) {
      const timeoutMs = request.form === undefined ? callTimeoutMs : uploadTimeoutMs;
      const headers = { accept: 'application/json', ...request.headers };
      const call = { ...request, headers, timeoutMs };
      const result = stream ? await client.open(call, isSuccess) : await client.call(call);
      if (result.kind === 'not_sent' || result.kind === 'no_answer') {
        const { kind, code } = result;
        return { kind, code, detail: `${code} (${routeText(result, new URL(request.url))})` };
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

/** The host, and the proxy that was used, because the proxy may be the cause. */
function routeText({ proxy }: HttpFailure, { host }: URL): string {
  if (proxy === undefined) return host;
  const answered = proxy.status === undefined ? '' : `, which answered ${proxy.status}`;
  return `${host} through the proxy ${proxy.name}${answered}`;
}
