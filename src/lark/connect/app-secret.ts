/** Asks Lark whether an app id and a secret belong together. */
import { asObject } from '../../core/json-object.ts';
import { backoffMs } from '../../time/backoff.ts';
import type { Credentials } from '../../core/credentials.ts';
import { openBaseUrl } from '../brand.ts';
import { hostUnreachable, interrupted, secretRefused } from './onboarding-errors.ts';
import type { HttpAnswer, Post } from './onboarding-http.ts';
import { printable } from './registration.ts';
import { sleep } from './onboarding-wait.ts';
import {
  GRANT_FIRST_CALLS_MAX,
  GRANT_BACKOFF_BASE_MS,
  GRANT_BACKOFF_MAX_MS,
} from './device-grant.ts';
import type { Clock } from '../../time/clock.ts';

const TOKEN_PATH = '/open-apis/auth/v3/tenant_access_token/internal';
/** Lark is busy, or asks for fewer calls. This says nothing about the secret. */
const PASSING_CODES: ReadonlySet<unknown> = new Set([1, 99991400, 11232]);

interface AppSecretOptions {
  readonly openBaseUrl: string | undefined;
  readonly post: Post;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** Resolves if Lark gives a token for the pair. Throws `credentials_refused`, `unreachable` or `interrupted`. */
export async function checkAppSecret(
  { appId, appSecret, brand }: Credentials,
  { openBaseUrl: override, post, clock, random, signal }: AppSecretOptions,
): Promise<void> {
  const base = openBaseUrl(brand, override);
  const json = { app_id: appId, app_secret: appSecret.reveal() };
  for (let calls = 1; ; calls++) {
    const verdict = parseToken(await post(base + TOKEN_PATH, { json }, signal));
    if (signal.aborted) throw interrupted();
    if (verdict.kind === 'valid') return;
    if (verdict.kind === 'refused') {
      throw secretRefused(verdict.detail.replaceAll(appSecret.reveal(), '[secret]'));
    }
    if (calls >= GRANT_FIRST_CALLS_MAX) throw hostUnreachable(base, verdict.detail);
    const limits = { baseMs: GRANT_BACKOFF_BASE_MS, maxMs: GRANT_BACKOFF_MAX_MS };
    await sleep(backoffMs(calls, { ...limits, random: random() }), { clock, signal });
  }
}

type Verdict =
  | { readonly kind: 'valid' }
  | { readonly kind: 'refused'; readonly detail: string }
  | { readonly kind: 'unavailable'; readonly detail: string };

function parseToken(answer: HttpAnswer): Verdict {
  if (answer.kind === 'lost') return { kind: 'unavailable', detail: answer.detail };
  const fields = asObject(answer.body) ?? {};
  const { code, msg } = fields;
  if (typeof code !== 'number') {
    return { kind: 'unavailable', detail: `HTTP ${answer.status} without a code of Lark` };
  }
  if (code === 0) return { kind: 'valid' };
  const detail = printable(`${code}${typeof msg === 'string' ? ` ${msg}` : ''}`);
  return {
    kind: PASSING_CODES.has(code) || answer.status >= 500 ? 'unavailable' : 'refused',
    detail,
  };
}
