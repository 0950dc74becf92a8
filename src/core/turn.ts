/** The work that one message causes, and what is sent for it, as the journal keeps them. */
import type {
  AnswerFile,
  ChoiceButton,
  CommandName,
  Content,
  MenuButton,
  QuestionContent,
} from './content.ts';
import type { ChatId, MessageId, OpenId, TurnId, WorkspaceId } from './ids.ts';
import type { Text } from './language.ts';
import type { InboundMessage } from './message.ts';
import type { TurnDetails } from './turn-details.ts';

/** Why a turn waits for a person's decision. */
export type HoldReason =
  /** The message is old, so the person may not want it to run now. */
  | 'stale'
  /** It is not known whether the agent has run it, not even at the hub. */
  | 'unknown'
  /** The agent died while it ran the turn, and `on-interrupted` is `ask`. */
  | 'interrupted';

/** Why a message waits although nobody who may decide about a turn can let it run. */
type KeepReason =
  /** Its sender may not talk to the bot, or not here, until the owner says so. */
  | 'guest'
  /** Lark has not said yet whether its group is external. */
  | 'group_unknown';

export type TurnState =
  | {
      readonly phase: 'waiting';
      readonly attempt: number;
      readonly notBeforeMs: number;
      /** It has no words. Until it begins, what the same person says next takes it in. */
      readonly gathers?: true;
    }
  /** The turn has a slot. The request may have been sent. */
  | {
      readonly phase: 'sending';
      readonly attempt: number;
      readonly target: WorkspaceId;
      readonly deadlineMs: number;
    }
  /** The hub has the turn. Without a ticket the target can't say which turn an answer belongs to. */
  | {
      readonly phase: 'accepted';
      readonly attempt: number;
      readonly target: WorkspaceId;
      readonly ticket: string | undefined;
      /** The ticket leads to an unfinished task. The answer may come under the ticket, or without naming its turn. */
      readonly isLoose?: true;
      readonly deadlineMs: number;
    }
  /**
   * The slot is free, but the answer may still come: the time is over, or the agent asked the person for
   * something. With a ticket a late answer is known to belong to the turn. Without one the next answer may belong
   * to it, so no other turn gets that answer.
   */
  | {
      readonly phase: 'overdue';
      readonly target: WorkspaceId;
      readonly ticket: string | undefined;
      readonly isLoose?: true;
      /** The agent waits for the person. */
      readonly asks?: true;
      readonly sinceMs: number;
    }
  | { readonly phase: 'held'; readonly why: HoldReason }
  /** The message of somebody who may not talk to the bot. Only a decision about who may talk moves it on. */
  | { readonly phase: 'kept'; readonly why: KeepReason }
  /** A person's command to the bridge, and the turns that it is about. The agent does not get it. */
  | {
      readonly phase: 'command';
      readonly action: CommandName;
      readonly argument?: string;
      readonly about: readonly TurnId[];
    }
  /**
   * `isOpen`: the agent asked the person for something, and the bridge does not know of an end of its task.
   * `joined`: its message is a part of that turn, and is answered with it.
   */
  | { readonly phase: 'answered'; readonly isOpen?: true; readonly joined?: TurnId }
  | { readonly phase: 'failed'; readonly reason: string; readonly cause?: FailureCause }
  /** `by`: the open id of who skipped or stopped it, or Lark's word for who recalled the message. */
  | { readonly phase: 'dropped'; readonly why: DropReason; readonly by?: string };

/** `not_allowed`: its sender may not talk to the bot. */
type DropReason = 'recalled' | 'skipped' | 'stopped' | 'operator' | 'not_allowed';

/** For the operator: the agent, if the hub ran it itself, and the hub's text about how it ended. */
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
  /** Grows by one when a person lets the turn run again. It is a part of all keys of the turn. */
  readonly run: number;
  /** The agent uses it to say that an answer is for this turn. Set when the turn was given to an agent. */
  readonly replyToken?: string;
  /** Who asked for the current run, if that is not the author of the message. The run is theirs. */
  readonly askedBy?: OpenId;
  readonly details?: TurnDetails;
  readonly state: TurnState;
}

/** What a step of a turn shows. The outbox makes a row with a key for each, in the language of whose turn it is. */
export type Show =
  /**
   * Without a name it is the answer. With a name it is another text of the agent about the turn. `Text`: the bridge
   * says something beside the agent's words.
   */
  | {
      readonly what: 'answer';
      readonly name?: string;
      readonly text: string | Text;
      readonly files?: readonly AnswerFile[];
    }
  | { readonly what: 'notice'; readonly name: string; readonly text: Text }
  /** A notice with buttons. */
  | {
      readonly what: 'choice';
      readonly name: string;
      readonly text: Text;
      readonly buttons: readonly ShownButton[];
    }
  /** A notice with commands that can be pressed. */
  | {
      readonly what: 'menu';
      readonly name: string;
      readonly text: Text;
      readonly buttons: readonly ShownMenuButton[];
    }
  /** The reaction on the person's message that says that it was received, and the removal of that reaction. */
  | { readonly what: 'receipt'; readonly dueAtMs: number }
  | { readonly what: 'receipt_off' };

export type ShownButton = Omit<ChoiceButton, 'label'> & { readonly label: Text };
export type ShownMenuButton = Omit<MenuButton, 'label'> & { readonly label: Text };

// ---------------------------------------------------------------- outbox

export type OutboxBody =
  /** `tellsOfFailure`: it says that another row could not be shown. If it can't be shown either, nothing replaces it. */
  | {
      readonly kind: 'message';
      readonly content: Content;
      readonly tellsOfFailure?: true;
      /** It stands on a live card or nowhere. */
      readonly onlyOnCard?: true;
      /** The question that it shows. */
      readonly question?: { readonly key: string; readonly expiresAtMs: number };
    }
  /** Shows in the card of a question how it ended. */
  | { readonly kind: 'update'; readonly question: string; readonly content: QuestionContent }
  | { readonly kind: 'react'; readonly emoji: string }
  /** Removes the reaction that the row with this key made. */
  | { readonly kind: 'unreact'; readonly reactKey: string };

/** How a message row is shown. If Lark refuses one placement, the next one of this list is used. */
export type Placement = 'thread' | 'reply' | 'chat';

export type OutboxState =
  | { readonly phase: 'pending'; readonly dueAtMs: number }
  | { readonly phase: 'sent'; readonly larkId: string; readonly atMs: number }
  /** It could not be delivered. The operator can list such rows. */
  | { readonly phase: 'dead'; readonly atMs: number }
  /** Nobody wanted it any more before it was sent. */
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
  /** The key of the live card that shows it. Undefined: it is a message of its own. */
  readonly liveCard?: string | undefined;
  readonly createdAtMs: number;
  /** Stored before the first try. After a crash it says which rows may have arrived. */
  readonly triedAtMs: number | undefined;
  /** When an operator ordered it to be sent again. From then on it is tried for as long as a new row. */
  readonly replayedAtMs: number | undefined;
  readonly attempts: number;
  /** Lark's code and our text for the latest failure. */
  readonly lastError: string | undefined;
  readonly state: OutboxState;
}

/** A row that the journal has not stored yet. */
export type OutboxDraft = Omit<
  OutboxRow,
  'seq' | 'triedAtMs' | 'replayedAtMs' | 'attempts' | 'lastError' | 'state'
> & {
  readonly dueAtMs: number;
};
