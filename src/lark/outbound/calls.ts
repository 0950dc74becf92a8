/** One call of Lark's API: its turn in the line, a token, the SDK, and the outcome as a value. */
import { errorText, BridgeError } from '../../core/errors.ts';
import type { AppId } from '../../core/ids.ts';
import type { Secret } from '../../core/secret.ts';
import type { CallBroker, CallSpec, Worked } from './broker.ts';
import { judgeRefusal, type Refusal, type Tried } from '../codes.ts';
import { CallFailed, createHttpInstance } from './http-instance.ts';
import type { LarkHttp } from './http.ts';
import { type Client, loadSdk, type Logger, SDK_SOURCE } from '../sdk.ts';
import type { TokenSource } from './token.ts';
import type { CallPriority } from '../../bridge/ports.ts';

export interface CallerOptions {
  readonly http: LarkHttp;
  readonly openBaseUrl: string;
  readonly appId: AppId;
  readonly appSecret: Secret;
  readonly tokens: TokenSource;
  readonly broker: CallBroker;
  readonly logger: Logger;
  /** Called for a second request of the same call, which the broker does not see. */
  readonly countCall?: (priority: CallPriority) => void;
}

export type CallResult<T> = { readonly ok: true; readonly body: T } | Refusal;

/** What the SDK's methods take as their second argument. */
export interface Authorization {
  readonly headers: Record<string, string>;
}

export type Send<T> = (client: Client, authorization: Authorization) => Promise<T>;

export interface Caller {
  call<T>(spec: CallSpec, tried: Tried, send: Send<T>): Promise<CallResult<T>>;
}

export function createCaller(options: CallerOptions): Caller {
  const { tokens, broker } = options;
  let client: Client | undefined;

  async function attempt<T>(token: Secret, tried: Tried, send: Send<T>): Promise<CallResult<T>> {
    client ??= createClient(options);
    try {
      const headers = { Authorization: `Bearer ${token.reveal()}` };
      return { ok: true, body: await send(client, { headers }) };
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      return judgeRefusal(error.outcome, tried);
    }
  }

  async function withToken<T>(spec: CallSpec, tried: Tried, send: Send<T>): Promise<CallResult<T>> {
    const first = await tokens.get();
    if (!first.ok) return first;
    const result = await attempt(first.token, tried, send);
    if (result.ok || result.token !== true) return result;
    // Revoked before its time; Lark did nothing, so the same call may go out again at once.
    tokens.drop(first.token);
    const second = await tokens.get();
    if (!second.ok) return second;
    options.countCall?.(spec.priority);
    return attempt(second.token, tried, send);
  }

  return {
    async call(spec, tried, send) {
      try {
        return await broker.run(spec, async () => paced(await withToken(spec, tried, send)));
      } catch (error) {
        // The line is full or closed: nothing was sent.
        if (!(error instanceof BridgeError)) throw error;
        return { ok: false, action: 'retry', code: undefined, detail: errorText(error) };
      }
    },
  };
}

function paced<T>(result: CallResult<T>): Worked<CallResult<T>> {
  if (result.ok || result.coolDown === undefined) return { value: result };
  const durationMs = result.retryAfterMs ?? 0;
  return { value: result, coolDown: { scope: result.coolDown, durationMs } };
}

function createClient(options: CallerOptions): Client {
  const sdk = loadSdk();
  return new sdk.Client({
    appId: options.appId,
    appSecret: options.appSecret.reveal(),
    domain: options.openBaseUrl,
    source: SDK_SOURCE,
    // Ours renew early, once for all, and after a refusal; the SDK's do none of it.
    disableTokenCache: true,
    httpInstance: createHttpInstance(options.http),
    logger: withoutFailedCalls(options.logger),
    loggerLevel: sdk.LoggerLevel.info,
  });
}

/** The SDK logs what it throws. A failed call is told by whoever made it, who knows what it was for. */
function withoutFailedCalls(logger: Logger): Logger {
  return {
    ...logger,
    error: (...parts: unknown[]) => {
      if (!parts.flat(2).every((part) => part instanceof CallFailed)) void logger.error(...parts);
    },
  };
}
