/** What the doctor learns from Lark, and what the bridge needs there. The doctor imports only this file. */
import type { ErrorCode } from '../core/errors.ts';
import type { Text } from '../core/language.ts';

/** Why Lark refuses, if a person can do something about it. codes.ts says which codes have which reason. */
export type RefusalReason =
  | 'address_not_allowed'
  | 'app_disabled'
  | 'blocked_by_person'
  | 'bot_switched_off'
  | 'permission_missing'
  | 'person_not_included'
  | 'person_unknown'
  | 'quota_used_up';

/** The result of one call to Lark. */
export type LarkResult<T> =
  | { readonly kind: 'ok'; readonly value: T }
  /** Lark itself refused. `credentials`: because of the app id or the secret. */
  | {
      readonly kind: 'refused';
      /** Undefined if only `detail` is known. */
      readonly reason: RefusalReason | undefined;
      readonly detail: string;
      readonly credentials: boolean;
    }
  /** No answer came, or an answer that is not from Lark. */
  | { readonly kind: 'silent'; readonly detail: string };

export type HostName = 'open' | 'accounts' | 'socket';

/** Whether a host of Lark can be reached over HTTP. */
export interface Reach {
  readonly name: HostName;
  /** Scheme, host and port. */
  readonly origin: string;
  /** The proxy that is used, without its credentials. */
  readonly proxy: string | undefined;
  readonly outcome:
    | {
        readonly kind: 'reached';
        /** Both clocks at the same moment. Undefined if the host did not send its time. */
        readonly clocks: { readonly hereMs: number; readonly thereMs: number } | undefined;
      }
    /** `code` names the failure: Node's, or undici's. */
    | { readonly kind: 'failed'; readonly code: string };
}

/** Whether Lark offers a long connection. None is opened for this. */
export type EndpointFact =
  | { readonly kind: 'offered' }
  | {
      readonly kind: 'refused';
      readonly error: ErrorCode;
      readonly detail: string;
      readonly next: Text;
    }
  | { readonly kind: 'silent'; readonly detail: string };

export interface BotFact {
  readonly openId: string;
  readonly name: string;
  /** The bot ability is on, and a version of the app is published. */
  readonly active: boolean;
}

/** The app as the developer console shows it. Undefined: Lark did not say. */
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
  /** False for what allows much or is of little use at first: `connect` does not ask for it, people grant it later. */
  readonly asked: boolean;
}

export interface EventNeed {
  readonly name: string;
  /** What happens without it. */
  readonly otherwise: string;
  /** Without it nobody gets an answer. */
  readonly essential: boolean;
  /** As with permissions. */
  readonly asked: boolean;
}

/** What the bridge needs of its app. */
export interface AppNeeds {
  readonly scopes: readonly ScopeNeed[];
  readonly events: readonly EventNeed[];
  readonly callbacks: readonly EventNeed[];
  /** The permission with which an app can read its own permissions, events and callbacks. */
  readonly ownSettings: string;
}

/** What Lark answers to the app. */
export interface AppFacts {
  readonly token: LarkResult<true>;
  /** The same question to the other brand's cloud. It is asked only if this cloud refuses. */
  readonly tokenElsewhere: LarkResult<true> | undefined;
  readonly endpoint: EndpointFact;
  /** The following questions need a token. */
  readonly bot: LarkResult<BotFact> | undefined;
  /** Lark's count of the app's long connections on all machines. */
  readonly connections: LarkResult<number> | undefined;
  readonly console: LarkResult<AppFact> | undefined;
}
