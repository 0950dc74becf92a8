/** The work that one message causes, as the journal keeps it. */
import type { CommandName } from './content.ts';
import type { OpenId, TurnId, WorkspaceId } from './ids.ts';
import type { InboundMessage } from './message.ts';
import type { TurnDetails } from './turn-details.ts';

/** Why a turn waits for a person's decision. */
export type HoldReason =
  /** The message is old, so the person may not want it to run now. */
  | 'stale'
  /** It is not known whether the agent has run it, not even at the hub. */
  | 'unknown'
  /** The agent died while it ran the turn, and `on-interrupted` is `ask`. */
  | 'interrupted'
  /** It may have been answered after the backup was made from which the bridge was restored. */
  | 'restored';

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
      /** How long it may take, if its target gives its turns another time than usual. */
      readonly limitMs?: number;
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
      readonly limitMs?: number;
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
      readonly limitMs?: number;
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
  /** Of its program, if that ended with one. */
  readonly exitCode?: number;
}

export type TurnPhase = TurnState['phase'];

/** What of a turn tells whose it is. */
export interface Whose {
  readonly askedBy?: OpenId | undefined;
  readonly message: Pick<InboundMessage, 'senderOpenId'>;
}

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

// ---------------------------------------------------------------- outbox

/** Whose turn it is: who asked for this run, else the author of the message. */
export function personOf({ askedBy, message }: Whose): OpenId {
  return askedBy ?? message.senderOpenId;
}
