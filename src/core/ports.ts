/** What one room needs from another. Rooms import these, never each other; `app.ts` joins them. */
import type { ChatId, MessageId, WorkspaceId } from './ids.ts';
import type { InboundEvent, InboundMessage, LarkContext } from './message.ts';

export interface Clock {
  nowMs(): number;
  /** Calls `run` once after `delayMs`; the returned function cancels. */
  after(delayMs: number, run: () => void): () => void;
}

export type LogFields = Readonly<Record<string, unknown>>;

/** Event names in the past tense and flat fields; ids yes, text of chats and secrets never. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

// ---------------------------------------------------------------- agents (run by the hub)

export interface AgentTurn {
  /** Names this turn at the hub; the same id comes again if the turn has to be run again. */
  readonly turnId: string;
  /** What the person wrote, without the header line. */
  readonly text: string;
  readonly lark: LarkContext | undefined;
}

export type AgentResult =
  | { readonly ok: true; readonly text: string }
  | {
      readonly ok: false;
      readonly reason: 'failed' | 'timed_out' | 'cancelled';
      /** For the person in the chat: one plain sentence, no secrets, no stack. */
      readonly detail: string;
    };

export interface AgentRun {
  /** Never rejects for what an agent does wrong. */
  readonly result: Promise<AgentResult>;
  /** Ends the run; `result` then settles as `cancelled`. Harmless after the end. */
  cancel(): void;
}

/** Something that answers turns. Progress before the answer comes as a later method of `AgentRun`. */
export interface Agent {
  start(turn: AgentTurn): AgentRun;
}

// ---------------------------------------------------------------- Lark → bridge

/** The bridge's door for what Lark delivers. */
export interface Intake {
  /**
   * Resolves when the event is durably in the journal, or was there already: only then may it be acked.
   * Rejects if it could not be stored: then it must not be acked, so that Lark delivers it again.
   */
  admit(event: InboundEvent): Promise<void>;
}

/** The long connection, as far as the bridge minds it. */
export interface Line {
  /** Since when it is up; `undefined` while it is down. */
  connectedSinceMs(): number | undefined;
  lastEventAtMs(): number | undefined;
  /** Drops the link and connects anew. */
  restart(): void;
}

// ---------------------------------------------------------------- bridge → Lark

/** One finished piece to show in a chat. */
export type Rendered =
  | { readonly kind: 'text'; readonly text: string }
  /** JSON of a card, schema 2.0. */
  | { readonly kind: 'card'; readonly card: string };

/** Who goes first when Lark's rate limits make calls wait: what people wait for most. */
export type CallPriority = 'answer' | 'notice' | 'stream' | 'reaction' | 'background';

export type Outgoing =
  | {
      readonly kind: 'reply';
      readonly chatId: ChatId;
      readonly replyTo: MessageId;
      readonly inThread: boolean;
      readonly content: Rendered;
    }
  | { readonly kind: 'send'; readonly chatId: ChatId; readonly content: Rendered }
  | {
      readonly kind: 'react';
      readonly chatId: ChatId;
      readonly messageId: MessageId;
      readonly emoji: string;
      /** It may be there already: reactions have no key at Lark, so it is looked for first. */
      readonly again: boolean;
    }
  | {
      readonly kind: 'unreact';
      readonly chatId: ChatId;
      readonly messageId: MessageId;
      readonly reactionId: string;
    };

/** What to do about a call that Lark did not carry out; one row per error code says which. */
export type LarkAction =
  /** Rate limited: the same call under the same key, not before `retryAfterMs`. */
  | 'wait'
  /** A passing fault: the same call under the same key. */
  | 'retry'
  /** No answer came: it may have happened. The same call under the same key, while Lark honours keys. */
  | 'unknown'
  /** Too long: cut it into smaller pieces. */
  | 'split'
  /** The message to answer is gone: send to the chat, with a quote. */
  | 'fall_back_to_chat'
  /** No thread there: reply without one. */
  | 'fall_back_from_thread'
  /** The card was refused: send its text. */
  | 'fall_back_to_text'
  /** Will never work; the person is told in words. */
  | 'give_up'
  /** Will not work until the operator changes something (a missing permission, the bot switched off). */
  | 'tell_operator'
  /** The bot can't write to this chat any more. */
  | 'chat_dead';

