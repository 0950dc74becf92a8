/** Tenant tokens: callers share one fetch, a token is renewed early, and dropped when Lark refuses it. */
import type { AppId } from '../../core/ids.ts';
import { Secret } from '../../core/secret.ts';
import { refusalOf, refusalError, type Refusal } from '../codes.ts';
import type { HttpOutcome, LarkHttp } from './http.ts';
import type { Clock } from '../../time/clock.ts';

/** A token lasts two hours. The next one is fetched this long before its end. */
const LARK_TOKEN_EARLY_MS = 5 * 60 * 1000;

type TokenResult = { readonly ok: true; readonly token: Secret } | Refusal;

interface TokenOptions {
  readonly http: LarkHttp;
  readonly openBaseUrl: string;
  readonly appId: AppId;
  readonly appSecret: Secret;
  readonly clock: Clock;
  /** Called once per request to Lark, for the count of calls. */
  readonly onCall?: () => void;
}

interface Held {
  readonly token: Secret;
  readonly renewAtMs: number;
  readonly endsAtMs: number;
}

export class TokenSource {
  readonly #options: TokenOptions;
  #held: Held | undefined;
  #fetching: Promise<TokenResult> | undefined;

  constructor(options: TokenOptions) {
    this.#options = options;
  }

  async get(): Promise<TokenResult> {
    const mine = this.#held;
    const nowMs = this.#options.clock.nowMs();
    if (mine !== undefined && nowMs < mine.renewAtMs) return { ok: true, token: mine.token };
    const renewed = await this.#renew();
    // If a renewal fails in the last minutes, the old token still works.
    const isUsable = mine !== undefined && mine === this.#held && nowMs < mine.endsAtMs;
    return renewed.ok || !isUsable ? renewed : { ok: true, token: mine.token };
  }

  /** `token` is the one that Lark refused. A newer one stays. */
  drop(token: Secret): void {
    if (this.#held?.token === token) this.#held = undefined;
  }

  /** Asks Lark. Throws `credentials_refused`, `unreachable` or `failed`. */
  async checkCredentials(): Promise<void> {
    const result = await this.#renew();
    if (!result.ok) throw refusalError('Lark gave no token', result);
  }

  /** Asks Lark. True only if Lark refuses them. Does not reject if Lark or the network fails. */
  async areCredentialsRefused(): Promise<boolean> {
    const result = await this.#renew();
    return !result.ok && result.credentials === true;
  }

  #renew(): Promise<TokenResult> {
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetch(): Promise<TokenResult> {
    const { http, openBaseUrl, appId, appSecret, clock, onCall } = this.#options;
    onCall?.();
    const outcome = await http.call({
      method: 'POST',
      url: `${openBaseUrl}/open-apis/auth/v3/tenant_access_token/internal`,
      json: { app_id: appId, app_secret: appSecret.reveal() },
    });
    const granted = parseGrant(outcome);
    if (granted === undefined) return refusalOf(outcome, TRIED);
    const nowMs = clock.nowMs();
    const earlyMs = Math.min(LARK_TOKEN_EARLY_MS, granted.lifeMs / 2);
    this.#held = {
      token: granted.token,
      renewAtMs: nowMs + granted.lifeMs - earlyMs,
      endsAtMs: nowMs + granted.lifeMs,
    };
    return { ok: true, token: granted.token };
  }
}

const TRIED = { kind: 'read', inThread: false, card: false } as const;

function parseGrant(outcome: HttpOutcome): { token: Secret; lifeMs: number } | undefined {
  if (outcome.kind !== 'answered' || outcome.status !== 200) return undefined;
  const { code, tenant_access_token, expire } = (outcome.body ?? {}) as Record<string, unknown>;
  if (code !== 0 || typeof tenant_access_token !== 'string' || tenant_access_token === '') {
    return undefined;
  }
  // Without a valid lifetime the token is used for a minute.
  const lifeSec = typeof expire === 'number' && expire > 0 ? expire : 60;
  return { token: new Secret(tenant_access_token), lifeMs: lifeSec * 1000 };
}
