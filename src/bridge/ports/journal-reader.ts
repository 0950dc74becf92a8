import type { ChatId, MessageId, TurnId } from '../../core/ids.ts';
import type { FailureCause, Turn, TurnPhase } from '../../core/turn.ts';
import type { OutboxRow } from './outbox.ts';
import type { QuarantinedAnswer } from './journal.ts';

export interface TurnQuery {
  readonly phases?: readonly TurnPhase[];
  readonly chatId?: ChatId;
  /** Only messages that came at this time or later. */
  readonly sinceMs?: number | undefined;
  readonly limit: number;
}

/** Why a run failed, with what the program of its agent said last. */
export interface RunCause extends FailureCause {
  readonly lastWords?: string;
}

/** One run of a turn. A person can start another run. */
export interface TurnRun {
  readonly run: number;
  /** How often it was sent to the hub. */
  readonly tries: number;
  readonly startedAtMs: number;
  /** When the hub accepted it, if it did so without an answer. */
  readonly acceptedAtMs: number | undefined;
  readonly endedAtMs: number | undefined;
  readonly endedAs: TurnPhase | undefined;
  readonly reason: string | undefined;
  readonly cause: RunCause | undefined;
}

export interface TurnLife {
  readonly turn: Turn;
  readonly admittedAtMs: number;
  /** Undefined while it is open. */
  readonly endedAtMs: number | undefined;
  readonly runs: readonly TurnRun[];
  readonly out: readonly OutboxRow[];
  /** The number of open turns of its chat that came before it. */
  readonly ahead: number;
}

export interface JournalCounts {
  readonly waiting: number;
  /** Turns that the agent has, or that are being sent to it. */
  readonly running: number;
  readonly held: number;
  readonly failed: number;
  readonly deadLetters: number;
}

/** What an operator can read in the journal, whether the daemon runs or not. */
export interface JournalReader {
  turn(id: TurnId): Promise<Turn | undefined>;
  turns(query: TurnQuery): Promise<readonly Turn[]>;
  /** The current run of each of these turns that was given to an agent. */
  currentRuns(turns: readonly Turn[]): Promise<ReadonlyMap<TurnId, TurnRun>>;
  /** Ids that begin so: of a turn, or of a row of the outbox. At most two, which is enough to see that it is not clear. */
  idsLike(beginning: string, of: 'turn' | 'row'): Promise<readonly string[]>;
  /** One turn with everything that is known about it. */
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
  /** The rows of a lane that belong to no turn, in order. */
  ofLane(lane: string): Promise<readonly OutboxRow[]>;
}
