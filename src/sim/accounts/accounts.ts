import { appPlanOf, type AppPlan } from './app-plan.ts';
import type { Cloud } from '../cloud.ts';
import { originOf, textField, type Answer, type Call, type Route } from '../api/http.ts';
import { Misuse } from '../world/misuse.ts';
import type { Brand, SimApp, SimUser } from '../world/model.ts';
import { DEFAULT_SCOPES, DEFAULT_SUBSCRIPTIONS } from '../world/scopes.ts';

export interface AccountsOptions {
  /** Seconds between polls, as told to clients; 5 by default. */
  readonly interval?: number;
  /** Seconds that a code is valid; 600 by default. */
  readonly expiresIn?: number;
  /** Refuses every `begin` with this RFC 6749 error. */
  readonly beginError?: { readonly error: string; readonly description?: string };
}

/** A person opens or scans the link, and approves or denies. */
export interface Scan {
  /** The code in the link, or the whole link. Clients put the wanted name and scopes into the link. */
  readonly userCode?: string;
  readonly url?: string;
  readonly approve: boolean;
  /** Who approves or denies; a new person by default. */
  readonly as?: SimUser;
  readonly brand?: Brand;
}

/** One device grant (RFC 8628), from `begin` until the client has got the secret. */
interface Grant {
  readonly deviceCode: string;
  readonly userCode: string;
  readonly expiresAtMs: number;
  lastPollAtMs: number | undefined;
  decision: Decision;
}

type Decision =
  | { readonly phase: 'pending' }
  | { readonly phase: 'denied' }
  | {
      readonly phase: 'approved';
      readonly app: SimApp;
      readonly user: SimUser;
      readonly brand: Brand;
      /** For Lark only: the Feishu side has told the brand. The next poll gets the secret. */
      readonly brandTold: boolean;
    }
  | { readonly phase: 'used' };

/** Timers of clients may fire a little too early. */
const POLL_SLACK_MS = 50;
const USER_CODE_LETTERS = 'BCDFGHJKLMNPQRSTVWXZ23456789';

/** Creates apps for people who scan a link: the accounts servers of both brands, on one host. */
export class Accounts {
  readonly #cloud: Cloud;
  readonly #options: AccountsOptions;
  readonly #byDeviceCode = new Map<string, Grant>();
  readonly #byUserCode = new Map<string, Grant>();

  constructor(cloud: Cloud, options: AccountsOptions = {}) {
    this.#cloud = cloud;
    this.#options = options;
  }

  /** Codes that nobody has approved or denied yet, oldest first. */
  waiting(): string[] {
    return [...this.#byUserCode.values()]
      .filter((grant) => this.stateOf(grant.userCode) === 'pending')
      .map((grant) => grant.userCode);
  }

  stateOf(userCode: string): Decision['phase'] | 'expired' | 'unknown' {
    const grant = this.#byUserCode.get(userCode);
    if (grant === undefined) return 'unknown';
    return this.#isExpired(grant) ? 'expired' : grant.decision.phase;
  }

  /** Approves or denies a waiting code. Approval creates the app, whose credentials work at once. */
  scan(scan: Scan): SimApp | undefined {
    const link = new URLSearchParams(scan.url === undefined ? '' : new URL(scan.url).search);
    const userCode = scan.userCode ?? link.get('user_code') ?? '';
    const state = this.stateOf(userCode);
    const grant = this.#byUserCode.get(userCode);
    if (state !== 'pending' || grant === undefined) {
      throw new Misuse(`the code "${userCode}" can't be approved or denied: it is ${state}`);
    }
    if (!scan.approve) {
      grant.decision = { phase: 'denied' };
      return undefined;
    }
    const brand = scan.brand ?? 'feishu';
    const user = scan.as ?? this.#cloud.world.addUser({ name: 'Developer' });
    const app = this.#createApp(appPlanOf(link), brand, user);
    grant.decision = { phase: 'approved', app, user, brand, brandTold: false };
    return app;
  }

  register(call: Call): Answer {
    switch (call.body['action']) {
      case 'init':
        return { status: 200, body: { supported_auth_methods: ['client_secret'] } };
      case 'begin':
        return this.#begin(call);
      case 'poll':
        return this.#poll(textField(call.body, 'device_code') ?? '');
      default:
        return rfcError('invalid_request', 'action is not init, begin or poll');
    }
  }

  #begin(call: Call): Answer {
    const { beginError, interval = 5, expiresIn = 600 } = this.#options;
    if (beginError !== undefined) return rfcError(beginError.error, beginError.description);
    if (call.body['archetype'] !== 'PersonalAgent') {
      return rfcError('invalid_request', 'archetype is not PersonalAgent');
    }
    if (call.body['auth_method'] !== 'client_secret') {
      return rfcError('invalid_request', 'auth_method is not client_secret');
    }
    const grant: Grant = {
      deviceCode: this.#cloud.world.ids.hex(48),
      userCode: this.#newUserCode(),
      expiresAtMs: this.#cloud.clock.nowMs() + expiresIn * 1_000,
      lastPollAtMs: undefined,
      decision: { phase: 'pending' },
    };
    this.#byDeviceCode.set(grant.deviceCode, grant);
    this.#byUserCode.set(grant.userCode, grant);
    const page = `${originOf(this.#cloud.baseUrl, call.headers)}/page/launcher`;
    return {
      status: 200,
      body: {
        device_code: grant.deviceCode,
        user_code: grant.userCode,
        verification_uri: page,
        verification_uri_complete: `${page}?user_code=${grant.userCode}`,
        interval,
        // Some clients read the one name, some the other.
        expires_in: expiresIn,
        expire_in: expiresIn,
      },
    };
  }

