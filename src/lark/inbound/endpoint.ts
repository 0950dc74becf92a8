/** Asks Lark for the address of the long connection. We make this call, because the SDK loses the code of a refusal. */
import { headOf } from '../../text/cut.ts';
import { BridgeError } from '../../core/errors.ts';
import type { Text } from '../../core/language.ts';
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
  | { readonly ok: false; readonly terminal: BridgeError; readonly next: Text }
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
  const { error, next } = row;
  return { ok: false, terminal: new BridgeError(error, detail, { next: next.en }), next };
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

const CHECK_CREDENTIALS: Text = {
  en: 'Check LARK_APP_ID and LARK_APP_SECRET, or run: lark-bridge connect',
  zh: '请检查 LARK_APP_ID 和 LARK_APP_SECRET，或运行：lark-bridge connect',
};
const refused = { error: 'credentials_refused', next: CHECK_CREDENTIALS } as const;

/**
 * Codes after which Lark's own clients give up. After all others the bridge tries again without end: 1 (busy)
 * and 1000040343 (internal) are known to pass, and after an unknown one the bridge must not stay disconnected.
 */
const TERMINAL: Readonly<
  Record<number, { error: 'credentials_refused' | 'wrong_brand' | 'already_running'; next: Text }>
> = {
  403: {
    error: 'credentials_refused',
    next: {
      en: 'Check in the developer console that the app is enabled and receives events by long connection.',
      zh: '请在开发者后台检查应用是否已启用，并且使用长连接接收事件。',
    },
  },
  514: refused,
  10003: refused,
  10014: refused,
  1000040344: refused,
  1000040350: {
    error: 'already_running',
    next: {
      en: 'The app has 50 connections, and Lark allows no more. Stop other programs that use it.',
      zh: '这个应用已有 50 个连接，Lark 不允许更多。请停止使用它的其他程序。',
    },
  },
  1000040351: {
    error: 'wrong_brand',
    next: {
      en: 'Set LARK_BRAND to the other one (feishu or lark), or run: lark-bridge connect',
      zh: '请把 LARK_BRAND 改为另一个值（feishu 或 lark），或运行：lark-bridge connect',
    },
  },
};
