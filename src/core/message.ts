import type { Brand } from './brand.ts';
import type { AppId, ChatId, MessageId, OpenId } from './ids.ts';

export type ChatType = 'p2p' | 'group';

/** One piece of what a person sent. A list of these, and not a string, so that files can join later. */
export type Part =
  | { readonly kind: 'text'; readonly text: string }
  /** Something that we can't hand to an agent yet; `messageType` is Lark's word for it. */
  | { readonly kind: 'unsupported'; readonly messageType: string };

/** A message that Lark delivered, judged once at the edge and trusted from there on. */
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
  /** When the person sent it, by Lark's clock. */
  readonly sentAtMs: number;
  readonly parts: readonly Part[];
}

/** Where a message came from, as it travels with its turn to the agent. */
export interface LarkContext {
  readonly brand: Brand;
  readonly chatId: string;
  readonly chatType: ChatType;
  readonly senderOpenId: string;
  readonly messageId: string;
  readonly threadId?: string;
  readonly parentId?: string;
}

/** What Lark can deliver that the bridge acts on. */
export type InboundEvent =
  | { readonly kind: 'message'; readonly message: InboundMessage }
  | {
      readonly kind: 'recalled';
      readonly appId: AppId;
      readonly eventId: string;
      readonly messageId: MessageId;
      readonly chatId: ChatId;
    }
  /** Lark told of a message for the bot that nobody can read: the person is told so. */
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
      /** What the card's author put on the button. */
      readonly value: Readonly<Record<string, unknown>>;
    };
