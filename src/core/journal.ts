/** The bridge's memory. Every method that writes resolves when the write is durable. */
import type { ChatId, MessageId, TurnId } from './ids.ts';
import type { InboundMessage } from './message.ts';
import type { OutboxDraft, OutboxRow, OutboxState, Turn, TurnPhase, TurnState } from './turn.ts';

export interface Admission {
  readonly message: InboundMessage;
  readonly receivedAtMs: number;
  readonly state: TurnState;
  readonly out: readonly OutboxDraft[];
}

/** What a decision about a turn writes; `undefined` from a decision writes nothing. */
export interface TurnChange {
  readonly state: TurnState;
  /** Begins the turn anew under new keys. */
  readonly run?: number;
  readonly out: readonly OutboxDraft[];
}

export interface OutboxChange {
  readonly state: OutboxState;
  readonly triedAtMs?: number | undefined;
  readonly attempts?: number;
  readonly lastError?: string;
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
  out(key: string): Promise<OutboxRow | undefined>;
  enqueue(drafts: readonly OutboxDraft[]): Promise<readonly OutboxRow[]>;
  changeOut(
    key: string,
    decide: (row: OutboxRow) => OutboxChange | undefined,
  ): Promise<{ readonly row: OutboxRow; readonly out: readonly OutboxRow[] }>;
  /** Forgets a few old rows; returns how many, 0 when there are no more. */
  prune(rules: PruneRules): Promise<number>;
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

/** What an operator may ask of the journal; works while the daemon runs and while it does not. */
export interface JournalReader {
  turn(id: TurnId): Promise<Turn | undefined>;
  turns(query: TurnQuery): Promise<readonly Turn[]>;
  outOf(turn: TurnId): Promise<readonly OutboxRow[]>;
}

/** How far the history of a chat is known to have been taken up. */
export interface ChatRecord {
  readonly chatId: ChatId;
  readonly lastMessageAtMs: number;
  /** Everything that was said before this has been seen, by event or by reading. */
  readonly readUntilMs: number;
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
  noteRead(chat: ChatId, untilMs: number): Promise<void>;
  isKnown(message: MessageId): Promise<boolean>;
}
