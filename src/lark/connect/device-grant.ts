/**
 * Creates an app with the device grant of RFC 8628: shows a code, and polls until a person has confirmed it. A code of
 * a process that ended before is polled first: a person may have confirmed it, and a new one would make a second app.
 */
import { backoffMs } from '../../time/backoff.ts';
import type { Brand } from '../../core/brand.ts';
import type { OwnedCredentials } from '../../core/credentials.ts';
import { BridgeError } from '../../core/errors.ts';
import { accountsBaseUrl, consentPageUrl } from '../brand.ts';
import {
  accessDenied,
  beginRefused,
  codesRefused,
  codeUsed,
  grantRefused,
  grantTimedOut,
  hostUnreachable,
  interrupted,
  secretMissing,
} from './onboarding-errors.ts';
import type { HttpAnswer, Post } from './onboarding-http.ts';
import { sleep } from './onboarding-wait.ts';
import type { PendingCodes } from './pending-code.ts';
import {
  BEGIN_FORM,
  type DeviceCode,
  parseBegin,
  parsePoll,
  pollForm,
  type PollResult,
  REGISTRATION_PATH,
} from './registration.ts';
import { consentLinks, consentPageOnHostOf, type MoreRights } from './consent-link.ts';
import type { Clock } from '../../time/clock.ts';

/** RFC 8628: each `slow_down` adds this to the interval, and it stays. */
const GRANT_SLOW_DOWN_MS = 5_000;
/** A host that never answers is given up after this many calls: the network is then not the only trouble. */
export const GRANT_FIRST_CALLS_MAX = 4;
export const GRANT_BACKOFF_BASE_MS = 500;
export const GRANT_BACKOFF_MAX_MS = 10_000;
/** After this many codes in a row that are refused at their first poll, no further code is asked for. */
const GRANT_DEAD_CODES_MAX = 3;

export type GrantEvent =
  /** A code to confirm. A later one replaces it. */
  | {
      readonly kind: 'verification';
      readonly url: string;
      readonly shortUrl: string;
      readonly launcherUrl: string | undefined;
      readonly lifetimeMs: number;
      /** How long the grant waits for a confirmation: at most the time that is left for the whole grant. */
      readonly waitMs: number;
    }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'slowed_down'; readonly intervalMs: number }
  | { readonly kind: 'retrying'; readonly detail: string }
  | { readonly kind: 'brand_switched'; readonly brand: Brand }
  | { readonly kind: 'code_expired' };

export interface GrantOptions {
  /** Used if the server names no brand. Decides on which brand's page people confirm a code. */
  readonly brand: Brand;
  /** Replaces the accounts hosts of both brands. The link then leads to the host that the server names. */
  readonly accountsBaseUrl: string | undefined;
  /** For the whole grant, with as many codes as it needs. */
  readonly timeoutMs: number;
  readonly pending: PendingCodes;
  /** Asks for rights of an app that exists. */
  readonly more?: MoreRights;
  readonly post: Post;
  readonly clock: Clock;
  /** 0…1, to spread repeats. */
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly onEvent: (event: GrantEvent) => void | Promise<void>;
}

/**
 * Resolves with the new app's credentials. It goes on through network trouble and expired codes until the time
 * is over. Throws `BridgeError`: `access_denied`, `timed_out`, `expired`, `unreachable` (a host that
 * never answered), `interrupted`, `failed`.
 */
export function runDeviceGrant(options: GrantOptions): Promise<OwnedCredentials> {
  return new DeviceGrant(options).run();
}

type CodeEnd =
  | { readonly kind: 'granted'; readonly credentials: OwnedCredentials }
  | { readonly kind: 'expired' }
  /** A code of an earlier process that is of no use. Nobody has to hear of it. */
  | { readonly kind: 'stale' }
  | { readonly kind: 'failed'; readonly error: BridgeError };

/** One code that is polled. */
interface Polling {
  readonly code: DeviceCode;
  readonly expiresAtMs: number;
  /** False for a code of an earlier process, until Lark says that it still waits for a person. */
  isShown: boolean;
  /** The brand whose host is polled. */
  host: Brand;
  intervalMs: number;
  polls: number;
  /** Calls in a row without a usable answer. */
  failures: number;
  /** The poll after the time is over. It comes early, so a `slow_down` means nothing then. */
  isLast: boolean;
  /** What the first host gave for an app of the other brand. Used only if the other brand's host gives nothing. */
  fallback: OwnedCredentials | undefined;
}

class DeviceGrant {
  readonly #options: GrantOptions;
  readonly #deadlineAtMs: number;
  /** Hosts that have given a usable answer. */
  readonly #reached = new Set<Brand>();

