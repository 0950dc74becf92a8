import type { Ids } from '../world/ids.ts';
import type { SimApp } from '../world/model.ts';

const LIFE_MS = 7_200_000;
/** If less time is left, a new token is made. The old one is valid until it expires. */
const RENEW_BELOW_MS = 1_800_000;

interface Token {
  readonly text: string;
  readonly app: SimApp;
  readonly expiresAtMs: number;
}

/** Access tokens of all apps. Tenant access token and app access token of an app are the same text. */
export class AccessTokens {
  readonly #ids: Ids;
  readonly #nowMs: () => number;
  readonly #byText = new Map<string, Token>();
  readonly #newest = new Map<string, Token>();

  constructor(ids: Ids, nowMs: () => number) {
    this.#ids = ids;
    this.#nowMs = nowMs;
  }

  /** A valid token of the app, and for how many seconds it is valid. */
  issue(app: SimApp): { readonly token: string; readonly expireSeconds: number } {
    const nowMs = this.#nowMs();
    let token = this.#newest.get(app.appId);
    if (token === undefined || token.expiresAtMs - nowMs < RENEW_BELOW_MS) {
      token = { text: this.#ids.tenantToken(), app, expiresAtMs: nowMs + LIFE_MS };
      this.#dropExpired(nowMs);
      this.#byText.set(token.text, token);
      this.#newest.set(app.appId, token);
    }
    return { token: token.text, expireSeconds: Math.floor((token.expiresAtMs - nowMs) / 1_000) };
  }

  /** The app of a token; undefined if it is unknown, expired or revoked. */
  appOf(text: string): SimApp | undefined {
    const token = this.#byText.get(text);
    return token !== undefined && token.expiresAtMs > this.#nowMs() ? token.app : undefined;
  }

  /** Makes all tokens of the app invalid at once. */
  revoke(appId: string): void {
    for (const token of this.#byText.values()) {
      if (token.app.appId === appId) this.#byText.delete(token.text);
    }
    this.#newest.delete(appId);
  }

  #dropExpired(nowMs: number): void {
    for (const token of this.#byText.values()) {
      if (token.expiresAtMs <= nowMs) this.#byText.delete(token.text);
    }
  }
}
