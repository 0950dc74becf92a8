import type { Brand } from './brand.ts';
import type { AppId, ChatId, MessageId, OpenId } from './ids.ts';

export type ChatType = 'p2p' | 'group';

/** One part of a message. A message is a list of parts, so that it can have files as well. */
export type Part =
  | { readonly kind: 'text'; readonly text: string }
  /** Something that an agent can't get yet. `messageType` is Lark's name for it. */
  | { readonly kind: 'unsupported'; readonly messageType: string };

/** A message from Lark. It was checked where it entered, and is trusted from there on. */
export interface InboundMessage {
  readonly appId: AppId;
  readonly messageId: MessageId;
  readonly eventId: string;
  readonly chatId: ChatId;
  readonly chatType: ChatType;
  readonly senderOpenId: OpenId;
  readonly rootId: MessageId | undefined;
  readonly parentId: MessageId | undefined;
  /** `omt_…`, present only for a message inside a thread. */
  readonly threadId: string | undefined;
  /** When the person sent it, in the time of Lark's clock. */
  readonly sentAtMs: number;
  readonly parts: readonly Part[];
}

/** Where a message came from. The agent gets this with the turn. */
export interface LarkContext {
  readonly brand: Brand;
  readonly chatId: string;
  readonly chatType: ChatType;
  readonly senderOpenId: string;
  readonly messageId: string;
  readonly threadId?: string;
  readonly parentId?: string;
}

/** The events of Lark that the bridge handles. */
export type InboundEvent =
  | { readonly kind: 'message'; readonly message: InboundMessage }
  | {
      readonly kind: 'recalled';
      readonly appId: AppId;
      readonly eventId: string;
      readonly messageId: MessageId;
      readonly chatId: ChatId;
      /** Lark's word for who did it, such as `message_owner` or `group_manager`. */
      readonly by?: string;
    }
  /** A message for the bot that can't be read. The person is told so. */
  | {
      readonly kind: 'unreadable';
      readonly appId: AppId;
      readonly eventId: string;
      readonly messageId: MessageId;
      readonly chatId: ChatId;
      readonly threadId: string | undefined;
    }
  | {
      readonly kind: 'button';
      readonly appId: AppId;
      readonly eventId: string;
      readonly chatId: ChatId;
      /** The message that carries the card. */
      readonly messageId: MessageId;
      readonly operatorOpenId: OpenId;
      /** The value that the author of the card gave to the button. */
      readonly value: Readonly<Record<string, unknown>>;
    };
