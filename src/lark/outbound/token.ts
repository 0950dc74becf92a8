/** Tenant tokens: one fetch for all who ask at once, renewed early, dropped when Lark says so. */
import type { AppId } from '../../core/ids.ts';
import { Secret } from '../../core/secret.ts';
import { judgeRefusal, refusalError, type Refusal } from '../codes.ts';
import type { HttpOutcome, LarkHttp } from './http.ts';
import type { Clock } from '../../time/clock.ts';

/** Tokens live for two hours; a new one is fetched this long before. */
const LARK_TOKEN_EARLY_MS = 5 * 60 * 1000;

export type TokenResult = { readonly ok: true; readonly token: Secret } | Refusal;

export interface TokenSource {
  get(): Promise<TokenResult>;
  /** Call it with the token that Lark refused. One that was replaced meanwhile stays. */
  drop(token: Secret): void;
  /** Asks Lark. Throws `credentials_refused`, `unreachable` or `failed`. */
  checkCredentials(): Promise<void>;
  /** Asks Lark. True only if it says no; never rejects for what Lark or the network does. */
  areCredentialsRefused(): Promise<boolean>;
}

export interface TokenOptions {
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

export function createTokenSource(options: TokenOptions): TokenSource {
  let held: Held | undefined;
  let fetching: Promise<TokenResult> | undefined;

  async function fetchToken(): Promise<TokenResult> {
    options.onCall?.();
    const outcome = await options.http.call({
      method: 'POST',
      url: `${options.openBaseUrl}/open-apis/auth/v3/tenant_access_token/internal`,
      json: { app_id: options.appId, app_secret: options.appSecret.reveal() },
    });
    const granted = parseGrant(outcome);
    if (granted === undefined) return judgeRefusal(outcome, TRIED);
    const nowMs = options.clock.nowMs();
    const earlyMs = Math.min(LARK_TOKEN_EARLY_MS, granted.lifeMs / 2);
    held = {
      token: granted.token,
      renewAtMs: nowMs + granted.lifeMs - earlyMs,
      endsAtMs: nowMs + granted.lifeMs,
    };
    return { ok: true, token: granted.token };
  }

  function renew(): Promise<TokenResult> {
    fetching ??= fetchToken().finally(() => {
      fetching = undefined;
    });
    return fetching;
  }

  return {
    async get() {
      const mine = held;
      const nowMs = options.clock.nowMs();
      if (mine !== undefined && nowMs < mine.renewAtMs) return { ok: true, token: mine.token };
      const renewed = await renew();
      // A renewal that fails in the last minutes is no reason to stop using what still works.
      const usable = mine !== undefined && mine === held && nowMs < mine.endsAtMs;
      return renewed.ok || !usable ? renewed : { ok: true, token: mine.token };
    },
    drop(token) {
      if (held?.token === token) held = undefined;
    },
    async checkCredentials() {
      const result = await renew();
      if (!result.ok) throw refusalError('Lark gave no token', result);
    },
    async areCredentialsRefused() {
      const result = await renew();
      return !result.ok && result.credentials === true;
    },
  };
}

const TRIED = { kind: 'read', inThread: false, card: false } as const;

function parseGrant(outcome: HttpOutcome): { token: Secret; lifeMs: number } | undefined {
  if (outcome.kind !== 'answered' || outcome.status !== 200) return undefined;
  const { code, tenant_access_token, expire } = (outcome.body ?? {}) as Record<string, unknown>;
  if (code !== 0 || typeof tenant_access_token !== 'string' || tenant_access_token === '') {
    return undefined;
  }
  // Without a sound lifetime the token is used for a minute and asked for again.
  const lifeSec = typeof expire === 'number' && expire > 0 ? expire : 60;
  return { token: new Secret(tenant_access_token), lifeMs: lifeSec * 1000 };
}
