/** What Lark brings: events, and the long connection that they come over. */
import type { AppId, ChatId, OpenId } from '../../core/ids.ts';
import type { InboundEvent } from '../../core/message.ts';

/** Takes the events that Lark delivers. */
export interface Intake {
  /**
   * Resolves when the event is stored in the journal, or was there already. Only then it may be acked.
   * Rejects if it could not be stored. Then it must not be acked, so that Lark delivers it again.
   */
  admit(event: InboundEvent | ChatEvent): Promise<EventReply | void>;
}

/** What the bridge needs from the long connection. */
export interface LongConnection {
  /** When it came up. `undefined` while it is down. */
  connectedSinceMs(): number | undefined;
  lastEventAtMs(): number | undefined;
  /** Drops the link and connects again. */
  restart(): void;
  /** Calls `listener` each time that the connection is up again. */
  onUp(listener: () => void): void;
}

/** How the bot comes into a chat. */
export type ChatEvent =
  /** Somebody added the bot to a group. */
  | {
      readonly kind: 'bot_added';
      readonly appId: AppId;
      readonly eventId: string;
      readonly chatId: ChatId;
      readonly name: string;
      readonly by: OpenId | undefined;
      /** Undefined: Lark did not say it. */
      readonly isExternal: boolean | undefined;
    }
  /** A person opened the direct chat. `isEmpty`: nothing was said in it yet. */
  | {
      readonly kind: 'chat_entered';
      readonly appId: AppId;
      readonly eventId: string;
      readonly chatId: ChatId;
      readonly by: OpenId;
      readonly isEmpty: boolean;
    };

/** What a person sees who has just pressed a button. */
export interface EventReply {
  readonly toast: {
    readonly kind: 'info' | 'success' | 'warning' | 'error';
    readonly text: string;
  };
}
