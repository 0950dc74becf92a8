/** Creates an app by RFC 8628's device grant: shows a code, asks until a person has confirmed it. */
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

/** RFC 8628: each `slow_down` adds this to the interval, for good. */
const GRANT_SLOW_DOWN_MS = 5_000;
/** A host that has never answered is given up after so many calls: there it is not the weather. */
export const GRANT_FIRST_CALLS_MAX = 4;
export const GRANT_BACKOFF_BASE_MS = 500;
export const GRANT_BACKOFF_MAX_MS = 10_000;
/** Codes in a row that are refused at their first poll; one more would not fare better. */
const GRANT_DEAD_CODES_MAX = 3;

export type GrantEvent =
  /** A code to confirm; a later one replaces it. */
  | {
      readonly kind: 'verification';
      readonly url: string;
      readonly launcherUrl: string | undefined;
      readonly lifetimeMs: number;
      /** How long a confirmation is waited for: not past the time for the whole grant. */
      readonly waitMs: number;
    }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'slowed_down'; readonly intervalMs: number }
  | { readonly kind: 'retrying'; readonly detail: string }
  | { readonly kind: 'brand_switched'; readonly brand: Brand }
  | { readonly kind: 'code_expired' };

export interface GrantOptions {
  /** Taken where the server names no brand. Decides on which brand's page a code is confirmed. */
  readonly brand: Brand;
  /** Replaces both brands' accounts hosts; then people are sent to the host that the server names. */
  readonly accountsBaseUrl: string | undefined;
  /** For the whole grant, over as many codes as it takes. */
  readonly timeoutMs: number;
  readonly post: Post;
  readonly clock: Clock;
  /** 0…1, to spread repeats. */
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly onEvent: (event: GrantEvent) => void | Promise<void>;
}

/**
 * Resolves with the new app's credentials. Network trouble and expired codes are lived through until the
 * time is over. Throws `BridgeError`: `access_denied`, `timed_out`, `expired`, `unreachable` (a host that
 * never answered), `interrupted`, `failed`.
 */
export function runDeviceGrant(options: GrantOptions): Promise<OwnedCredentials> {
  return new DeviceGrant(options).run();
}

type CodeEnd =
  | { readonly kind: 'granted'; readonly credentials: OwnedCredentials }
  | { readonly kind: 'expired' }
  | { readonly kind: 'failed'; readonly error: BridgeError };