  constructor(options: GrantOptions) {
    this.#options = options;
    this.#deadlineAtMs = options.clock.nowMs() + options.timeoutMs;
  }

  async run(): Promise<OwnedCredentials> {
    let deadCodes = 0;
    let kept = this.#keptPolling();
    for (;;) {
      const polling = kept ?? (await this.#newPolling());
      kept = undefined;
      const end = await this.#pollUntilEnd(polling);
      if (end.kind === 'granted') return end.credentials;
      if (polling.fallback !== undefined) return polling.fallback;
      if (end.kind === 'failed') throw end.error;
      if (!polling.isShown) continue;
      deadCodes = polling.polls === 1 ? deadCodes + 1 : 0;
      if (deadCodes >= GRANT_DEAD_CODES_MAX) throw codesRefused();
      await this.#options.onEvent({ kind: 'code_expired' });
      if (deadCodes > 0) await this.#sleep(polling.code.intervalMs);
      if (this.#isTimeOver()) throw grantTimedOut(this.#options.timeoutMs);
    }
  }

  #keptPolling(): Polling | undefined {
    const { pending, accountsBaseUrl: override } = this.#options;
    const kept = pending.load();
    if (kept?.accountsUrl !== accountsBaseUrl('feishu', override)) return undefined;
    return startPolling(kept.code, kept.expiresAtMs);
  }

  async #newPolling(): Promise<Polling> {
    const { pending, accountsBaseUrl: override, clock } = this.#options;
    const code = await this.#begin();
    const expiresAtMs = clock.nowMs() + code.lifetimeMs;
    // Before anybody can confirm it.
    pending.keep({ code, expiresAtMs, accountsUrl: accountsBaseUrl('feishu', override) });
    const polling = startPolling(code, expiresAtMs);
    await this.#show(polling);
    return polling;
  }

  /** Always at the Feishu host, for Lark too: Lark's own page refuses codes that begin at Lark's host. */
  async #begin(): Promise<DeviceCode> {
    for (let calls = 1; ; calls++) {
      const result = parseBegin(await this.#call('feishu', BEGIN_FORM));
      if (result.kind === 'refused') throw beginRefused(result);
      if (result.kind === 'begun') {
        this.#reached.add('feishu');
        return result.code;
      }
      const isHopeless = !this.#reached.has('feishu') && calls >= GRANT_FIRST_CALLS_MAX;
      if (isHopeless || this.#isTimeOver()) throw this.#timeIsOver('feishu', result.detail);
      if (calls === 1) await this.#options.onEvent({ kind: 'retrying', detail: result.detail });
      await this.#sleep(this.#backoffMs(calls));
    }
  }

  async #show(polling: Polling): Promise<void> {
    const { brand, accountsBaseUrl: override, clock, more, onEvent } = this.#options;
    const { serverUrl, userCode } = polling.code;
    const pageUrl = override === undefined ? consentPageUrl(brand) : consentPageOnHostOf(serverUrl);
    const links = consentLinks({
      serverUrl,
      userCode,
      pageUrl: userCode === '' ? undefined : pageUrl,
      more,
    });
    const nowMs = clock.nowMs();
    const lifetimeMs = polling.expiresAtMs - nowMs;
    const waitMs = Math.min(lifetimeMs, this.#deadlineAtMs - nowMs);
    polling.isShown = true;
    await onEvent({ kind: 'verification', ...links, lifetimeMs, waitMs });
  }

  async #pollUntilEnd(polling: Polling): Promise<CodeEnd> {
    for (;;) {
      // One more poll after the time is over, for a person who confirms in the last moment.
      polling.isLast = this.#options.clock.nowMs() >= polling.expiresAtMs || this.#isTimeOver();
      const { host } = polling;
      const result = parsePoll(await this.#call(host, pollForm(polling.code.deviceCode)));
      polling.polls += 1;
      const isWaiting = ['pending', 'slow_down', 'unavailable'].includes(result.kind);
      if (isWaiting && !polling.isShown && !polling.isLast) await this.#show(polling);
      const next = await this.#outcomeOf(polling, result);
      if (result.kind !== 'unavailable') {
        this.#reached.add(host);
        polling.failures = 0;
      }
      if (typeof next === 'object') return next;
      if (next === 0) continue;
      if (polling.isLast) return this.#endOfCode(polling, result);
      const endAtMs = Math.min(polling.expiresAtMs, this.#deadlineAtMs);
      await this.#sleep(Math.min(next, endAtMs - this.#options.clock.nowMs()));
    }
  }

  /** What an answer means: the end, or how long to wait before the next poll. */
  async #outcomeOf(polling: Polling, result: PollResult): Promise<CodeEnd | number> {
    const { onEvent } = this.#options;
    switch (result.kind) {
      case 'pending':
        if (polling.isShown && (polling.polls === 1 || polling.failures > 0)) {
          await onEvent({ kind: 'waiting' });
        }
        return polling.intervalMs;
      case 'slow_down':
        if (polling.isLast) return polling.intervalMs;
        polling.intervalMs += GRANT_SLOW_DOWN_MS;
        await onEvent({ kind: 'slowed_down', intervalMs: polling.intervalMs });
        return polling.intervalMs;
      case 'unavailable':
        polling.failures += 1;
        if (polling.failures === 1) await onEvent({ kind: 'retrying', detail: result.detail });
        return Math.max(polling.intervalMs, this.#backoffMs(polling.failures));
      case 'confirmed':
        return this.#takeConfirmed(polling, result);
      case 'expired':
      case 'refused':
        this.#options.pending.forget();
        return polling.isShown ? endOf(result) : this.#endOfKept(polling, result);
      default:
        return result satisfies never;
    }
  }

  /** A code that is gone before its time was confirmed: Lark gives the secret of an app only once. */
  #endOfKept({ expiresAtMs }: Polling, { kind }: PollEnd): CodeEnd {
    const isUsed = kind === 'expired' && this.#options.clock.nowMs() < expiresAtMs;
    return isUsed ? { kind: 'failed', error: codeUsed() } : { kind: 'stale' };
  }

  async #takeConfirmed(
    polling: Polling,
    { app, brand, owner }: Extract<PollResult, { kind: 'confirmed' }>,
  ): Promise<CodeEnd | number> {
    const named = brand ?? (polling.host === 'lark' ? 'lark' : this.#options.brand);
    const credentials = app && { appId: app.id, appSecret: app.secret, brand: named, owner };
    if (brand === 'lark' && polling.host === 'feishu') {
      polling.host = 'lark';
      polling.fallback = credentials;
      await this.#options.onEvent({ kind: 'brand_switched', brand });
      return 0;
    }
    return credentials === undefined ? polling.intervalMs : { kind: 'granted', credentials };
  }

  #endOfCode(polling: Polling, result: PollResult): CodeEnd {
    const detail = result.kind === 'unavailable' ? result.detail : undefined;
    // A person has confirmed: a new code would create a second app.
    const isConfirmed = polling.host === 'lark';
    if (!this.#isTimeOver() && !isConfirmed) return { kind: 'expired' };
    const isSecretMissing = isConfirmed && this.#reached.has('lark');
    return {
      kind: 'failed',
      error: isSecretMissing ? secretMissing() : this.#timeIsOver(polling.host, detail),
    };
  }

  #timeIsOver(host: Brand, detail: string | undefined): BridgeError {
    const { timeoutMs, accountsBaseUrl: override } = this.#options;
    return detail === undefined || this.#reached.has(host)
      ? grantTimedOut(timeoutMs, detail)
      : hostUnreachable(accountsBaseUrl(host, override), detail);
  }

