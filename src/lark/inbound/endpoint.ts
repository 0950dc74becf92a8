/** Asks Lark for the address of the long connection. We make this call, because the SDK loses the code of a refusal. */
import { headOf } from '../../text/cut.ts';
import { BridgeError } from '../../core/errors.ts';
import type { AppId } from '../../core/ids.ts';
import type { Secret } from '../../core/secret.ts';
import { codeOf, textOf } from '../codes.ts';
import type { HttpAnswer, LarkHttp } from '../outbound/http.ts';

export interface Endpoint {
  /** Holds a ticket: never to be logged. */
  readonly url: string;
  /** As Lark asks for it, before our bounds are applied. */
  readonly pingIntervalMs: number | undefined;
}

type EndpointResult =
  | { readonly ok: true; readonly endpoint: Endpoint }
  /** Another try does not help until somebody changes something. */
  | { readonly ok: false; readonly terminal: BridgeError }
  | { readonly ok: false; readonly terminal: undefined; readonly detail: string };

interface EndpointOptions {
  readonly http: LarkHttp;
  readonly openBaseUrl: string;
  readonly appId: AppId;
  readonly appSecret: Secret;
}

export async function requestEndpoint(options: EndpointOptions): Promise<EndpointResult> {
  const outcome = await options.http.call({
    method: 'POST',
    url: `${options.openBaseUrl}/callback/ws/endpoint`,
    // Lark takes the language of its messages from this header. The official SDK sends the same.
    headers: { locale: 'zh' },
    json: { AppID: options.appId, AppSecret: options.appSecret.reveal() },
  });
  if (outcome.kind !== 'answered') {
    return { ok: false, terminal: undefined, detail: `no connection address: ${outcome.detail}` };
  }
  const code = codeOf(outcome);
  if (code === 0) return parseEndpoint(outcome);
  if (code === undefined) {
    const detail = `no connection address: HTTP ${outcome.status} without a code of Lark`;
    return { ok: false, terminal: undefined, detail };
  }
  const detail = `Lark refused the connection: ${code} ${headOf(textOf(outcome), { chars: 200 })}`;
  const row = TERMINAL[code];
  if (row === undefined) return { ok: false, terminal: undefined, detail };
  return { ok: false, terminal: new BridgeError(row.error, detail, { next: row.next }) };
}

function parseEndpoint(answer: HttpAnswer): EndpointResult {
  const { data } = answer.body as { data?: { URL?: unknown; ClientConfig?: unknown } | null };
  const url = data?.URL;
  if (typeof url !== 'string' || !URL.canParse(url) || !/^wss?:/.test(url)) {
    return { ok: false, terminal: undefined, detail: 'Lark sent no usable connection address' };
  }
  const config = data?.ClientConfig as { PingInterval?: unknown } | null | undefined;
  const seconds = config?.PingInterval;
  return {
    ok: true,
    endpoint: { url, pingIntervalMs: typeof seconds === 'number' ? seconds * 1000 : undefined },
  };
}

const CHECK_CREDENTIALS = 'Check LARK_APP_ID and LARK_APP_SECRET, or run: lark-bridge connect';
const refused = { error: 'credentials_refused', next: CHECK_CREDENTIALS } as const;

/**
 * Codes after which Lark's own clients give up. After all others the bridge tries again without end: 1 (busy)
 * and 1000040343 (internal) are known to pass, and after an unknown one the bridge must not stay disconnected.
 */
const TERMINAL: Readonly<
  Record<number, { error: 'credentials_refused' | 'wrong_brand' | 'already_running'; next: string }>
> = {
  403: {
    error: 'credentials_refused',
    next: 'Check in the developer console that the app is enabled and receives events by long connection.',
  },
  514: refused,
  10003: refused,
  10014: refused,
  1000040344: refused,
  1000040350: {
    error: 'already_running',
    next: 'The app has 50 connections, and Lark allows no more. Stop other programs that use it.',
  },
  1000040351: {
    error: 'wrong_brand',
    next: 'Set LARK_BRAND to the other one (feishu or lark), or run: lark-bridge connect',
  },
};
