import type { Brand } from './brand.ts';
import type { AppId, ChatId, MessageId, OpenId } from './ids.ts';

export type ChatType = 'p2p' | 'group';

/** Something that Lark keeps for a message. */
export interface Resource {
  readonly kind: 'image' | 'file' | 'audio' | 'video';
  /** Lark's name for it. It is a part of the path from which it can be read. */
  readonly key: string;
  readonly name?: string;
  readonly durationMs?: number;
  readonly bytes?: number;
}

/** One part of a message, in the order in which people see the parts. */
export type Part =
  /** In Markdown. */
  | { readonly kind: 'text'; readonly text: string }
  /**
   * `from`: the message that has it, if that is another one of the same turn. `missing`: why the agent did not get
   * the file in the run `failedInRun`.
   */
  | {
      readonly kind: 'resource';
      readonly resource: Resource;
      readonly from?: { readonly messageId: MessageId; readonly sentAtMs: number };
      readonly missing?: string;
      readonly failedInRun?: number;
    }
  /**
   * A bundle of forwarded messages. `text` is what it says, or why it could not be read in the run `failedInRun`.
   * Lark gives a bundle without its text, so it is read later.
   */
  | { readonly kind: 'forwarded'; readonly text?: string; readonly failedInRun?: number }
  /** Something that the bridge does not know. `messageType` is Lark's name for it. */
  | { readonly kind: 'unsupported'; readonly messageType: string };

/** What Lark says about a person or a bot beside the open id. The tenants are not always known. */
export interface SenderFacts {
  readonly unionId?: string;
  readonly isBot?: true;
  readonly tenant?: string;
  /** The tenant of the app itself. */
  readonly ownTenant?: string;
}

/** A message from Lark. It was checked where it entered, and is trusted from there on. */
export interface InboundMessage {
  readonly appId: AppId;
  readonly messageId: MessageId;
  readonly eventId: string;
  readonly chatId: ChatId;
  readonly chatType: ChatType;
  readonly senderOpenId: OpenId;
  readonly sender?: SenderFacts;
  readonly rootId: MessageId | undefined;
  readonly parentId: MessageId | undefined;
  /** `omt_…`, present only for a message inside a thread. */
  readonly threadId: string | undefined;
  /** When the person sent it, in the time of Lark's clock. */
  readonly sentAtMs: number;
  readonly parts: readonly Part[];
  /** When the person last changed it. `parts`: what it says since then, if the current run does not use it. */
  readonly edited?: { readonly atMs: number; readonly parts?: readonly Part[] };
  /** It has neither words nor files, such as a sticker or a place. */
  readonly isWordless?: true;
  /** Whom it mentions, without the bot itself. Absent: nobody. */
  readonly mentioned?: readonly { readonly openId: OpenId; readonly name: string }[];
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
  /** A person changed a message. `message` is what it says now. */
  | { readonly kind: 'edited'; readonly message: InboundMessage; readonly editedAtMs: number }
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
      readonly operator?: SenderFacts;
      /** The value that the author of the card gave to the button. */
      readonly value: Readonly<Record<string, unknown>>;
    }
  /** A person selected an entry of the bot's menu. The event names no chat. */
  | {
      readonly kind: 'menu';
      readonly appId: AppId;
      readonly eventId: string;
      readonly operatorOpenId: OpenId;
      readonly eventKey: string;
    };
