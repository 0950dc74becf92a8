/** The bridge's stored state. Every method that writes resolves when the write is on disk. */
import type { ChatId, MessageId, OpenId, TurnId } from '../../core/ids.ts';
import type { Turn, TurnPhase } from '../../core/turn.ts';
import type { OutboxDraft, OutboxRow } from './outbox.ts';
import type { AccessRecords } from './access.ts';
import type { Admission, OutboxChange, TurnChange } from './changes.ts';
import type { KnownTurn } from './said-before.ts';

/** A chat, or a thread in it. */
export interface Place {
  readonly chatId: ChatId;
  readonly threadId: string | undefined;
}

/** A turn without its text. */
export interface TurnHead {
  readonly id: TurnId;
  readonly seq: number;
  readonly chatId: ChatId;
  /** Whose turn it is: who asked for this run. */
  readonly person: OpenId;
  readonly phase: TurnPhase;
  readonly receivedAtMs: number;
  /** For a waiting turn that gathers. */
  readonly gathersUntilMs?: number;
}

export interface Journal {
  /** Stores a message once. `undefined` if it is known already. */
  admit(admission: Admission): Promise<
    | {
        readonly turn: Turn;
        readonly out: readonly OutboxRow[];
        /** The turn that became a part of this one. */
        readonly takenIn?: TurnId;
      }
    | undefined
  >;
  turn(id: TurnId): Promise<Turn | undefined>;
  turnOfToken(replyToken: string): Promise<Turn | undefined>;
  /** Loads, decides and stores in one transaction. Returns the turn after the change. */
  changeTurn(
    id: TurnId,
    /** `known`: who may talk, about the person whose turn it is. */
    decide: (turn: Turn, known: () => AccessRecords) => TurnChange | undefined,
    more?: {
      /** An event's id. A change that this event has made already is not made again. */
      readonly once?: string | undefined;
      /** Writes more in the same transaction, with the turn as it is then. It may run twice. */
      readonly join?: ((turn: Turn, changed: boolean) => void) | undefined;
    },
  ): Promise<{
    readonly turn: Turn;
    readonly changed: boolean;
    readonly out: readonly OutboxRow[];
    /** A turn that was a part of this one, and waits now. */
    readonly freed?: Turn;
  }>;
  /** Turns of a chat that a command can mean, newest first: held ones and failed ones. Of one author, or of all. */
  askable(chat: ChatId, limit: number, author?: OpenId): Promise<readonly Turn[]>;
  /** Turns of a chat that are not over, in order of arrival, without commands. */
  openIn(chat: ChatId, limit: number): Promise<readonly Turn[]>;
  /** The direct chat in which a person wrote last. */
  directChat(person: OpenId): Promise<ChatId | undefined>;
  /** Every turn that is not over, in order of arrival. */
  openTurns(): Promise<readonly TurnHead[]>;
  /** Every row that is still to be sent, in order. */
  pendingOut(): Promise<readonly OutboxRow[]>;
  /** Stores an answer for the operator, because it may belong to another turn or to none. */
  quarantine(answer: QuarantinedAnswer): Promise<void>;
  /** True if an answer with this id was shown or stored before. */
  isHandled(answerId: string): Promise<boolean>;
  /** Runs that may have reached their target and ended since `sinceMs` without an answer, oldest first. */
  unanswered(sinceMs: number): Promise<readonly UnansweredRun[]>;
  /**
   * Runs of dropped turns that were given to their target and ended since `sinceMs` without an answer, newest first,
   * a bounded number.
   */
  droppedRuns(sinceMs: number): Promise<readonly DroppedRun[]>;
  /** The known messages of a thread: first the bot's own ones, each group newest first. Recalled ones are left out. */
  threadMessages(chat: ChatId, threadId: string): Promise<readonly MessageId[]>;
  /** Those of the messages that rows of the outbox are known to have made. */
  sentAmong(messages: readonly MessageId[]): Promise<ReadonlySet<MessageId>>;
  /** The chat of the newest message. */
  latestChat(): Promise<ChatId | undefined>;
  out(key: string): Promise<OutboxRow | undefined>;
  /** `once` is an event's id. If this event has added its rows already, nothing is added. */
  enqueue(drafts: readonly OutboxDraft[], once?: string): Promise<readonly OutboxRow[]>;
  /** `may` is called in the same commit, and can write there. If it says no, nothing is added. */
  enqueueIf(drafts: readonly OutboxDraft[], may: () => boolean): Promise<readonly OutboxRow[]>;
  changeOut(
    key: string,
    decide: (row: OutboxRow) => OutboxChange | undefined,
    /** As for a turn. */
    once?: string,
  ): Promise<{
    readonly row: OutboxRow;
    readonly changed: boolean;
    readonly out: readonly OutboxRow[];
  }>;
  /** What the agent wrote in those of the messages that show a whole answer or a part of one. */
  answersAmong(messages: readonly MessageId[]): Promise<ReadonlyMap<MessageId, string>>;
  /** The last turns of a turn's thread, or else of its chat, before it, oldest first, with the answers that were shown. Recalled ones are left out. */
  turnsBefore(turn: Turn, limit: number): Promise<readonly KnownTurn[]>;
  /** A message was recalled: takes it out of what turns of its chat that may still run know of it. */
  forgetSaid(message: MessageId, chat: ChatId): Promise<void>;
  /** True if an event of this id has changed something. */
  isDone(once: string): Promise<boolean>;
  /** Deletes a few old rows and returns how many. 0 means that there are no more. */
  prune(rules: PruneRules): Promise<number>;
}

export interface UnansweredRun {
  readonly turn: TurnId;
  readonly run: number;
  readonly chatId: ChatId;
  readonly threadId: string | undefined;
  readonly endedAtMs: number;
  /** in_doubt: its request broke off. gave_up: after its time was over, no answer came within the same time again. */
  readonly how: 'in_doubt' | 'overdue' | 'gave_up';
  /** The chat was asked what to do, and nobody has answered. */
  readonly isHeld: boolean;
}

export interface DroppedRun {
  readonly turn: TurnId;
  readonly run: number;
}

export interface QuarantinedAnswer {
  readonly id: string;
  readonly text: string;
  readonly atMs: number;
  /** A turn that it may belong to. The time of that turn was over. */
  readonly turn: TurnId | undefined;
}

export interface PruneRules {
  /** Turns and rows that ended before this are deleted. */
  readonly endedBeforeMs: number;
  /** This many of the newest turns keep their ids, without their text, so that repeats are known. */
  readonly keepIds: number;
  /** Dead letters are kept longer, because the operator has to read them. */
  readonly deadBeforeMs: number;
  /** Messages of people whom nobody let in are dropped after this. */
  readonly keptBeforeMs?: number;
  /** The largest number of rows in one step. Each step is one short write. */
  readonly limit: number;
}
