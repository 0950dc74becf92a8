/** Gives the bridge its bot: a new one that a person confirms, or an app that exists already. */
import type { Brand } from '../../core/brand.ts';
import type { Credentials, OwnedCredentials } from '../../core/credentials.ts';
import type { AppId } from '../../core/ids.ts';
import type { Secret } from '../../core/secret.ts';
import { checkAppSecret } from './app-secret.ts';
import { type GrantEvent, runDeviceGrant } from './device-grant.ts';
import type { LarkHttp } from '../outbound/http.ts';
import { createPost } from './onboarding-http.ts';
import type { Clock } from '../../time/clock.ts';

/** Where credentials are kept. */
export interface CredentialStore {
  /** Throws `BridgeError` if a bot is there that may not be replaced, or nothing can be written. */
  admit(): void;
  /** Durable when it returns. What was there and could not be read is kept; then its new path. */
  save(credentials: OwnedCredentials): { readonly keptPath: string | undefined };
}

export type OnboardingEvent =
  | GrantEvent
  /** Credentials that could not be read were moved out of the way. */
  | { readonly kind: 'old_kept'; readonly path: string };

export interface OnboardingOptions {
  /** For an existing app; for a new one only where the server names none. */
  readonly brand: Brand;
  readonly openBaseUrl: string | undefined;
  readonly accountsBaseUrl: string | undefined;
  readonly timeoutMs: number;
  readonly http: LarkHttp;
  readonly store: CredentialStore;
  readonly clock: Clock;
  /** 0…1, to spread repeats. */
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly onEvent: (event: OnboardingEvent) => void | Promise<void>;
}

/** Nothing is stored unless a call resolves. Both throw `BridgeError`. */
export interface Onboarding {
  /** Creates a bot that a person confirms through a link, and stores its credentials. */
  createBot(): Promise<Credentials>;
  /** Stores the credentials of an app that exists, after Lark has accepted them. */
  adoptApp(id: AppId, secret: Secret): Promise<Credentials>;
}

export function createLarkOnboarding(options: OnboardingOptions): Onboarding {
  const { http, store, onEvent, brand } = options;
  const post = createPost(http);

  async function obtain(ask: () => Promise<OwnedCredentials>): Promise<Credentials> {
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

  return {
    createBot: () => obtain(() => runDeviceGrant({ ...options, post })),
    adoptApp: (appId, appSecret) =>
      obtain(async () => {
        const credentials = { appId, appSecret, brand, owner: undefined };
        await checkAppSecret(credentials, { ...options, post });
        return credentials;
      }),
  };
}
