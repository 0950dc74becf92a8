/** What the bridge needs of others: Lark, the target of turns, the journal. Adapters implement these, `app` joins them. */
import type { ChatId, MessageId, TurnId, WorkspaceId } from '../core/ids.ts';
import type { Content } from '../core/content.ts';
import type { InboundEvent, InboundMessage, LarkContext } from '../core/message.ts';
import type { ReplyToken } from '../wire/lark-context.ts';
import type {
  FailureCause,
  OutboxDraft,
  OutboxRow,
  OutboxState,
  Turn,
  TurnPhase,
  TurnState,
} from '../core/turn.ts';
import type { TurnUpdate } from '../core/turn-update.ts';

// ---------------------------------------------------------------- Lark → bridge

/** Where the bridge takes in what Lark delivers. */
export interface Intake {
  /**
   * Resolves when the event is durably in the journal, or was there already: only then may it be acked.
   * Rejects if it could not be stored: then it must not be acked, so that Lark delivers it again.
   */
  admit(event: InboundEvent): Promise<void>;
}

/** What the bridge needs to know of the long connection. */
export interface Line {
  /** Since when it is up; `undefined` while it is down. */
  connectedSinceMs(): number | undefined;
  lastEventAtMs(): number | undefined;
  /** Drops the link and connects anew. */
  restart(): void;
  /** Calls `listener` each time that it has come up. */
  onUp(listener: () => void): void;
}

// ---------------------------------------------------------------- bridge → Lark

/** Who goes first when Lark's rate limits make calls wait: what people wait for most. */
export type CallPriority = 'answer' | 'notice' | 'stream' | 'reaction' | 'background';

export type Outgoing =
  | {
      readonly kind: 'reply';
      readonly chatId: ChatId;
      readonly replyTo: MessageId;
      readonly inThread: boolean;
      readonly content: Content;
      /** The turn that the content speaks about; undefined: none alone. */
      readonly about?: TurnId | undefined;
    }
  | {
      readonly kind: 'send';
      readonly chatId: ChatId;
      readonly content: Content;
      readonly about?: TurnId | undefined;
    }
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
  /** The message to answer was taken back or deleted. */
  | 'message_gone'
  /** No thread there: reply without one, and if that is refused too, send to the chat. */
  | 'fall_back_from_thread'
  /** The card was refused: send its text. */
  | 'fall_back_to_text'
  /** Nobody knows what it means: the same call some more times, then it is given up. */
  | 'unsure'
  /** Will never work; the person gets a notice. */
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

/** What has to be known of the form in which Lark shows texts, before one is sent. */
export interface ContentForm {
  /** Pieces of a text that Lark takes, in order; without those in which nothing can be seen. */
  piecesOf(text: string): readonly string[];
  /** Pieces of a text that Lark refused as too long; `undefined` if no shorter piece has a chance. */
  smallerPiecesOf(text: string): readonly string[] | undefined;
  /** A text as `history` gives it back. */
  shownText(text: string): string;
}

export interface LarkGateway {
  readonly form: ContentForm;
  /** Never rejects for what Lark or the network does; `key` makes repeats of one send harmless. */
  deliver(out: Outgoing, key: string, priority: CallPriority): Promise<DeliveryResult>;
  /**
   * Messages of a chat from `sinceMs` on, oldest first; those inside a thread only if it is named.
   * Each page of 50 is a call; unless `pagesMax` says otherwise, as many are read as it takes.
   * Throws `BridgeError` if Lark refuses.
   */
  history(
    chatId: ChatId,
    sinceMs: number,
    threadId?: string,
    pagesMax?: number,
  ): Promise<readonly HistoryMessage[]>;
}

// ---------------------------------------------------------------- bridge → hub

export interface TurnRequest {
  /** Same for every try of one turn; the hub takes a second send of it for a repeat. */
  readonly messageId: string;
  readonly text: string;
  readonly context: LarkContext;
  /** Workspace that gets the turn; fixed at the first try. */
  readonly target: WorkspaceId;
  readonly reply?: ReplyToken;
}

export type TurnAnswer = (
  | {
      readonly kind: 'answered';
      readonly text: string;
      /** Names of the files that came with it. */
      readonly files?: readonly string[];
    }
  /**
   * The agent said no or broke; `detail` is for people. `interrupted`: it died with its process. `agent`: its
   * name, if the hub ran it itself; `detail` then comes from the hub and not from the agent.
   */
  | {
      readonly kind: 'failed';
      readonly detail: string;
      readonly interrupted?: boolean;
      readonly agent?: string;
    }
) & {
  /** Notes at a target in the journal's own database that it has answered; to be run with the turn's change. */
  readonly store?: () => void;
};

