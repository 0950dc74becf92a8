/** The accounts service's registration endpoint: what we send, and what its answers mean. */
import { isObject, type Json } from '../../core/json-object.ts';
import type { Brand } from '../../core/brand.ts';
import { headOf } from '../../text/cut.ts';
import { type AppId, appId, LARK_ID_PATTERN, type OpenId, openId } from '../../core/ids.ts';
import { Secret } from '../../core/secret.ts';
import type { HttpAnswer } from './onboarding-http.ts';

/** Used by RFC 8628 and the official SDK if the server gives no interval and no lifetime. */
const GRANT_INTERVAL_MS = 5_000;
const GRANT_LIFETIME_MS = 600_000;

export const REGISTRATION_PATH = '/oauth/v1/app/registration';

export const BEGIN_FORM = {
  action: 'begin',
  archetype: 'PersonalAgent',
  auth_method: 'client_secret',
  request_user_info: 'open_id tenant_brand',
} as const;

export function pollForm(deviceCode: Secret) {
  return { action: 'poll', device_code: deviceCode.reveal() };
}

export interface DeviceCode {
  /** With it anybody can get the app's secret once a person has confirmed. */
  readonly deviceCode: Secret;
  readonly userCode: string;
  /** The server's link for the person. */
  readonly serverUrl: URL;
  readonly intervalMs: number;
  readonly lifetimeMs: number;
}

type BeginResult =
  | { readonly kind: 'begun'; readonly code: DeviceCode }
  /** `error` is the server's code, `detail` its text. */
  | { readonly kind: 'refused'; readonly error: string; readonly detail: string }
  /** No usable answer. The same call may work later. */
  | { readonly kind: 'unavailable'; readonly detail: string };

export type PollResult =
  | { readonly kind: 'pending' }
  | { readonly kind: 'slow_down' }
  | { readonly kind: 'expired' }
  /** A person confirmed. Without `app`, the other brand's host has the app's secret. */
  | {
      readonly kind: 'confirmed';
      readonly brand: Brand | undefined;
      readonly app: { readonly id: AppId; readonly secret: Secret } | undefined;
      /** The person who confirmed, if Lark names one. */
      readonly owner: OpenId | undefined;
    }
  | { readonly kind: 'refused'; readonly error: string; readonly detail: string }
  | { readonly kind: 'unavailable'; readonly detail: string };

export function parseBegin(answer: HttpAnswer): BeginResult {
  const parsed = parseAnswer(answer);
  if (!parsed.ok) return parsed.result;
  const { fields, status } = parsed;
  const deviceCode = text(fields['device_code']);
  const link = text(fields['verification_uri_complete']);
  const serverUrl = URL.canParse(link) ? new URL(link) : undefined;
  if (deviceCode === '' || serverUrl === undefined || !/^https?:$/.test(serverUrl.protocol)) {
    const error = text(fields['error']);
    return isPassing(status) || error === 'slow_down'
      ? unavailable(errorTextOf(fields, status))
      : { kind: 'refused', error, detail: errorTextOf(fields, status) };
  }
  return {
    kind: 'begun',
    code: {
      deviceCode: new Secret(deviceCode),
      userCode: text(fields['user_code']) || (serverUrl.searchParams.get('user_code') ?? ''),
      serverUrl,
      intervalMs: secondsToMs(fields['interval']) ?? GRANT_INTERVAL_MS,
      lifetimeMs: secondsToMs(fields['expires_in']) ?? GRANT_LIFETIME_MS,
    },
  };
}

/** Errors come as HTTP 400 with a JSON body (RFC 8628), success comes as 200. Only the body decides. */
export function parsePoll(answer: HttpAnswer): PollResult {
  const parsed = parseAnswer(answer);
  if (!parsed.ok) return parsed.result;
  const { fields, status } = parsed;
  const confirmed = parseConfirmed(fields);
  const error = text(fields['error']);
  switch (error) {
    case '':
      return confirmed ?? unavailable(errorTextOf(fields, status));
    case 'authorization_pending':
      return confirmed ?? { kind: 'pending' };
    case 'slow_down':
      return { kind: 'slow_down' };
    case 'expired_token':
    case 'invalid_grant': // The official CLI treats it as an expired device code.
      return { kind: 'expired' };
    default:
      return isPassing(status)
        ? unavailable(errorTextOf(fields, status))
        : { kind: 'refused', error, detail: errorTextOf(fields, status) };
  }
}

function parseConfirmed(fields: Json): PollResult | undefined {
  const user = fields['user_info'];
  const named = isObject(user) ? text(user['tenant_brand']) : '';
  const brand = named === 'lark' || named === 'feishu' ? named : undefined;
  const person = isObject(user) ? text(user['open_id']) : '';
  const owner = LARK_ID_PATTERN.test(person) ? openId(person) : undefined;
  const id = text(fields['client_id']);
  const secret = text(fields['client_secret']);
  if (LARK_ID_PATTERN.test(id) && secret !== '') {
    const app = { id: appId(id), secret: new Secret(secret) };
    return { kind: 'confirmed', brand, app, owner };
  }
  return brand === undefined ? undefined : { kind: 'confirmed', brand, app: undefined, owner };
}

type ParsedAnswer =
  | { readonly ok: true; readonly fields: Json; readonly status: number }
  | {
      readonly ok: false;
      readonly result: { readonly kind: 'unavailable'; readonly detail: string };
    };

function parseAnswer(answer: HttpAnswer): ParsedAnswer {
  if (answer.kind === 'lost') return { ok: false, result: unavailable(answer.detail) };
  return isObject(answer.body)
    ? { ok: true, fields: answer.body, status: answer.status }
    : { ok: false, result: unavailable(`HTTP ${answer.status}, not in JSON`) };
}

/** Too many requests, or a fault of the server. */
function isPassing(status: number): boolean {
  return status === 429 || status >= 500;
}

function unavailable(detail: string) {
  return { kind: 'unavailable', detail } as const;
}

/** The server's error, for people. It holds only the server's error fields. */
function errorTextOf(fields: Json, status: number): string {
  const code = text(fields['error']) || numberText(fields['code']);
  const said = text(fields['error_description']) || text(fields['msg']);
  const words = [code, said].filter((part) => part !== '').join(': ');
  return printable(words === '' ? `HTTP ${status} without what was asked for` : words);
}

/** A text from outside, made safe for a terminal and for one line of a log. */
export function printable(words: string): string {
  return headOf(words.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' '), { chars: 300 });
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function numberText(value: unknown): string {
  return typeof value === 'number' ? String(value) : '';
}

function secondsToMs(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? value * 1000 : undefined;
}
