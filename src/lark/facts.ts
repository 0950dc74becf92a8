/** What a look at Lark from this machine brought, for whoever judges it. */
import type { ErrorCode } from '../core/errors.ts';

/** Why Lark refuses, where a person can do something about it. The codes behind these names stand in codes.ts. */
export type RefusalReason =
  | 'address_not_allowed'
  | 'app_disabled'
  | 'blocked_by_person'
  | 'bot_switched_off'
  | 'permission_missing'
  | 'person_not_included'
  | 'person_unknown'
  | 'quota_used_up';

/** What became of one question to Lark. */
export type Asked<T> =
  | { readonly kind: 'told'; readonly value: T }
  /** Lark's own word. `credentials`: it is about the app id or the secret. */
  | {
      readonly kind: 'refused';
      /** Undefined if there is nothing more to say about it than `detail`. */
      readonly reason: RefusalReason | undefined;
      readonly detail: string;
      readonly credentials: boolean;
    }
  /** Nobody answered, or not Lark. */
  | { readonly kind: 'silent'; readonly detail: string };

export type HostName = 'open' | 'accounts' | 'socket';

/** Whether a host of Lark can be reached over HTTP. */
export interface Reach {
  readonly name: HostName;
  /** Scheme, host and port. */
  readonly origin: string;
  /** The proxy on the way, without its credentials. */
  readonly proxy: string | undefined;
  readonly outcome:
    | {
        readonly kind: 'reached';
        /** The clocks on both sides at the same moment; undefined if it did not tell its own. */
        readonly clocks: { readonly hereMs: number; readonly thereMs: number } | undefined;
      }
    /** `code` names the failure: Node's, or undici's. */
    | { readonly kind: 'failed'; readonly code: string };
}

/** What Lark says about the long connection before one is opened. */
export type EndpointFact =
  | { readonly kind: 'offered' }
  | {
      readonly kind: 'refused';
      readonly error: ErrorCode;
      readonly detail: string;
      readonly next: string;
    }
  | { readonly kind: 'silent'; readonly detail: string };

export interface BotFact {
  readonly openId: string;
  readonly name: string;
  /** The bot ability is on, and a version of the app is published. */
  readonly active: boolean;
}

/** The app as the developer console shows it. Undefined: not told. */
export interface AppFact {
  readonly scopes: readonly string[] | undefined;
  readonly events: readonly string[] | undefined;
  readonly callbacks: readonly string[] | undefined;
  /** Callbacks go to a web address instead of the long connection. */
  readonly callbacksElsewhere: boolean;
}

export interface LarkFacts {
  readonly reaches: readonly Reach[];
  /** Undefined without app id and secret. */
  readonly app: AppFacts | undefined;
}

export interface ScopeNeed {
  /** Names of permissions. One of them is enough; the first one allows the least. */
  readonly anyOf: readonly [string, ...string[]];
  /** Completes the sentence "Without it the bot can't …". */
  readonly otherwise: string;
  /** Without it nobody gets an answer. */
  readonly essential: boolean;
  /** False for a permission that allows much: `connect` does not ask for it, people grant it if they want to. */
  readonly asked: boolean;
}

export interface EventNeed {
  readonly name: string;
  /** What happens without it. */
  readonly otherwise: string;
  /** Without it nobody gets an answer. */
  readonly essential: boolean;
}

/** What the bridge needs of its app. */
export interface AppNeeds {
  readonly scopes: readonly ScopeNeed[];
  readonly events: readonly EventNeed[];
  readonly callbacks: readonly EventNeed[];
  /** The permission with which an app can read its own permissions, events and callbacks. */
  readonly ownSettings: string;
}

/** What is asked in the name of the app. */
export interface AppFacts {
  readonly token: Asked<true>;
  /** The same question to the other brand's cloud; asked only if this one refuses. */
  readonly tokenElsewhere: Asked<true> | undefined;
  readonly endpoint: EndpointFact;
  /** The others need a token. */
  readonly bot: Asked<BotFact> | undefined;
  /** Long connections of the app that Lark counts, on all machines. */
  readonly connections: Asked<number> | undefined;
  readonly console: Asked<AppFact> | undefined;
}
