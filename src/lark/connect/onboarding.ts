/** Gets the bot for the bridge: a new one that a person confirms, or an app that exists already. */
import type { Brand } from '../../core/brand.ts';
import type { Credentials, OwnedCredentials } from '../../core/credentials.ts';
import type { AppId } from '../../core/ids.ts';
import type { Secret } from '../../core/secret.ts';
import { checkAppSecret } from './app-secret.ts';
import type { MoreRights } from './consent-link.ts';
import { type GrantEvent, runDeviceGrant } from './device-grant.ts';
import type { LarkHttp } from '../outbound/http.ts';
import type { PendingCodes } from './pending-code.ts';
import { otherApp } from './onboarding-errors.ts';
import { createPost, type Post } from './onboarding-http.ts';
import type { Clock } from '../../time/clock.ts';

/** Keeps the credentials. */
interface CredentialStore {
  /** Throws `BridgeError` if there is a bot that may not be replaced, or if nothing can be written. */
  admit(): void;
  /** On disk when it returns. A file that could not be read is kept under `keptPath`. */
  save(credentials: OwnedCredentials): { readonly keptPath: string | undefined };
}

export type OnboardingEvent =
  | GrantEvent
  /** The old credentials could not be read, and were moved to `path`. */
  | { readonly kind: 'old_kept'; readonly path: string };

interface OnboardingOptions {
  /** Of an existing app. For a new app it counts only if the server names no brand. */
  readonly brand: Brand;
  readonly openBaseUrl: string | undefined;
  readonly accountsBaseUrl: string | undefined;
  readonly timeoutMs: number;
  readonly http: LarkHttp;
  readonly store: CredentialStore;
  readonly pending: PendingCodes;
  readonly clock: Clock;
  /** 0…1, to spread repeats. */
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly onEvent: (event: OnboardingEvent) => void | Promise<void>;
}

/** No bot is stored unless a call resolves. All calls throw `BridgeError`, and each object takes one call. */
export class Onboarding {
  readonly #options: OnboardingOptions;
  readonly #post: Post;

  constructor(options: OnboardingOptions) {
    this.#options = options;
    this.#post = createPost(options.http);
  }

  /** Creates a bot that a person confirms through a link, and stores its credentials. */
  createBot(): Promise<Credentials> {
    return this.#obtain(() => runDeviceGrant({ ...this.#options, post: this.#post }));
  }

  /** Stores the credentials of an app that exists, after Lark has accepted them. */
  adoptApp(appId: AppId, appSecret: Secret): Promise<Credentials> {
    return this.#obtain(async () => {
      const credentials = { appId, appSecret, brand: this.#options.brand, owner: undefined };
      await checkAppSecret(credentials, { ...this.#options, post: this.#post });
      return credentials;
    });
  }

  /** Asks a person for more rights of the bot, and stores its secret as Lark gives it now. */
  extendBot(more: MoreRights): Promise<Credentials> {
    return this.#obtain(async () => {
      const credentials = await runDeviceGrant({ ...this.#options, post: this.#post, more });
      if (credentials.appId !== more.app) throw otherApp(credentials.appId, more.app);
      return credentials;
    });
  }

  async #obtain(ask: () => Promise<OwnedCredentials>): Promise<Credentials> {
    const { http, store, onEvent } = this.#options;
    store.admit();
    try {
      const credentials = await ask();
      const { keptPath } = store.save(credentials);
      if (keptPath !== undefined) await onEvent({ kind: 'old_kept', path: keptPath });
      return credentials;
    } finally {
      await http.close();
    }
  }
}
