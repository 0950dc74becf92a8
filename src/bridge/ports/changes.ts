/** What one write to the journal changes. */
import type { OpenId } from '../../core/ids.ts';
import type { InboundMessage, Part } from '../../core/message.ts';
import type { TurnDetails } from '../../core/turn-details.ts';
import type { TurnState } from '../../core/turn.ts';
import type { OutboxBody, OutboxDraft, OutboxState } from './outbox.ts';
import type { AccessChange, AccessJudgement, AccessRecords } from './access.ts';

export interface Admission {
  readonly message: InboundMessage;
  readonly receivedAtMs: number;
  readonly state: TurnState;
  readonly out: readonly OutboxDraft[];
  /** For a stale turn: shown only if no other turn of the chat waits for the same decision. */
  readonly question?: readonly OutboxDraft[];
  /** It has another session than the turns before it, and so have those that are admitted after it. */
  readonly renewsSession?: true;
  /**
   * For a message that can't be read: shown only if the same person sent no other message of the same kind to the
   * same place within `withinMs` before or after it.
   */
  readonly burst?: { readonly out: readonly OutboxDraft[]; readonly withinMs: number };
  /** The turn of the same person, chat and thread that gathers becomes a part of this one. */
  readonly takesIn?: true;
  /** Decides in the same write whether its sender may talk to the bot. Not given: nobody is kept out. */
  readonly judge?: (known: AccessRecords) => AccessJudgement;
}

/** What a decision about a turn writes. A decision that returns `undefined` writes nothing. */
export interface TurnChange {
  readonly state: TurnState;
  /** Starts a new run of the turn, with new keys. */
  readonly run?: number;
  /** Who asked for the new run, if that is not the author of the message. Not given: as before. */
  readonly askedBy?: OpenId | undefined;
  /** Used only if the turn has no token yet. */
  readonly replyToken?: string;
  /** When it happened. Undefined: now. */
  readonly atMs?: number;
  readonly out: readonly OutboxDraft[];
  /** What the message says, now that more of it is known. */
  readonly parts?: readonly Part[];
  /** What was chosen for a turn that runs again is gone, so it gets what is chosen now. */
  readonly isChosenAnew?: true;
  /** The person has changed the message. */
  readonly edited?: NonNullable<InboundMessage['edited']>;
  /** Added to the details that the turn has already. */
  readonly details?: TurnDetails;
  readonly withdrawn?: Withdrawal;
  /** What the program of an agent that failed said last. It is kept with the run, for the operator. */
  readonly lastWords?: string;
  /** What is known about its sender and its group from now on. */
  readonly access?: AccessChange | undefined;
}

/** The person recalled the message, so its text is deleted. */
export interface Withdrawal {
  /** Rows about it that were not tried yet are dropped too. */
  readonly dropsOut: boolean;
  /** What becomes of the messages that the turn took in: they wait again, as this says. */
  readonly frees?: TurnState;
}

export interface OutboxChange {
  readonly state: OutboxState;
  /** The same message, with what Lark was given or asked for it. */
  readonly body?: OutboxBody;
  readonly triedAtMs?: number | undefined;
  readonly attempts?: number;
  readonly lastError?: string;
  readonly replayedAtMs?: number;
  /** Rows that replace this row in its lane, with new keys. */
  readonly out?: readonly OutboxDraft[];
  /** The other pieces of the same answer end in the same way, because they would fail too. */
  readonly endsRest?: true;
}
