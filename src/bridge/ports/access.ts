/** Who may talk to the bot. */
import type { ChatId, OpenId } from '../../core/ids.ts';
import type { TurnState } from '../../core/turn.ts';
import type { OutboxDraft } from './outbox.ts';

export type PersonState = 'waiting' | 'allowed' | 'blocked';

export type GroupState = 'allowed' | 'denied';

/** What is known about one person, or one other bot, in this app. */
export interface PersonAccess {
  readonly openId: OpenId;
  readonly unionId?: string | undefined;
  readonly isBot?: boolean | undefined;
  /** Of another tenant, or of one that Lark did not say. */
  readonly isOutside?: boolean | undefined;
  readonly name?: string | undefined;
  /** Undefined: the person has not asked, or the permission was taken back. */
  readonly state?: PersonState | undefined;
  /** It was decided in another app of the same developer. */
  readonly isElsewhere?: boolean | undefined;
  /** The open id of who decided, or `operator`, or `earlier_version`. */
  readonly decidedBy?: string | undefined;
  readonly decidedAtMs?: number | undefined;
  readonly code?: string | undefined;
  readonly askedAtMs?: number | undefined;
  readonly expiresAtMs?: number | undefined;
  /** The direct chat. */
  readonly chatId?: ChatId | undefined;
  /** The owner was asked about the latest request. */
  readonly isShown?: boolean | undefined;
  /** When the bot last said that the person may not talk to it, in the direct chat and in a group. */
  readonly toldAtMs?: number | undefined;
  readonly toldInGroupAtMs?: number | undefined;
  readonly isGreeted?: boolean | undefined;
}

/** What is known about one group. */
export interface GroupAccess {
  readonly chatId: ChatId;
  readonly name?: string | undefined;
  /** Undefined: those who may talk to the bot in private may do so here. */
  readonly state?: GroupState | undefined;
  /** Undefined: Lark has not said it yet. `'unknown'`: Lark does not say it. */
  readonly isExternal?: boolean | 'unknown' | undefined;
  /** Turns of other bots since the last turn of a person. */
  readonly botTurns?: number | undefined;
}

/** What is known about the app itself. */
export interface AppAccess {
  readonly owner?: OpenId | undefined;
  /** The owner's direct chat. */
  readonly ownerChat?: ChatId | undefined;
  readonly tenant?: string | undefined;
}

/** What is known when a message or a press is judged. */
export interface AccessRecords {
  readonly app: AppAccess;
  readonly person: PersonAccess | undefined;
  readonly group: GroupAccess | undefined;
  /** How many messages of the person are kept. */
  readonly kept: number;
}

export interface AccessChange {
  readonly app?: AppAccess;
  readonly person?: Omit<PersonAccess, 'openId'>;
  readonly group?: Omit<GroupAccess, 'chatId'>;
}

/** `closed` is not given: the message is admitted as it is. */
export interface AccessJudgement {
  readonly closed?: {
    readonly state: TurnState;
    readonly out: readonly OutboxDraft[];
  };
  readonly access?: AccessChange | undefined;
}

/** Whom and which group a decision is about. */
export interface AccessSubject {
  readonly openId?: OpenId | undefined;
  readonly unionId?: string | undefined;
  readonly chatId?: ChatId | undefined;
}

/** Who gives an order about who may talk, and the name under which it is done only once. */
interface AccessDecider {
  readonly by: OpenId;
  readonly once: string;
}

/** Who may talk to the bot, as the owner orders it. */
export interface AccessOrders {
  allow(person: OpenId, decider: AccessDecider): Promise<AccessOutcome>;
  block(person: OpenId, decider: AccessDecider): Promise<AccessOutcome>;
  revoke(person: OpenId, decider: AccessDecider): Promise<AccessOutcome>;
  allowChat(chat: ChatId, decider: AccessDecider): Promise<AccessOutcome>;
  denyChat(chat: ChatId, decider: AccessDecider): Promise<AccessOutcome>;
  /** Lets in whoever got this code. Undefined: nobody did, or it is too old. */
  approve(code: string, decider: AccessDecider): Promise<PersonAccess | undefined>;
}

/** `unchanged`: it was so already. `is_owner`: the owner always may talk. */
export type AccessOutcome = 'done' | 'unchanged' | 'is_owner';

/** What Lark says about who is where. Does not reject if Lark or the network fails. */
export interface AccessLookup {
  group(chat: ChatId): Promise<GroupLookup>;
  /** Writes to a person in their direct chat, and says which chat that is. `key` makes repeats harmless. */
  writeTo(person: OpenId, text: string, key: string): Promise<ChatId | undefined>;
}

export type GroupLookup =
  | { readonly ok: true; readonly isExternal: boolean; readonly name: string }
  /** `isPassing`: another try may help. */
  | { readonly ok: false; readonly isPassing: boolean };
