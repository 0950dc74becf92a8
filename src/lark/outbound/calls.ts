/** Calls Lark's API: waits for its turn, gets a token, uses the SDK, and returns the outcome as a value. */
import { errorText, BridgeError } from '../../core/errors.ts';
import type { AppId } from '../../core/ids.ts';
import type { Secret } from '../../core/secret.ts';
import type { CallBroker, CallSpec, Worked } from './broker.ts';
import { refusalOf, type Refusal, type Tried } from '../codes.ts';
import { CallFailed, createHttpInstance } from './http-instance.ts';
import type { LarkHttp } from './http.ts';
import { type Client, loadSdk, type Logger, SDK_SOURCE } from '../sdk.ts';
import type { TokenSource } from './token.ts';
import type { CallPriority } from '../../bridge/ports/delivery.ts';

export interface CallerOptions {
  readonly http: LarkHttp;
  readonly openBaseUrl: string;
  readonly appId: AppId;
  readonly appSecret: Secret;
  readonly tokens: TokenSource;
  readonly broker: CallBroker;
  readonly logger: Logger;
  /** Called for the second request of a call. The broker counts only the first one. */
  readonly countCall?: (priority: CallPriority) => void;
}

export type CallResult<T> = { readonly ok: true; readonly body: T } | Refusal;

/** What the SDK's methods take as their second argument. */
interface Authorization {
  readonly headers: Record<string, string>;
}

type Send<T> = (client: Client, authorization: Authorization) => Promise<T>;

export class Caller {
  readonly #options: CallerOptions;
  #client: Client | undefined;

  constructor(options: CallerOptions) {
    this.#options = options;
  }

  async call<T>(spec: CallSpec, tried: Tried, send: Send<T>): Promise<CallResult<T>> {
    const { broker } = this.#options;
    try {
      return await broker.run(spec, async () => paced(await this.#withToken(spec, tried, send)));
    } catch (error) {
      // Too many calls wait, or everything stops: nothing was sent.
      if (!(error instanceof BridgeError)) throw error;
      return { ok: false, action: 'retry', code: undefined, detail: errorText(error) };
    }
  }

  async #withToken<T>(spec: CallSpec, tried: Tried, send: Send<T>): Promise<CallResult<T>> {
    const { tokens, countCall } = this.#options;
    const first = await tokens.get();
    if (!first.ok) return first;
    const result = await this.#attempt(first.token, tried, send);
    if (result.ok || result.token !== true) return result;
    // Lark has revoked the token early and did nothing, so the same call may be sent again at once.
    tokens.drop(first.token);
    const second = await tokens.get();
    if (!second.ok) return second;
    countCall?.(spec.priority);
    return this.#attempt(second.token, tried, send);
  }

  async #attempt<T>(token: Secret, tried: Tried, send: Send<T>): Promise<CallResult<T>> {
    this.#client ??= createClient(this.#options);
    try {
      const headers = { Authorization: `Bearer ${token.reveal()}` };
      return { ok: true, body: await send(this.#client, { headers }) };
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      return refusalOf(error.outcome, tried);
    }
  }
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
    // Our tokens are shared, and renewed early and after a refusal. The SDK does none of this.
    disableTokenCache: true,
    httpInstance: createHttpInstance(options.http),
    logger: withoutFailedCalls(options.logger),
    loggerLevel: sdk.LoggerLevel.info,
  });
}

/** The SDK logs what it throws. Our caller logs a failed call, because it knows the purpose of the call. */
function withoutFailedCalls(logger: Logger): Logger {
  return {
    ...logger,
    error: (...parts: unknown[]) => {
      if (!parts.flat(2).every((part) => part instanceof CallFailed)) void logger.error(...parts);
    },
  };
}