  async #call(host: Brand, form: Readonly<Record<string, string>>): Promise<HttpAnswer> {
    const { accountsBaseUrl: override, post, signal } = this.#options;
    const url = accountsBaseUrl(host, override) + REGISTRATION_PATH;
    const answer = await post(url, { form }, signal);
    // An answer is used even after Ctrl-C: it may hold the secret of an app that exists by now.
    if (answer.kind === 'lost' && signal.aborted) throw interrupted();
    return answer;
  }

  #isTimeOver(): boolean {
    return this.#options.clock.nowMs() >= this.#deadlineAtMs;
  }

  #backoffMs(attempt: number): number {
    return backoffMs(attempt, {
      baseMs: GRANT_BACKOFF_BASE_MS,
      maxMs: GRANT_BACKOFF_MAX_MS,
      random: this.#options.random(),
    });
  }

  /** Sleeps, but not longer than the time that is left. Throws `interrupted`. */
  #sleep(durationMs: number): Promise<void> {
    const { clock, signal } = this.#options;
    return sleep(Math.min(durationMs, this.#deadlineAtMs - clock.nowMs()), { clock, signal });
  }
}

type PollEnd = Extract<PollResult, { kind: 'expired' | 'refused' }>;

function endOf(result: PollEnd): CodeEnd {
  if (result.kind === 'expired') return { kind: 'expired' };
  const isDenied = result.error === 'access_denied';
  return { kind: 'failed', error: isDenied ? accessDenied() : grantRefused(result) };
}

function startPolling(code: DeviceCode, expiresAtMs: number): Polling {
  return {
    code,
    expiresAtMs,
    isShown: false,
    host: 'feishu',
    intervalMs: code.intervalMs,
    polls: 0,
    failures: 0,
    isLast: false,
    fallback: undefined,
  };
}