/** The agent wants something of the person. Its task is not over: an answer may come without a reply. */
export interface TurnQuestion {
  readonly kind: 'question';
  readonly wants: 'input' | 'sign_in';
  readonly text: string;
  readonly files?: readonly string[];
}

export type SendResult =
  | TurnAnswer
  | TurnQuestion
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
  | TurnQuestion
  | { readonly kind: 'pending' }
  /** All that the ticket holds is that the agent is at work: its answer may come there or without a name. */
  | { readonly kind: 'unfinished' }
  /** The hub does not know the ticket (any more). */
  | { readonly kind: 'lost'; readonly detail: string }
  | { readonly kind: 'unreachable'; readonly detail: string };

/** What came for the bridge at the hub without naming a turn. */
export interface UnmatchedAnswer {
  /** The same for every time it is handed over. */
  readonly id: string;
  readonly from: WorkspaceId;
  /** What it says about the turn that it is for; undefined: nothing. */
  readonly replyToken?: string;
  /** Without that token. */
  readonly text: string;
  /** Names of the files that came with it. */
  readonly files?: readonly string[];
  /** Why there is no answer, if that is what the text says. */
  readonly failure?: string;
  /** It is no answer, but asks the person for something. */
  readonly wants?: TurnQuestion['wants'];
}

export type CancelResult =
  /** Nobody works on it, or the hub can't end it: there is nothing more to do. */
  | 'over'
  /** The hub has no such message, or does not have it yet. */
  | 'not_known'
  /** The hub did not answer; to be tried again. */
  | 'not_reached';

/** The hub as the bridge sees it. */
export interface TurnTarget {
  /** True if every answer names its turn, so that chats may run side by side. */
  readonly correlates: boolean;
  /** True if the hub takes a repeated message id for the same turn, so that "unknown" may be sent again. */
  readonly deduplicates: boolean;
  /** The workspace that gets new turns. */
  currentTarget(): Promise<WorkspaceId>;
  /**
   * For a target in the journal's own database: stores the turn there, inside the commit that notes that it
   * is sent. It may be run twice. `send` follows, and finds it.
   */
  join?(request: TurnRequest): void;
  send(request: TurnRequest, signal: AbortSignal): Promise<SendResult>;
  /** Waits (bounded, tens of seconds) for the answer under a ticket. */
  wait(target: WorkspaceId, ticket: string, signal: AbortSignal): Promise<WaitResult>;
  /**
   * Calls `take` for what the turn of a message tells before it ends, until the returned function is called.
   * Only a target that gets such updates has it: the HTTP contract has none.
   */
  watch?(target: WorkspaceId, messageId: string, take: (update: TurnUpdate) => void): () => void;
  /**
   * Nobody wants the answer to a message any more: a hub that can ends the work on it. Never rejects for
   * what the network or the hub does.
   */
  cancel?(target: WorkspaceId, messageId: string, signal: AbortSignal): Promise<CancelResult>;
}

// ---------------------------------------------------------------- The journal: the bridge's memory

/** The bridge's memory. Every method that writes resolves when the write is durable. */

export interface Admission {
  readonly message: InboundMessage;
  readonly receivedAtMs: number;
  readonly state: TurnState;
  readonly out: readonly OutboxDraft[];
  /** For a stale turn: shown only if no other one of the chat waits for the same decision. */
  readonly question?: readonly OutboxDraft[];
  /**
   * For a message that can't be read: shown only if the same person sent no other one of the same kind to the
   * same place within so long before or after it.
   */
  readonly burst?: { readonly out: readonly OutboxDraft[]; readonly withinMs: number };
}

/** What a decision about a turn writes; `undefined` from a decision writes nothing. */
export interface TurnChange {
  readonly state: TurnState;
  /** Begins the turn anew under new keys. */
  readonly run?: number;
  /** For a turn that has none yet. */
  readonly replyToken?: string;
  /** When it happened, if that is not now. */
  readonly atMs?: number;
  readonly out: readonly OutboxDraft[];
  readonly withdrawn?: Withdrawal;
}

/** The person took the message back: its text is forgotten. */
export interface Withdrawal {
  /** What was to be said about it and was not tried yet is dropped too. */
  readonly dropsOut: boolean;
}

