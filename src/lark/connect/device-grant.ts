/** Creates an app with the device grant of RFC 8628: shows a code, and polls until a person has confirmed it. */
import { backoffMs } from '../../time/backoff.ts';
import type { Brand } from '../../core/brand.ts';
import type { OwnedCredentials } from '../../core/credentials.ts';
import { BridgeError } from '../../core/errors.ts';
import { accountsBaseUrl, consentPageUrl } from '../brand.ts';
import {
  accessDenied,
  beginRefused,
  codesRefused,
  grantRefused,
  grantTimedOut,
  hostUnreachable,
  interrupted,
  secretMissing,
} from './onboarding-errors.ts';
import type { HttpAnswer, Post } from './onboarding-http.ts';
import { sleep } from './onboarding-wait.ts';
import {
  BEGIN_FORM,
  type DeviceCode,
  parseBegin,
  parsePoll,
  pollForm,
  type PollResult,
  REGISTRATION_PATH,
} from './registration.ts';
import { consentPageOnHostOf, consentLinks } from './consent-link.ts';
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
  | { readonly kind: 'failed'; readonly error: BridgeError };

/** One code that is polled. */
interface Polling {
  readonly code: DeviceCode;
  readonly expiresAtMs: number;
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
    for (;;) {
      const code = await this.#begin();
      await this.#show(code);
      const polling = this.#startPolling(code);
      const end = await this.#pollUntilEnd(polling);
      if (end.kind === 'granted') return end.credentials;
      if (polling.fallback !== undefined) return polling.fallback;
      if (end.kind === 'failed') throw end.error;
      deadCodes = polling.polls === 1 ? deadCodes + 1 : 0;
      if (deadCodes >= GRANT_DEAD_CODES_MAX) throw codesRefused();
      await this.#options.onEvent({ kind: 'code_expired' });
      if (deadCodes > 0) await this.#sleep(code.intervalMs);
      if (this.#isTimeOver()) throw grantTimedOut(this.#options.timeoutMs);
    }
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

  async #show({ serverUrl, userCode, lifetimeMs }: DeviceCode): Promise<void> {
    const { brand, accountsBaseUrl: override, clock, onEvent } = this.#options;
    const pageUrl = override === undefined ? consentPageUrl(brand) : consentPageOnHostOf(serverUrl);
    const links = consentLinks({
      serverUrl,
      userCode,
      pageUrl: userCode === '' ? undefined : pageUrl,
    });
    const waitMs = Math.min(lifetimeMs, this.#deadlineAtMs - clock.nowMs());
    await onEvent({ kind: 'verification', ...links, lifetimeMs, waitMs });
  }

  #startPolling(code: DeviceCode): Polling {
    return {
      code,
      expiresAtMs: this.#options.clock.nowMs() + code.lifetimeMs,
      host: 'feishu',
      intervalMs: code.intervalMs,
      polls: 0,
      failures: 0,
      isLast: false,
      fallback: undefined,
    };
  }

  async #pollUntilEnd(polling: Polling): Promise<CodeEnd> {
    for (;;) {
      // One more poll after the time is over, for a person who confirms in the last moment.
      polling.isLast = this.#options.clock.nowMs() >= polling.expiresAtMs || this.#isTimeOver();
      const { host } = polling;
      const result = parsePoll(await this.#call(host, pollForm(polling.code.deviceCode)));
      polling.polls += 1;
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
        if (polling.polls === 1 || polling.failures > 0) await onEvent({ kind: 'waiting' });
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
        return { kind: 'expired' };
      case 'refused': {
        const denied = result.error === 'access_denied';
        return { kind: 'failed', error: denied ? accessDenied() : grantRefused(result) };
      }
      default:
        return result satisfies never;
    }
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
