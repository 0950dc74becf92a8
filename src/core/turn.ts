/** The work that one message causes, and what is sent because of it, as the journal keeps them. */
import type { ChoiceAction, ChoiceButton, Content } from './content.ts';
import type { ChatId, MessageId, TurnId, WorkspaceId } from './ids.ts';
import type { InboundMessage } from './message.ts';

/** Why a turn waits for a person's decision. */
export type HoldReason =
  /** It was sent so long ago that running it now might surprise. */
  | 'stale'
  /** The agent may or may not have run it, and the hub can't tell. */
  | 'unknown'
  /** The agent died in the middle and `on-interrupted` is `ask`. */
  | 'interrupted';

export type TurnState =
  | { readonly phase: 'waiting'; readonly attempt: number; readonly notBeforeMs: number }
  /** The slot is taken; the request may be on its way. */
  | {
      readonly phase: 'sending';
      readonly attempt: number;
      readonly target: WorkspaceId;
      readonly deadlineMs: number;
    }
  /** The hub has it. Without a ticket the target can't say which turn an answer belongs to. */
  | {
      readonly phase: 'accepted';
      readonly attempt: number;
      readonly target: WorkspaceId;
      readonly ticket: string | undefined;
      /** All that the ticket holds is an unfinished task: the answer may come there, or name no turn. */
      readonly isLoose?: true;
      readonly deadlineMs: number;
    }
  /**
   * The slot is free, and its answer may still come: its time is over, or its agent asked the person for
   * something. With a ticket a late answer is still its own; without one, the next answer may be, and is
   * therefore kept from other turns.
   */
  | {
      readonly phase: 'overdue';
      readonly target: WorkspaceId;
      readonly ticket: string | undefined;
      readonly isLoose?: true;
      /** Its agent waits for the person. */
      readonly asks?: true;
      readonly sinceMs: number;
    }
  | { readonly phase: 'held'; readonly why: HoldReason }
  /** Not for the agent: what a person told the bridge itself to do about other turns. */
  | { readonly phase: 'command'; readonly action: ChoiceAction; readonly about: readonly TurnId[] }
  /** `isOpen`: its agent asked the person for something, and nothing that came was known to be its end. */
  | { readonly phase: 'answered'; readonly isOpen?: true }
  | { readonly phase: 'failed'; readonly reason: string; readonly cause?: FailureCause }
  | { readonly phase: 'dropped'; readonly why: 'recalled' | 'skipped' | 'operator' };

/** For the operator: the agent, where the hub ran it itself, and in the hub's words what it ended with. */
export interface FailureCause {
  readonly agent: string;
  readonly detail: string;
}

export type TurnPhase = TurnState['phase'];

export interface Turn {
  readonly id: TurnId;
  /** Order of arrival over all chats. */
  readonly seq: number;
  readonly message: InboundMessage;
  readonly receivedAtMs: number;
  /** Counts how often the turn was begun anew by a person's wish; part of every key made from it. */
  readonly run: number;
  /** By which its agent can say that an answer is for it; there is one once it was given to an agent. */
  readonly replyToken?: string;
  readonly state: TurnState;
}

/** What a step of a turn wants to be shown; the outbox gives each a key and a row. */
export type Show =
  /** Without a name it is the answer; with one, something else that the agent said about the turn. */
  | { readonly what: 'answer'; readonly name?: string; readonly text: string }
  | { readonly what: 'notice'; readonly name: string; readonly text: string }
  /** A notice with buttons; `words` are what can be typed instead. */
  | {
      readonly what: 'choice';
      readonly name: string;
      readonly text: string;
      readonly buttons: readonly ChoiceButton[];
    }
  /** The sign on the person's message that it was received, and its removal. */
  | { readonly what: 'receipt'; readonly dueAtMs: number }
  | { readonly what: 'receipt_off' };

// ---------------------------------------------------------------- outbox

export type OutboxBody =
  /** `tellsOfFailure`: that another row could not be shown. If this one can't be shown either, nothing takes its place. */
  | { readonly kind: 'message'; readonly content: Content; readonly tellsOfFailure?: true }
  | { readonly kind: 'react'; readonly emoji: string }
  /** Takes back the reaction that the row with this key put there. */
  | { readonly kind: 'unreact'; readonly reactKey: string };

/** How a message row has to be shown; each step down is for a refusal of the one before. */
export type Placement = 'thread' | 'reply' | 'chat';

export type OutboxState =
  | { readonly phase: 'pending'; readonly dueAtMs: number }
  | { readonly phase: 'sent'; readonly larkId: string; readonly atMs: number }
  /** Could not be delivered; listed for the operator. */
  | { readonly phase: 'dead'; readonly atMs: number }
  /** Not wanted any more before it was sent. */
  | { readonly phase: 'dropped' };

export interface OutboxRow {
  readonly key: string;
  readonly seq: number;
  /** Rows of one lane are sent one after another, in order. */
  readonly lane: string;
  readonly turn: TurnId | undefined;
  readonly chatId: ChatId;
  readonly replyTo: MessageId | undefined;
  readonly placement: Placement;
  readonly priority: 'answer' | 'notice' | 'reaction';
  readonly body: OutboxBody;
  readonly createdAtMs: number;
  /** Set (and durable) before the first try, so that after a crash one knows what may have arrived. */
  readonly triedAtMs: number | undefined;
  /** When an operator had it sent again; from then on it is tried as long as a new one. */
  readonly replayedAtMs: number | undefined;
  readonly attempts: number;
  /** Lark's code and our words for the latest failure. */
  readonly lastError: string | undefined;
  readonly state: OutboxState;
}

/** A row before the journal gave it its place in the order. */
export type OutboxDraft = Omit<
  OutboxRow,
  'seq' | 'triedAtMs' | 'replayedAtMs' | 'attempts' | 'lastError' | 'state'
> & {
  readonly dueAtMs: number;
};
