/** The bridge's memory. Every method that writes resolves when the write is durable. */
import type { ChatId, MessageId, TurnId } from './ids.ts';
import type { InboundMessage } from './message.ts';
import type { OutboxDraft, OutboxRow, OutboxState, Turn, TurnPhase, TurnState } from './turn.ts';

export interface Admission {
  readonly message: InboundMessage;
  readonly receivedAtMs: number;
  readonly state: TurnState;
  readonly out: readonly OutboxDraft[];
  /** For a stale turn: shown only if no other one of the chat waits for the same word already. */
  readonly question?: readonly OutboxDraft[];
}

/** What a decision about a turn writes; `undefined` from a decision writes nothing. */
export interface TurnChange {
  readonly state: TurnState;
  /** Begins the turn anew under new keys. */
  readonly run?: number;
  /** When it happened, if that is not now. */
  readonly atMs?: number;
  readonly out: readonly OutboxDraft[];
}

export interface OutboxChange {
  readonly state: OutboxState;
  readonly triedAtMs?: number | undefined;
  readonly attempts?: number;
  readonly lastError?: string;
  readonly replayedAtMs?: number;
  /** What takes the row's place in its lane, under a key of its own. */
  readonly out?: readonly OutboxDraft[];
}

/** Where a turn waits or works, without its text. */
export interface TurnHead {
  readonly id: TurnId;
  readonly seq: number;
  readonly chatId: ChatId;
  readonly phase: TurnPhase;
  readonly receivedAtMs: number;
}

export interface Journal {
  /** Stores a message once: `undefined` if it is known already. */
  admit(
    admission: Admission,
  ): Promise<{ readonly turn: Turn; readonly out: readonly OutboxRow[] } | undefined>;
  turn(id: TurnId): Promise<Turn | undefined>;
  /** Loads, decides and stores in one transaction. Returns the turn as it now is. */
  changeTurn(
    id: TurnId,
    decide: (turn: Turn) => TurnChange | undefined,
    /** An event's id; a change that this event has made already is not made again. */
    once?: string,
  ): Promise<{
    readonly turn: Turn;
    readonly changed: boolean;
    readonly out: readonly OutboxRow[];
  }>;
  /** Turns of a chat that a person may still speak about, newest first: held ones and failed ones. */
  askable(chat: ChatId, limit: number): Promise<readonly Turn[]>;
  /** Every turn that is not over, in order of arrival. */
  openTurns(): Promise<readonly TurnHead[]>;
  /** Every row that is still to be sent, in order. */
  pendingOut(): Promise<readonly OutboxRow[]>;
  /** Keeps an answer that could be nobody's or another turn's, for the operator. */
  quarantine(answer: QuarantinedAnswer): Promise<void>;
  /** True if an answer of this id was shown or kept before. */
  isHandled(answerId: string): Promise<boolean>;
  /** Runs that may have reached their target and ended since then without an answer, oldest first. */
  unanswered(sinceMs: number): Promise<readonly UnansweredRun[]>;
  /** The chat of the newest message. */
  latestChat(): Promise<ChatId | undefined>;
  out(key: string): Promise<OutboxRow | undefined>;
  /** With `once`, an event's id: nothing if this event has added its rows already. */
  enqueue(drafts: readonly OutboxDraft[], once?: string): Promise<readonly OutboxRow[]>;
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
  /** True if an event of this id has changed something. */
  isDone(once: string): Promise<boolean>;
  /** Forgets a few old rows; returns how many, 0 when there are no more. */
  prune(rules: PruneRules): Promise<number>;
}

export interface UnansweredRun {
  readonly turn: TurnId;
  readonly run: number;
  readonly endedAtMs: number;
  /** It was waited for as long again, in vain. */
  readonly gaveUp: boolean;
}

export interface QuarantinedAnswer {
  readonly id: string;
  readonly text: string;
  readonly atMs: number;
  /** The turn that it may belong to: one whose time was over. */
  readonly turn: TurnId | undefined;
}

export interface PruneRules {
  /** What is over since before this is forgotten… */
  readonly endedBeforeMs: number;
  /** …but so many of the newest turns keep their ids, without their text, to know repeats by. */
  readonly keepIds: number;
  /** Dead letters are kept longer, because somebody has to look at them. */
  readonly deadBeforeMs: number;
  /** Rows a step; each step is one short write. */
  readonly limit: number;
}

export interface TurnQuery {
  readonly phases?: readonly TurnPhase[];
  readonly chatId?: ChatId;
  readonly limit: number;
}

/** One time that a turn was given to the agent; a person's wish begins another. */
export interface TurnRun {
  readonly run: number;
  /** How often it was sent to the hub. */
  readonly tries: number;
  readonly startedAtMs: number;
  /** When the hub took it, if it did so without an answer. */
  readonly acceptedAtMs: number | undefined;
  readonly endedAtMs: number | undefined;
  readonly endedAs: TurnPhase | undefined;
  readonly reason: string | undefined;
}

export interface TurnLife {
  readonly turn: Turn;
  readonly admittedAtMs: number;
  /** Undefined while it is open. */
  readonly endedAtMs: number | undefined;
  readonly runs: readonly TurnRun[];
  readonly out: readonly OutboxRow[];
  /** Open turns of its chat that came before it. */
  readonly ahead: number;
}

export interface JournalCounts {
  readonly waiting: number;
  /** With the agent, or on the way to it. */
  readonly running: number;
  readonly held: number;
  readonly failed: number;
  readonly deadLetters: number;
}

/** What an operator may ask of the journal; works while the daemon runs and while it does not. */
export interface JournalReader {
  turn(id: TurnId): Promise<Turn | undefined>;
  turns(query: TurnQuery): Promise<readonly Turn[]>;
  /** One turn with all that is known of its life. */
  life(id: TurnId): Promise<TurnLife | undefined>;
  /** The turn that a message of the bot was sent for. */
  turnOfReply(message: MessageId): Promise<TurnId | undefined>;
  out(key: string): Promise<OutboxRow | undefined>;
  /** Rows that could not be delivered, newest first. */
  deadLetters(query: {
    readonly chatId?: ChatId;
    readonly limit: number;
  }): Promise<readonly OutboxRow[]>;
  counts(failedSinceMs: number): Promise<JournalCounts>;
  quarantined(limit: number): Promise<readonly QuarantinedAnswer[]>;
}

/** How far the history of a chat is known to have been taken up. */
export interface ChatRecord {
  readonly chatId: ChatId;
  readonly lastMessageAtMs: number;
  /** Everything that was said before this has been seen, by event or by reading. */
  readonly readUntilMs: number;
}

/** A thread in which the bot was spoken to. */
export interface ThreadRecord {
  readonly chatId: ChatId;
  readonly threadId: string;
  readonly lastMessageAtMs: number;
}

/** What was missed while nobody listened. */
export interface GapJournal {
  /** When the stretch of time began that has not been read back yet; `undefined` if there is none. */
  gap(): Promise<number | undefined>;
  /** Opens a gap (an older one that is still open stays), or closes it. */
  openGap(fromMs: number): Promise<void>;
  closeGap(): Promise<void>;
  /** Chats with messages since `activeSinceMs`, the most recently active first. */
  chats(activeSinceMs: number, limit: number): Promise<readonly ChatRecord[]>;
  /** Threads with messages since `activeSinceMs`, of all chats, the most recently active first. */
  threads(activeSinceMs: number, limit: number): Promise<readonly ThreadRecord[]>;
  noteRead(chat: ChatId, untilMs: number): Promise<void>;
  isKnown(message: MessageId): Promise<boolean>;
}
