/** What the world is asked to hold. */
import type { Brand, Sender, SimApp, SimChat, SimMention, SimMessage, SimUser } from './model.ts';

export interface WorldOptions {
  /** The cloud's clock, in milliseconds since 1970. It must never go back. */
  readonly nowMs: () => number;
  readonly seed: number;
  /** A chat keeps its newest messages only. */
  readonly messagesPerChatMax?: number;
}

export interface NewApp {
  readonly name?: string;
  readonly brand?: Brand;
  readonly appId?: string;
  readonly appSecret?: string;
  readonly scopes?: Iterable<string>;
  readonly subscriptions?: Iterable<string>;
  readonly description?: string;
  /** The person who created it; by default the first person of the world. */
  readonly owner?: SimUser;
}

/** Changes of an app. What is left out stays. */
export interface AppChange {
  readonly name?: string | undefined;
  /** False: the bot ability is off. */
  readonly bot?: boolean | undefined;
  /** Replaces all scopes that it has. */
  readonly scopes?: readonly string[] | undefined;
  readonly addScopes?: readonly string[] | undefined;
  readonly removeScopes?: readonly string[] | undefined;
  readonly subscriptions?: readonly string[] | undefined;
}

export interface NewGroup {
  readonly name: string;
  readonly members?: readonly SimUser[];
  readonly apps?: readonly SimApp[];
  readonly mode?: 'group' | 'topic';
  readonly messageForm?: 'chat' | 'thread';
  readonly description?: string;
}

export interface NewUser {
  readonly name: string;
  /** By default an invented one. */
  readonly email?: string | undefined;
  /** The key of another tenant: the person is external. */
  readonly tenantKey?: string | undefined;
}

/** A message to be posted. `content` is the JSON text that the history will show. */
export interface Draft {
  readonly chat: SimChat;
  readonly sender: Sender;
  readonly msgType: string;
  readonly content: string;
  readonly mentions?: readonly SimMention[];
  readonly replyTo?: SimMessage | undefined;
  /** Opens a thread under `replyTo` if there is none yet. */
  readonly inThread?: boolean;
  /** A time in the past; by default now. */
  readonly atMs?: number | undefined;
  readonly cardId?: string | undefined;
  readonly upperMessageId?: string | undefined;
  /** Open id of the only person who sees it. */
  readonly visibleTo?: string | undefined;
}

export type UserIdType = 'open_id' | 'union_id' | 'user_id' | 'email';

/** What a card message showed before. */
export interface CardState {
  /** JSON of the card. */
  readonly json: string;
  /** When the next state took its place. */
  readonly untilMs: number;
}