/** One code while it is asked about. */
interface Asking {
  readonly code: DeviceCode;
  readonly expiresAtMs: number;
  /** Whose host is asked. */
  host: Brand;
  intervalMs: number;
  polls: number;
  /** Calls without a usable answer since the last one with. */
  failures: number;
  /** The poll after the time is over: it comes before its turn, so `slow_down` says nothing then. */
  isLast: boolean;
  /** What the first host handed out for an app of the other brand: used only if that one has nothing. */
  spare: OwnedCredentials | undefined;
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
      const asking = this.#startAsking(code);
      const end = await this.#askUntilEnd(asking);
      if (end.kind === 'granted') return end.credentials;
      if (asking.spare !== undefined) return asking.spare;
      if (end.kind === 'failed') throw end.error;
      deadCodes = asking.polls === 1 ? deadCodes + 1 : 0;
      if (deadCodes >= GRANT_DEAD_CODES_MAX) throw codesRefused();
      await this.#options.onEvent({ kind: 'code_expired' });
      if (deadCodes > 0) await this.#sleep(code.intervalMs);
      if (this.#isOver()) throw grantTimedOut(this.#options.timeoutMs);
    }
  }

  /** Always at the Feishu host, for Lark too: codes begun at Lark's are refused by its own page. */
  async #begin(): Promise<DeviceCode> {
    for (let calls = 1; ; calls++) {
      const result = parseBegin(await this.#call('feishu', BEGIN_FORM));
      if (result.kind === 'refused') throw beginRefused(result);
      if (result.kind === 'begun') {
        this.#reached.add('feishu');
        return result.code;
      }
      const hopeless = !this.#reached.has('feishu') && calls >= GRANT_FIRST_CALLS_MAX;
      if (hopeless || this.#isOver()) throw this.#timeUp('feishu', result.detail);
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

  #startAsking(code: DeviceCode): Asking {
    return {
      code,
      expiresAtMs: this.#options.clock.nowMs() + code.lifetimeMs,
      host: 'feishu',
      intervalMs: code.intervalMs,
      polls: 0,
      failures: 0,
      isLast: false,
      spare: undefined,
    };
  }

  async #askUntilEnd(asking: Asking): Promise<CodeEnd> {
    for (;;) {
      // Whoever confirms in the last moment is still heard: one more poll after the time is over.
      asking.isLast = this.#options.clock.nowMs() >= asking.expiresAtMs || this.#isOver();
      const { host } = asking;
      const result = parsePoll(await this.#call(host, pollForm(asking.code.deviceCode)));
      asking.polls += 1;
      const next = await this.#judge(asking, result);
      if (result.kind !== 'unavailable') {
        this.#reached.add(host);
        asking.failures = 0;
      }
      if (typeof next === 'object') return next;
      if (next === 0) continue;
      if (asking.isLast) return this.#lastWord(asking, result);
      const endAtMs = Math.min(asking.expiresAtMs, this.#deadlineAtMs);
      await this.#sleep(Math.min(next, endAtMs - this.#options.clock.nowMs()));
    }
  }

  /** What an answer means: the end, or how long to wait before the next poll. */
  async #judge(asking: Asking, result: PollResult): Promise<CodeEnd | number> {
    const { onEvent } = this.#options;
    switch (result.kind) {
      case 'pending':
        if (asking.polls === 1 || asking.failures > 0) await onEvent({ kind: 'waiting' });
        return asking.intervalMs;
      case 'slow_down':
        if (asking.isLast) return asking.intervalMs;
        asking.intervalMs += GRANT_SLOW_DOWN_MS;
        await onEvent({ kind: 'slowed_down', intervalMs: asking.intervalMs });
        return asking.intervalMs;
      case 'unavailable':
        asking.failures += 1;
        if (asking.failures === 1) await onEvent({ kind: 'retrying', detail: result.detail });
        return Math.max(asking.intervalMs, this.#backoffMs(asking.failures));
      case 'confirmed':
        return this.#takeConfirmed(asking, result);
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
    asking: Asking,
    { app, brand, owner }: Extract<PollResult, { kind: 'confirmed' }>,
  ): Promise<CodeEnd | number> {
    const named = brand ?? (asking.host === 'lark' ? 'lark' : this.#options.brand);
    const credentials = app && { appId: app.id, appSecret: app.secret, brand: named, owner };
    if (brand === 'lark' && asking.host === 'feishu') {
      asking.host = 'lark';
      asking.spare = credentials;
      await this.#options.onEvent({ kind: 'brand_switched', brand });
      return 0;
    }
    return credentials === undefined ? asking.intervalMs : { kind: 'granted', credentials };
  }

  #lastWord(asking: Asking, result: PollResult): CodeEnd {
    const detail = result.kind === 'unavailable' ? result.detail : undefined;
    // Once a person has confirmed, a fresh code would make a second app.
    const isConfirmed = asking.host === 'lark';
    if (!this.#isOver() && !isConfirmed) return { kind: 'expired' };
    const isSecretMissing = isConfirmed && this.#reached.has('lark');
    return {
      kind: 'failed',
      error: isSecretMissing ? secretMissing() : this.#timeUp(asking.host, detail),
    };
  }

  #timeUp(host: Brand, detail: string | undefined): BridgeError {
    const { timeoutMs, accountsBaseUrl: override } = this.#options;
    return detail === undefined || this.#reached.has(host)
      ? grantTimedOut(timeoutMs, detail)
      : hostUnreachable(accountsBaseUrl(host, override), detail);
  }

  async #call(host: Brand, form: Readonly<Record<string, string>>): Promise<HttpAnswer> {
    const { accountsBaseUrl: override, post, signal } = this.#options;
    const url = accountsBaseUrl(host, override) + REGISTRATION_PATH;
    const answer = await post(url, { form }, signal);
    // An answer is taken even after Ctrl-C: it may hold the secret of an app that exists by now.
    if (answer.kind === 'lost' && signal.aborted) throw interrupted();
    return answer;
  }

  #isOver(): boolean {
    return this.#options.clock.nowMs() >= this.#deadlineAtMs;
  }

  #backoffMs(attempt: number): number {
    return backoffMs(attempt, {
      baseMs: GRANT_BACKOFF_BASE_MS,
      maxMs: GRANT_BACKOFF_MAX_MS,
      random: this.#options.random(),
    });
  }

  /** Not longer than the time that is left. Throws `interrupted`. */
  #sleep(durationMs: number): Promise<void> {
    const { clock, signal } = this.#options;
    return sleep(Math.min(durationMs, this.#deadlineAtMs - clock.nowMs()), { clock, signal });
  }
}