export type DeliveryResult =
  /** `id`: the message id, or the reaction id for `react`. */
  | { readonly ok: true; readonly id: string }
  | {
      readonly ok: false;
      readonly action: LarkAction;
      /** Lark's code; undefined when no answer of Lark's form came. */
      readonly code: number | undefined;
      /** For logs and operators; never holds content or credentials. */
      readonly detail: string;
      readonly retryAfterMs?: number;
    };

/** A message as the chat's history shows it. */
export interface HistoryMessage {
  readonly messageId: MessageId;
  readonly chatId: ChatId;
  readonly sentAtMs: number;
  /** True if this app sent it. */
  readonly own: boolean;
  readonly parentId: MessageId | undefined;
  /** The thread that it is in, or that was begun under it. */
  readonly threadId: string | undefined;
  readonly deleted: boolean;
  /** Text as shown, for own messages; used to find out whether a send in doubt arrived. */
  readonly text: string | undefined;
  /** What the live event would have given; undefined for what the bot would not take up (own, not addressed). */
  readonly inbound: InboundMessage | undefined;
}

export interface LarkGateway {
  /** Never rejects for what Lark or the network does; `key` makes repeats of one send harmless. */
  deliver(out: Outgoing, key: string, priority: CallPriority): Promise<DeliveryResult>;
  /**
   * Messages of a chat from `sinceMs` on, oldest first; those inside a thread only if it is named.
   * Throws `BridgeError` if Lark refuses.
   */
  history(chatId: ChatId, sinceMs: number, threadId?: string): Promise<readonly HistoryMessage[]>;
}

// ---------------------------------------------------------------- bridge → hub

export interface TurnRequest {
  /** Same for every try of one turn; the hub takes a second send of it for a repeat. */
  readonly messageId: string;
  readonly text: string;
  readonly context: LarkContext;
  /** Workspace that gets the turn; fixed at the first try. */
  readonly target: WorkspaceId;
}

export type TurnAnswer =
  | { readonly kind: 'answered'; readonly text: string }
  /** The agent said no or broke; `detail` is for people. `interrupted`: it died with its process. */
  | { readonly kind: 'failed'; readonly detail: string; readonly interrupted?: boolean };

export type SendResult =
  | TurnAnswer
  /** The answer will be found under `ticket` (a queue id). */
  | { readonly kind: 'accepted'; readonly ticket: string }
  /** Accepted by a target that can't say which turn an answer belongs to. */
  | { readonly kind: 'accepted_uncorrelated' }
  /** Accepted by a target whose answer has no way back to us. */
  | { readonly kind: 'unanswerable' }
  /** Not taken; safe to send again after the wait. */
  | { readonly kind: 'busy'; readonly retryAfterMs: number; readonly detail: string }
  /** Nothing reached the hub; safe to send again. */
  | { readonly kind: 'unreachable'; readonly detail: string }
  /** Refused for good; sending again won't help until somebody changes something. */
  | { readonly kind: 'refused'; readonly detail: string }
  /** The request left, no usable answer came: the turn may be running. */
  | { readonly kind: 'unknown'; readonly detail: string };

export type WaitResult =
  | TurnAnswer
  | { readonly kind: 'pending' }
  /** The hub does not know the ticket (any more). */
  | { readonly kind: 'lost'; readonly detail: string }
  | { readonly kind: 'unreachable'; readonly detail: string };

/** What came for the bridge at the hub without naming a turn. */
export interface LooseAnswer {
  /** The same for every time it is handed over. */
  readonly id: string;
  readonly from: WorkspaceId;
  readonly text: string;
  /** Why there is no answer, if that is what the text says. */
  readonly failure?: string;
}

/** The hub as the bridge sees it. */
export interface TurnTarget {
  /** True if every answer names its turn, so that chats may run side by side. */
  readonly correlates: boolean;
  /** True if the hub takes a repeated message id for the same turn, so that "unknown" may be sent again. */
  readonly deduplicates: boolean;
  /** The workspace that gets new turns. */
  currentTarget(): Promise<WorkspaceId>;
  send(request: TurnRequest, signal: AbortSignal): Promise<SendResult>;
  /** Waits (bounded, tens of seconds) for the answer under a ticket. */
  wait(target: WorkspaceId, ticket: string, signal: AbortSignal): Promise<WaitResult>;
  /**
   * Nobody wants the answer to a message any more: a hub that can ends the work on it. Never rejects for
   * what the network or the hub does.
   */
  cancel?(target: WorkspaceId, messageId: string, signal: AbortSignal): Promise<void>;
}
