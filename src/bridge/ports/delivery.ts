/** A call to Lark for a chat, and what became of it. */
import type { Content } from '../../core/content.ts';
import type { ChatId, MessageId } from '../../core/ids.ts';
import type { ButtonValue } from '../../wire/choice-value.ts';

/** The order of calls that wait because of Lark's rate limits. Calls that people wait for come first. */
export type CallPriority = 'answer' | 'notice' | 'stream' | 'reaction' | 'background';

export type Outgoing =
  | {
      readonly kind: 'reply';
      readonly chatId: ChatId;
      readonly replyTo: MessageId;
      readonly inThread: boolean;
      readonly content: Content;
      /** What the buttons of the content say when they are pressed, in order. */
      readonly buttonValues?: readonly ButtonValue[];
    }
  | {
      readonly kind: 'send';
      readonly chatId: ChatId;
      readonly content: Content;
      readonly buttonValues?: readonly ButtonValue[];
    }
  /** Shows something else in a card that was sent before. */
  | {
      readonly kind: 'update';
      readonly chatId: ChatId;
      readonly messageId: MessageId;
      readonly content: Content;
    }
  | {
      readonly kind: 'react';
      readonly chatId: ChatId;
      readonly messageId: MessageId;
      readonly emoji: string;
      /** The reaction may exist already. Reactions have no key at Lark, so Lark is asked first. */
      readonly again: boolean;
    }
  | {
      readonly kind: 'unreact';
      readonly chatId: ChatId;
      readonly messageId: MessageId;
      readonly reactionId: string;
    };

/** What to do about a call that Lark did not carry out. The table of Lark's codes has one row for each code. */
export type LarkAction =
  /** Lark's rate limit: make the same call under the same key, but not before `retryAfterMs`. */
  | 'wait'
  /** A fault that passes: make the same call under the same key. */
  | 'retry'
  /** No answer came, so Lark may have carried it out. Make the same call under the same key, as long as Lark honours keys. */
  | 'unknown'
  /** Too long: cut it into smaller pieces. */
  | 'split'
  /** The message to answer was recalled or deleted. */
  | 'message_gone'
  /** There is no thread: reply without one. If that is refused too, send to the chat. */
  | 'fall_back_from_thread'
  /** The card or post was refused: send it in a simpler form. */
  | 'fall_back_to_text'
  /** An unknown code: make the same call a few more times, then give up. */
  | 'unsure'
  /** It will never work. The person gets a notice. */
  | 'give_up'
  /** It will not work until the operator changes something, such as a missing permission or a disabled bot. */
  | 'tell_operator'
  /** The bot can't write to this chat any more. */
  | 'chat_dead';

export type DeliveryResult =
  /** `id`: the message id, or the reaction id for `react`. */
  | { readonly ok: true; readonly id: string }
  | {
      readonly ok: false;
      readonly action: LarkAction;
      /** Lark's code. Undefined if no answer in Lark's form came. */
      readonly code: number | undefined;
      /** For logs and operators. It never contains content or credentials. */
      readonly detail: string;
      readonly retryAfterMs?: number;
    };