  #poll(deviceCode: string): Answer {
    const grant = this.#byDeviceCode.get(deviceCode);
    if (grant === undefined) return rfcError('invalid_grant', 'no such device code');
    const { decision } = grant;
    if (decision.phase === 'used') return rfcError('invalid_grant', 'the device code was used');
    if (this.#isExpired(grant)) return rfcError('expired_token', 'the device code has expired');
    switch (decision.phase) {
      case 'pending':
        return this.#isTooEarly(grant) ? rfcError('slow_down') : rfcError('authorization_pending');
      case 'denied':
        return rfcError('access_denied', 'the person denied it');
      case 'approved':
        return this.#answerApproved(grant, decision);
    }
  }

  /** For a Lark tenant, the first answer has no secret: clients then ask the Lark side, which is the same host here. */
  #answerApproved(grant: Grant, decision: Extract<Decision, { phase: 'approved' }>): Answer {
    const { app, user, brand, brandTold } = decision;
    const userInfo = { open_id: user.openId, tenant_brand: brand };
    if (brand === 'lark' && !brandTold) {
      grant.decision = { ...decision, brandTold: true };
      return { status: 200, body: { client_id: app.appId, user_info: userInfo } };
    }
    grant.decision = { phase: 'used' };
    return {
      status: 200,
      body: { client_id: app.appId, client_secret: app.appSecret, user_info: userInfo },
    };
  }

  /** Creates the app that the link asks for, or extends the app that it names. */
  #createApp(plan: AppPlan, brand: Brand, owner: SimUser): SimApp {
    const { world } = this.#cloud;
    const existing = plan.appId === undefined ? undefined : world.apps.get(plan.appId);
    if (existing !== undefined) {
      for (const scope of plan.scopes) existing.scopes.add(scope);
      for (const type of plan.subscriptions) existing.subscriptions.add(type);
      return existing;
    }
    return world.addApp({
      brand,
      owner,
      ...(plan.description !== undefined && { description: plan.description }),
      ...(plan.name !== undefined && { name: plan.name }),
      scopes: [...(plan.preset ? DEFAULT_SCOPES : []), ...plan.scopes],
      subscriptions: [...(plan.preset ? DEFAULT_SUBSCRIPTIONS : []), ...plan.subscriptions],
    });
  }

  #isTooEarly(grant: Grant): boolean {
    const nowMs = this.#cloud.clock.nowMs();
    const lastMs = grant.lastPollAtMs;
    grant.lastPollAtMs = nowMs;
    const intervalMs = (this.#options.interval ?? 5) * 1_000;
    return lastMs !== undefined && nowMs - lastMs < intervalMs - POLL_SLACK_MS;
  }

  #isExpired(grant: Grant): boolean {
    return this.#cloud.clock.nowMs() >= grant.expiresAtMs;
  }

  #newUserCode(): string {
    const hex = this.#cloud.world.ids.hex(16);
    const letters = hex.match(/../g) ?? [];
    const text = letters
      .map((pair) => USER_CODE_LETTERS[Number.parseInt(pair, 16) % USER_CODE_LETTERS.length])
      .join('');
    const userCode = `${text.slice(0, 4)}-${text.slice(4)}`;
    return this.#byUserCode.has(userCode) ? this.#newUserCode() : userCode;
  }
}

export function accountRoutes(accounts: Accounts): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/oauth/v1/app/registration',
      auth: 'none',
      handle: (call) => accounts.register(call),
    },
  ];
}

/** An OAuth error: HTTP 400, and a JSON body of another form than the API's. */
function rfcError(error: string, description?: string): Answer {
  return {
    status: 400,
    body: { error, ...(description !== undefined && { error_description: description }) },
  };
}