export interface OutboxChange {
  readonly state: OutboxState;
  readonly triedAtMs?: number | undefined;
  readonly attempts?: number;
  readonly lastError?: string;
  readonly replayedAtMs?: number;
  /** What takes the row's place in its lane, under a key of its own. */
  readonly out?: readonly OutboxDraft[];
  /** The other pieces of the same answer have no better chance: they end as this one does. */
  readonly endsRest?: true;
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
  turnOfToken(replyToken: string): Promise<Turn | undefined>;
  /** Loads, decides and stores in one transaction. Returns the turn as it now is. */
  changeTurn(
    id: TurnId,
    decide: (turn: Turn) => TurnChange | undefined,
    more?: {
      /** An event's id; a change that this event has made already is not made again. */
      readonly once?: string | undefined;
      /** What is written in the same transaction, by the turn as it is then; it may be run twice. */
      readonly join?: ((turn: Turn, changed: boolean) => void) | undefined;
    },
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
  /** Runs that were given to their target and dropped since then, newest first, a bounded number. */
  droppedRuns(sinceMs: number): Promise<readonly DroppedRun[]>;
  /** What is known to stand in a thread, the bot's own messages first, the newest first; without what was taken back. */
  threadMessages(chat: ChatId, threadId: string): Promise<readonly MessageId[]>;
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
  readonly chatId: ChatId;
  readonly threadId: string | undefined;
  readonly endedAtMs: number;
  /** in_doubt: its request broke. gave_up: it was waited for as long again, in vain. */
  readonly how: 'in_doubt' | 'overdue' | 'gave_up';
  /** Its chat was asked what to do, and has not answered. */
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
  readonly cause: FailureCause | undefined;
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

// ---------------------------------------------------------------- orders of operators

/**
 * What an operator wants done from outside. The daemon alone changes turns and the outbox, so another
 * process leaves an order in the journal, and the daemon carries it out.
 */

export type OrderKind =
  /** Begins a turn anew. */
  | 'turn_retry'
  /** Ends a turn; what its agent may still answer is not shown. */
  | 'turn_drop'
  /** Sends a dead letter again, under its own key. */
  | 'letter_replay'
  | 'letter_drop';

type Phase = TurnPhase | OutboxState['phase'];

export interface OrderResult {
  /** `refused`: it makes no sense where its subject is. */
  readonly outcome: 'done' | 'refused';
  /** Where its subject is now; undefined if there is none by that name. */
  readonly phase: Phase | undefined;
}

export interface Order {
  readonly id: number;
  readonly kind: OrderKind;
  /** The id of a turn, or the key of a row of the outbox. */
  readonly subject: string;
  readonly placedAtMs: number;
  /** Undefined until it was carried out. */
  readonly result: OrderResult | undefined;
}

/** In which phases of its subject an order can make sense. The daemon decides in the end. */
export const ORDERS_FIT: Readonly<Record<OrderKind, readonly Phase[]>> = {
  turn_retry: ['held', 'failed', 'overdue'],
  turn_drop: ['waiting', 'sending', 'accepted', 'overdue', 'held', 'command'],
  letter_replay: ['dead'],
  letter_drop: ['dead'],
};

/** The operator's side of the orders. */
export interface OrderBook {
  /** Resolves with the order's number when it is durable. */
  place(kind: OrderKind, subject: string): Promise<number>;
  order(id: number): Promise<Order | undefined>;
}

/** The daemon's side of the orders. */
export interface OrderQueue {
  /** Whether another process has written since the last time this was asked; it costs next to nothing. */
  writtenOutside(): Promise<boolean>;
  /** Orders that have no result yet, oldest first. */
  open(): Promise<readonly Order[]>;
  /** Resolves when durable. */
  end(id: number, result: OrderResult): Promise<void>;
}

// ---------------------------------------------------------------- who watches

/** What parts tell about their work as it happens, for metrics and traces. Never throws, and costs next to nothing. */
export interface Observer {
  /** From the arrival of an event until its ack may leave. */
  eventAcked(tookMs: number): void;
  /** A turn that was given to its agent has come to rest; `tookMs` since it was given. */
  turnEnded(turn: TurnId, phase: TurnPhase, tookMs: number): void;
  /** A message of the outbox that was made for this turn is over, sent or not. */
  shown(turn: TurnId): void;
  /** How long a call to Lark was held back before it was made. */
  callStarted(priority: CallPriority, waitedMs: number): void;
  sendEnded(kind: Outgoing['kind'], result: DeliveryResult): void;
}

export const NO_OBSERVER: Observer = {
  eventAcked() {},
  turnEnded() {},
  shown() {},
  callStarted() {},
  sendEnded() {},
};
