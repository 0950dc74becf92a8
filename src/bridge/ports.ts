/** What the bridge needs from others: Lark, the target of turns, the journal. Adapters implement it, `app` joins them. */
import type { AppId, ChatId, MessageId, OpenId, TurnId, WorkspaceId } from '../core/ids.ts';
import type { Language } from '../core/language.ts';
import type { InboundEvent, InboundMessage, LarkContext, Part, Resource } from '../core/message.ts';
import type {
  AnswerContent,
  AnswerFile,
  AnswerFiles,
  Content,
  FileContent,
  Person,
} from '../core/content.ts';
import type { ButtonValue } from '../wire/choice-value.ts';
import type { ReplyToken } from '../wire/lark-context.ts';
import type {
  FailureCause,
  OutboxBody,
  OutboxDraft,
  OutboxRow,
  OutboxState,
  Turn,
  TurnPhase,
  TurnState,
} from '../core/turn.ts';
import type { TurnDetails } from '../core/turn-details.ts';
import type { QuestionAnswer, QuestionOption, TurnStep, TurnUpdate } from '../core/turn-update.ts';

// ---------------------------------------------------------------- Lark → bridge

/** Takes the events that Lark delivers. */
export interface Intake {
  /**
   * Resolves when the event is stored in the journal, or was there already. Only then it may be acked.
   * Rejects if it could not be stored. Then it must not be acked, so that Lark delivers it again.
   */
  admit(event: InboundEvent | ChatEvent): Promise<EventReply | void>;
}

/** What the bridge needs from the long connection. */
export interface LongConnection {
  /** When it came up. `undefined` while it is down. */
  connectedSinceMs(): number | undefined;
  lastEventAtMs(): number | undefined;
  /** Drops the link and connects again. */
  restart(): void;
  /** Calls `listener` each time that the connection is up again. */
  onUp(listener: () => void): void;
}

// ---------------------------------------------------------------- bridge → Lark

/** The order of calls that wait because of Lark's rate limits. Calls that people wait for come first. */
export type CallPriority = 'answer' | 'notice' | 'stream' | 'reaction' | 'background';

export type Outgoing =
  | {
      readonly kind: 'reply';
      readonly chatId: ChatId;
      readonly replyTo: MessageId;
      readonly inThread: boolean;
      readonly content: Content;
      /** What the buttons of the content say when they are pressed, in order. */
      readonly buttonValues?: readonly ButtonValue[];
    }
  | {
      readonly kind: 'send';
      readonly chatId: ChatId;
      readonly content: Content;
      readonly buttonValues?: readonly ButtonValue[];
    }
  /** Shows something else in a card that was sent before. */
  | {
      readonly kind: 'update';
      readonly chatId: ChatId;
      readonly messageId: MessageId;
      readonly content: Content;
    }
  | {
      readonly kind: 'react';
      readonly chatId: ChatId;
      readonly messageId: MessageId;
      readonly emoji: string;
      /** The reaction may exist already. Reactions have no key at Lark, so Lark is asked first. */
      readonly again: boolean;
    }
  | {
      readonly kind: 'unreact';
      readonly chatId: ChatId;
      readonly messageId: MessageId;
      readonly reactionId: string;
    };

/** What to do about a call that Lark did not carry out. The table of Lark's codes has one row for each code. */
export type LarkAction =
  /** Lark's rate limit: make the same call under the same key, but not before `retryAfterMs`. */
  | 'wait'
  /** A fault that passes: make the same call under the same key. */
  | 'retry'
  /** No answer came, so Lark may have carried it out. Make the same call under the same key, as long as Lark honours keys. */
  | 'unknown'
  /** Too long: cut it into smaller pieces. */
  | 'split'
  /** The message to answer was recalled or deleted. */
  | 'message_gone'
  /** There is no thread: reply without one. If that is refused too, send to the chat. */
  | 'fall_back_from_thread'
  /** The card or post was refused: send it in a simpler form. */
  | 'fall_back_to_text'
  /** An unknown code: make the same call a few more times, then give up. */
  | 'unsure'
  /** It will never work. The person gets a notice. */
  | 'give_up'
  /** It will not work until the operator changes something, such as a missing permission or a disabled bot. */
  | 'tell_operator'
  /** The bot can't write to this chat any more. */
  | 'chat_dead';

export type DeliveryResult =
  /** `id`: the message id, or the reaction id for `react`. */
  | { readonly ok: true; readonly id: string }
  | {
      readonly ok: false;
      readonly action: LarkAction;
      /** Lark's code. Undefined if no answer in Lark's form came. */
      readonly code: number | undefined;
      /** For logs and operators. It never contains content or credentials. */
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
  /** The thread that contains it, or that began with it. */
  readonly threadId: string | undefined;
  readonly deleted: boolean;
  /** For own messages: the text as it is shown. It tells whether a send arrived. */
  readonly text: string | undefined;
  /** For own messages of which Lark does not give back what they say. */
  readonly form?: 'card' | 'post' | 'file' | undefined;
  /** The message as its event would give it. Undefined if it is not for the bot. */
  readonly inbound: InboundMessage | undefined;
}

/** What the bridge has to know about Lark's forms of answers before it sends one. */
export interface ContentForm {
  /**
   * An agent's text as parts that Lark accepts, in order. What has nothing visible is left out. Images among `files`
   * that its Markdown names are shown in place.
   */
  partsOf(text: string, files?: readonly AnswerFile[]): readonly (AnswerContent | FileContent)[];
  /** What is sent in place of a refused part: it in the next simpler form. Empty if there is none. */
  simplerThan(refused: AnswerContent, why: RefusedForm): readonly (AnswerContent | FileContent)[];
  /** A file that came with an answer, as a message of its own. */
  fileRow(file: AnswerFile): FileContent;
  /** True if the text may call somebody by name. */
  mayCall(text: string): boolean;
  /** A text that Lark refused as too long, in smaller pieces. `undefined` if smaller pieces would not help. */
  smallerPiecesOf(text: string): readonly string[] | undefined;
  /** A message that is a text, as `history` gives it back. */
  shownText(content: Content): string;
}

/** Why a form was refused: for its length, or for something else. */
export type RefusedForm = 'too_long' | 'form';

export interface LarkGateway {
  readonly form: ContentForm;
  /** Does not reject if Lark or the network fails. `key` makes repeats of one send harmless. */
  deliver(out: Outgoing, key: string, priority: CallPriority): Promise<DeliveryResult>;
  /**
   * Messages of a chat from `sinceMs` on, oldest first. Messages inside a thread come only if `threadId` names it.
   * Each page of 50 messages is one call. Without `pagesMax` all pages are read.
   * Throws `BridgeError` if Lark refuses.
   */
  history(
    chatId: ChatId,
    sinceMs: number,
    threadId?: string,
    pagesMax?: number,
  ): Promise<readonly HistoryMessage[]>;
  /**
   * What a bundle of forwarded messages says, in Markdown. Does not reject if Lark or the network fails.
   * Absent: bundles can't be read.
   */
  forwarded?(bundle: MessageId): Promise<ForwardedResult>;
  /**
   * A file of a message. It is not read into memory. Does not reject if Lark or the network fails.
   * Absent: files can't be read.
   */
  resource?(of: MessageId, resource: Resource): Promise<ResourceResult>;
  /** Gives Lark the content of a file. Does not reject if Lark or the network fails. Absent: it takes no files. */
  upload?(file: Upload, priority: CallPriority): Promise<DeliveryResult>;
  /**
   * Who is in a group. Does not reject if Lark or the network fails. Undefined if it can't be found out.
   * Absent: nobody is known.
   */
  membersOf?(chat: ChatId): Promise<readonly Person[] | undefined>;
  /** Absent: neither names nor what was said before can be read. */
  readonly surroundings?: Surroundings;
  /** Absent: there are no live cards. */
  readonly live?: LiveGateway;
}

export type ForwardedResult =
  | { readonly ok: true; readonly text: string }
  /** `reason` is for the agent. `isPassing`: another try may help. */
  | { readonly ok: false; readonly reason: string; readonly isPassing: boolean };

// ---------------------------------------------------------------- bridge → hub

export interface TurnRequest {
  /** The same for every try of one turn. So the hub knows that a second send is a repeat. */
  readonly messageId: string;
  readonly text: string;
  readonly context: LarkContext;
  /** The workspace that gets the turn. It does not change after the first try. */
  readonly target: WorkspaceId;
  readonly reply?: ReplyToken;
  /** A target elsewhere gets of it only what was said before: the rest names files of this machine. */
  readonly details?: TurnDetails;
}

export type TurnAnswer = (
  | {
      readonly kind: 'answered';
      readonly text: string;
      /** Names of the files that came with it. */
      readonly files?: readonly string[];
      /** Files that came with it and lie on this machine. Only from a target in this process. */
      readonly attached?: AnswerFiles;
    }
  /**
   * The agent refused or failed. `detail` is for people. `interrupted`: the agent's process died. `agent`: the
   * agent's name, if the hub ran it itself. Then `detail` comes from the hub and not from the agent.
   */
  | {
      readonly kind: 'failed';
      readonly detail: string;
      readonly interrupted?: boolean;
      readonly agent?: string;
    }
) & {
  /** Set by a target in the journal's own database: notes there that it has answered. Run it with the turn's change. */
  readonly store?: () => void;
};

/** The agent wants something from the person. Its task is not over, so an answer may come even without a reply. */
export interface TurnQuestion {
  readonly kind: 'question';
  readonly wants: 'input' | 'sign_in';
  readonly text: string;
  readonly files?: readonly string[];
}

export type SendResult =
  | TurnAnswer
  | TurnQuestion
  /** The answer will come under `ticket` (a queue id). */
  | { readonly kind: 'accepted'; readonly ticket: string }
  /** Accepted by a target that can't say which turn an answer belongs to. */
  | { readonly kind: 'accepted_uncorrelated' }
  /** Accepted by a target whose answer can't come back to the bridge. */
  | { readonly kind: 'unanswerable' }
  /** Not accepted. It can be sent again after `retryAfterMs`. */
  | { readonly kind: 'busy'; readonly retryAfterMs: number; readonly detail: string }
  /** Nothing reached the hub, so it can be sent again. */
  | { readonly kind: 'unreachable'; readonly detail: string }
  /** Refused. Another try does not help until somebody changes something. */
  | { readonly kind: 'refused'; readonly detail: string }
  /** The request was sent and no usable answer came. The turn may be running. */
  | { readonly kind: 'unknown'; readonly detail: string };

export type WaitResult =
  | TurnAnswer
  | TurnQuestion
  | { readonly kind: 'pending' }
  /** Under the ticket is only that the agent works. The answer may come under the ticket, or without naming its turn. */
  | { readonly kind: 'unfinished' }
  /** The hub does not know the ticket, or not any more. */
  | { readonly kind: 'lost'; readonly detail: string }
  | { readonly kind: 'unreachable'; readonly detail: string };

/** A message of an agent to the bridge that names no turn by its form. */
export interface UnmatchedAnswer {
  /** The same each time that the answer is handed over. */
  readonly id: string;
  readonly from: WorkspaceId;
  /** The token of the turn that the text answers. Undefined if the text begins with none. */
  readonly replyToken?: string;
  /** The text without that token. */
  readonly text: string;
  /** Names of the files that came with it. */
  readonly files?: readonly string[];
  /** Set if the text says why there is no answer. */
  readonly failure?: string;
  /** Set if the text is a question to the person. */
  readonly wants?: TurnQuestion['wants'];
}

export type CancelResult =
  /** Nobody works on it, or the hub can't end it. No further try is needed. */
  | 'over'
  /** The hub has no such message, or does not have it yet. */
  | 'not_known'
  /** The hub did not answer. It has to be tried again. */
  | 'not_reached';

/** The hub as the bridge sees it. */
export interface TurnTarget {
  /** True if every answer names its turn, so that turns of several chats may run at the same time. */
  readonly correlates: boolean;
  /** True if the hub knows a repeated message id as the same turn, so that "unknown" may be sent again. */
  readonly deduplicates: boolean;
  /** The workspace that gets new turns. */
  currentTarget(): Promise<WorkspaceId>;
  /**
   * For a target in the journal's own database: stores the turn there, in the same commit as the note that it is
   * sent. It may run twice. After that `send` is called and finds the turn.
   */
  join?(request: TurnRequest): void;
  send(request: TurnRequest, signal: AbortSignal): Promise<SendResult>;
  /** Waits for the answer under a ticket, at most for some tens of seconds. */
  wait(target: WorkspaceId, ticket: string, signal: AbortSignal): Promise<WaitResult>;
  /**
   * Calls `take` for each update of a message's turn, until the returned function is called. Only a target that
   * gets updates has this method. The HTTP contract has no updates.
   */
  watch?(target: WorkspaceId, messageId: string, take: (update: TurnUpdate) => void): () => void;
  /**
   * Gives the agent the answer to a question that an update told. `over`: it does not wait for it. Does not reject if
   * the network or the hub fails. Only a target whose updates can be questions has this method.
   */
  answerQuestion?(question: AskedTurn, answer: QuestionAnswer): Promise<'taken' | 'over'>;
  /**
   * Says that nobody wants the answer to a message any more. A hub that can do so ends the work on it. Does not
   * reject if the network or the hub fails.
   */
  cancel?(target: WorkspaceId, messageId: string, signal: AbortSignal): Promise<CancelResult>;
}

// ---------------------------------------------------------------- the journal

/** The bridge's stored state. Every method that writes resolves when the write is on disk. */

export interface Admission {
  readonly message: InboundMessage;
  readonly receivedAtMs: number;
  readonly state: TurnState;
  readonly out: readonly OutboxDraft[];
  /** For a stale turn: shown only if no other turn of the chat waits for the same decision. */
  readonly question?: readonly OutboxDraft[];
  /** Turns that are admitted after it have another session. */
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
  /** The person has changed the message. */
  readonly edited?: NonNullable<InboundMessage['edited']>;
  /** Added to the details that the turn has already. */
  readonly details?: TurnDetails;
  readonly withdrawn?: Withdrawal;
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
  /** The session of the turns in a place. Undefined if there was no turn yet. */
  session(place: Place): Promise<string | undefined>;
  /** Turns that are admitted from now on have another session. `once` is an event's id: it does so once. */
  renewSession(place: Place, once: string): Promise<void>;
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
  /** Runs that were given to their target and dropped since `sinceMs`, newest first, a bounded number. */
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
  /** The last turns of a turn's thread before it, oldest first, with the answers that were shown. Recalled ones are left out. */
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

export interface TurnQuery {
  readonly phases?: readonly TurnPhase[];
  readonly chatId?: ChatId;
  readonly limit: number;
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
  readonly cause: FailureCause | undefined;
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

/** Up to what time the messages of a chat are known. */
export interface ChatRecord {
  readonly chatId: ChatId;
  readonly lastMessageAtMs: number;
  /** All messages before this are known, from events or from the history. */
  readonly readUntilMs: number;
}

/** A thread with a message for the bot. */
export interface ThreadRecord {
  readonly chatId: ChatId;
  readonly threadId: string;
  readonly lastMessageAtMs: number;
}

/** Times without a connection, and what is known of the chats in them. */
export interface GapJournal {
  /** The start of the time that has not been read back yet. `undefined` if there is none. */
  gap(): Promise<number | undefined>;
  /** Opens a gap. A gap that is open already stays as it is. */
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
 * What an operator orders from another process. Only the daemon changes turns and the outbox, so another
 * process leaves an order in the journal, and the daemon carries it out.
 */

export type OrderKind = WorkOrderKind | AccessOrderKind;

export type WorkOrderKind =
  /** Starts a new run of a turn. */
  | 'turn_retry'
  /** Ends a turn. A late answer of its agent is not shown. */
  | 'turn_drop'
  /** Sends a dead letter again, under its own key. */
  | 'letter_replay'
  | 'letter_drop'
  /** Sends a message that answers nothing. Its subject is the JSON text of a `SendOrder`. */
  | 'send';

export type AccessOrderKind =
  /** Lets a person in, whose code the operator typed (`pair`) or whose open id (`allow`). */
  'person_pair' | 'person_allow' | 'person_revoke' | 'chat_allow' | 'chat_deny';

type Phase = TurnPhase | OutboxState['phase'] | PersonState | GroupState;

export interface OrderResult {
  /** `refused`: it is not possible in the phase of its subject. */
  readonly outcome: 'done' | 'refused';
  /** The phase of its subject now. Undefined if the subject does not exist. */
  readonly phase: Phase | undefined;
}

export interface Order {
  readonly id: number;
  readonly kind: OrderKind;
  /** The id of a turn, the key of a row of the outbox, an open id, or the id of a chat. */
  readonly subject: string;
  readonly placedAtMs: number;
  /** Undefined until it was carried out. */
  readonly result: OrderResult | undefined;
}

/** In which phases of its subject an order is possible. The daemon has the final decision. */
export const ORDERS_FIT: Readonly<Record<WorkOrderKind, readonly Phase[]>> = {
  turn_retry: ['held', 'failed', 'overdue'],
  turn_drop: ['waiting', 'sending', 'accepted', 'overdue', 'held', 'kept', 'command'],
  letter_replay: ['dead'],
  letter_drop: ['dead'],
  send: [],
};

/** The operator's side of the orders. */
export interface OrderBook {
  /** Resolves with the order's number when the order is on disk. */
  place(kind: OrderKind, subject: string): Promise<number>;
  order(id: number): Promise<Order | undefined>;
}

/** The daemon's side of the orders. */
export interface OrderQueue {
  /** True if another process has written since the last call. It costs almost nothing. */
  writtenOutside(): Promise<boolean>;
  /** Orders that have no result yet, oldest first. */
  open(): Promise<readonly Order[]>;
  /** Resolves when the result is on disk. */
  end(id: number, result: OrderResult): Promise<void>;
}

// ---------------------------------------------------------------- the observer

/** Parts call it while they work, for metrics and traces. It never throws, and costs almost nothing. */
export interface Observer {
  /** `tookMs`: from the arrival of an event until it may be acked. */
  eventAcked(tookMs: number): void;
  /** A turn that was given to its agent is over or held. `tookMs`: since it was given. */
  turnEnded(turn: TurnId, phase: TurnPhase, tookMs: number): void;
  /** A message of the outbox for this turn is finished, sent or not. */
  shown(turn: TurnId): void;
  /** `waitedMs`: how long the call to Lark waited before it was made. */
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

// ---------------------------------------------------------------- languages

/** Which language each person chose. */
export interface LanguageChoices {
  /** Undefined: none. It is read at once, because rows are made inside a transaction. */
  chosenBy(person: OpenId): Language | undefined;
  /** Undefined: takes the choice back. Resolves when it is on disk. */
  store(person: OpenId, lang: Language | undefined): Promise<void>;
}

// ---------------------------------------------------------------- attachments

/** Why the agent does not get a file that a person sent. */
export type MissingReason =
  | 'too_large'
  | 'too_many'
  | 'empty'
  /** The message or the file does not exist any more. */
  | 'gone'
  /** Lark gives no file of such a message, or not to this bot. */
  | 'refused'
  | 'unreachable'
  /** The files of all messages together have no more room here, or the disk has none. */
  | 'no_room'
  /** The disk refuses. */
  | 'not_stored';

export type ResourceResult =
  | {
      readonly ok: true;
      /** Reading it throws a `BridgeError` if it breaks off. */
      readonly body: AsyncIterable<Uint8Array>;
      /** As far as Lark says it. */
      readonly bytes: number | undefined;
      /** Ends the transfer. To be called if the body is not read to its end. */
      readonly end: () => void;
    }
  | {
      readonly ok: false;
      readonly why: MissingReason;
      readonly code: number | undefined;
      /** Another try may help. */
      readonly isPassing: boolean;
    };

export interface AttachmentAsked {
  /** The message that has the resource. */
  readonly of: MessageId;
  readonly resource: Resource;
  readonly sentAtMs: number;
}

export interface StoredAttachment {
  /** Safe as the name of a file. */
  readonly name: string;
  readonly path: string;
  readonly mimeType: string;
  readonly bytes: number;
}

export type SaveResult =
  | { readonly ok: true; readonly file: StoredAttachment }
  | {
      readonly ok: false;
      readonly why: Extract<MissingReason, 'too_large' | 'empty' | 'no_room' | 'not_stored'>;
      readonly detail?: string;
    };

/** The files of people's messages, on the disk of the bridge. */
export interface AttachmentStore {
  /** A whole file that is there already. */
  find(asked: AttachmentAsked): Promise<StoredAttachment | undefined>;
  /** Rejects with what reading `body` throws. Nothing of the file is left then. */
  save(
    asked: AttachmentAsked,
    body: AsyncIterable<Uint8Array>,
    bytesMax: number,
  ): Promise<SaveResult>;
  /** Removes the files of a message. */
  remove(of: MessageId): Promise<void>;
  /** Removes what is too old, or too much. What an open turn needs stays. */
  prune(): Promise<void>;
}

// ---------------------------------------------------------------- files of answers

/** A file to upload. Lark gives it a key, which a message then names. */
export type Upload = Pick<FileContent, 'as' | 'name' | 'path' | 'text'>;

/** The files of answers on the disk. */
export interface AnswerFileStore {
  /** Removes a file that is not needed any more. */
  remove(path: string): void;
  /** Removes everything from before this time. Rows that name such a file are gone by then. */
  removeBefore(beforeMs: number): void;
}

// ---------------------------------------------------------------- what was said before a message

export interface KnownTurn {
  readonly message: InboundMessage;
  readonly answers: readonly { readonly messageId: MessageId; readonly text: string }[];
}

/** A message of the history, for an agent. */
export interface SaidMessage {
  readonly messageId: MessageId;
  /** The open id of a person, or the id of an app. */
  readonly sender: string;
  readonly isBot: boolean;
  /** In Markdown. What is no text is a line in brackets. */
  readonly text: string;
}

export type ReadResult<T> =
  | { readonly ok: true; readonly value: T }
  /** `isPassing`: another try may help. */
  | { readonly ok: false; readonly reason: string; readonly isPassing: boolean };

/** None of it rejects if Lark or the network fails. */
export interface Surroundings {
  /** The message that this one replies to. Undefined if there is none, or it was recalled. */
  quotedBy(message: InboundMessage): Promise<ReadResult<SaidMessage | undefined>>;
  /** The last messages of the thread before this one, oldest first, without those that were recalled. */
  threadBefore(message: InboundMessage, count: number): Promise<ReadResult<readonly SaidMessage[]>>;
  /** Finds out names that are not known yet. Resolves when nothing more can be found out now. */
  findNames(
    chat: Pick<InboundMessage, 'chatId' | 'chatType'>,
    people: readonly string[],
  ): Promise<void>;
  /** The name of a person, an app or a chat, as far as it is known. */
  nameOf(id: string): string | undefined;
}

// ---------------------------------------------------------------- live cards

/** What a card shows of a turn at work. The bridge has chosen the words, Lark's side the form. */
export interface LiveView {
  readonly heading: string;
  readonly steps: readonly Pick<TurnStep, 'title' | 'status'>[];
  /** Set if the steps are folded under this title. */
  readonly stepsTitle?: string;
  /** The agent's text, in Markdown. */
  readonly text: string;
  /** Undefined: the card does not change any more. */
  readonly stop?: { readonly label: string; readonly value: ButtonValue };
}

/** Why a call about a live card failed. */
export type LiveTrouble =
  /** It passes. */
  | 'passing'
  /** It passes, and Lark may have done it. */
  | 'unknown'
  /** Lark has ended the streaming of this card. */
  | 'closed'
  /** The card or its message does not exist any more. */
  | 'gone'
  /** The number of the call is not higher than that of an earlier one. */
  | 'sequence'
  /** The app may not use cards of this kind. */
  | 'no_right'
  | 'refused';

export type LiveResult =
  | { readonly ok: true; readonly id: string }
  | (Extract<DeliveryResult, { ok: false }> & { readonly why: LiveTrouble });

export interface LivePlace {
  readonly chatId: ChatId;
  readonly replyTo: MessageId;
  readonly inThread: boolean;
}

/** A card in a chat. Without `cardId` it is changed through its message, and calls have no number. */
export interface LiveCardRef {
  readonly chatId: ChatId;
  readonly messageId: MessageId;
  readonly cardId: string | undefined;
}

/** Cards that change while they are shown. Nothing here rejects if Lark or the network fails. */
export interface LiveGateway {
  /** Makes a card, which can be sent once. `id` is its own. */
  create(view: LiveView): Promise<LiveResult>;
  /** Sends a card by its id, or one that is changed through its message. `id` is the message's. */
  send(place: LivePlace, card: string | LiveView, key: string): Promise<LiveResult>;
  update(card: LiveCardRef, view: LiveView, sequence: number): Promise<LiveResult>;
  /** Changes the text only. The card shows one already. */
  updateText(
    card: LiveCardRef & { readonly cardId: string },
    view: LiveView,
    sequence: number,
  ): Promise<LiveResult>;
  /** Shows what stays. `key` makes repeats harmless. If it succeeds, the message exists. */
  end(card: LiveCardRef, content: Content, ending: LiveEnding): Promise<LiveResult>;
}

export interface LiveEnding {
  readonly key: string;
  readonly sequence: number;
  readonly priority: CallPriority;
  readonly buttonValues?: readonly ButtonValue[] | undefined;
}

/** A live card as the journal keeps it. */
export interface LiveCardRecord {
  /** Also the key with which it is sent. */
  readonly key: string;
  readonly turn: TurnId;
  readonly run: number;
  readonly place: LivePlace;
  readonly cardId: string | undefined;
  /** Undefined: it is not known whether it was sent. */
  readonly messageId: MessageId | undefined;
  readonly openedAtMs: number;
}

export interface LiveJournal {
  /** Before the card is sent. */
  open(card: LiveCardRecord): Promise<void>;
  /** The message of a card that was sent; or that it is changed through its message from now on. */
  change(key: string, change: Partial<Pick<LiveCardRecord, 'cardId' | 'messageId'>>): Promise<void>;
  /** A card that was not sent, or is gone. */
  remove(key: string): Promise<void>;
  card(key: string): Promise<LiveCardRecord | undefined>;
  /** Sets so many numbers of calls aside, and gives the first one. None is given twice. */
  reserve(key: string, count: number): Promise<number>;
  /** Cards that no row of the outbox has ended or is going to end, oldest first. */
  unended(openedSinceMs: number): Promise<readonly LiveCardRecord[]>;
}

// ---------------------------------------------------------------- commands of people

/** A chat, or a thread in it. */
export interface Place {
  readonly chatId: ChatId;
  readonly threadId: string | undefined;
}

/** What commands need that is not in the bridge. Without an optional part its commands do not exist. */
export interface CommandSurroundings {
  /** Stands before each word. */
  readonly prefix: string;
  readonly version: string;
  /** The agent that gets new turns, by its name. Undefined if it can't be found out. */
  readonly agentName: () => Promise<string | undefined>;
  readonly isOwner: (person: OpenId) => Promise<boolean>;
  /** What people call a person in Lark, if that is known. */
  readonly nameOf?: (
    chat: Pick<InboundMessage, 'chatId' | 'chatType'>,
    person: OpenId,
  ) => Promise<string | undefined>;
  readonly link?: () => Pick<LongConnection, 'connectedSinceMs' | 'restart'>;
  /** What `doctor` can check while the bridge runs. */
  readonly diagnose?: () => Promise<readonly Diagnosis[]>;
  readonly languages?: LanguageOrders;
  readonly access?: AccessOrders;
}

/** One result of a check. */
export interface Diagnosis {
  readonly level: 'ok' | 'note' | 'warning' | 'problem';
  readonly finding: string;
  readonly next?: string | undefined;
}

export type ChosenLanguage = 'en' | 'zh' | 'auto';

interface LanguageOrders {
  choose(person: OpenId, language: ChosenLanguage): Promise<void>;
}

/** Who gives an order about who may talk, and the name under which it is done only once. */
interface AccessDecider {
  readonly by: OpenId;
  readonly once: string;
}

/** Who may talk to the bot, as the owner orders it. */
export interface AccessOrders {
  allow(person: OpenId, decider: AccessDecider): Promise<AccessOutcome>;
  block(person: OpenId, decider: AccessDecider): Promise<AccessOutcome>;
  revoke(person: OpenId, decider: AccessDecider): Promise<AccessOutcome>;
  allowChat(chat: ChatId, decider: AccessDecider): Promise<AccessOutcome>;
  denyChat(chat: ChatId, decider: AccessDecider): Promise<AccessOutcome>;
  /** Lets in whoever got this code. Undefined: nobody did, or it is too old. */
  approve(code: string, decider: AccessDecider): Promise<PersonAccess | undefined>;
}

/** `unchanged`: it was so already. `is_owner`: the owner always may talk. */
export type AccessOutcome = 'done' | 'unchanged' | 'is_owner';

// ---------------------------------------------------------------- who may talk to the bot

type PersonState = 'waiting' | 'allowed' | 'blocked';
export type GroupState = 'allowed' | 'denied';

/** What is known about one person, or one other bot, in this app. */
export interface PersonAccess {
  readonly openId: OpenId;
  readonly unionId?: string | undefined;
  readonly isBot?: boolean | undefined;
  /** Of another tenant, or of one that Lark did not say. */
  readonly isOutside?: boolean | undefined;
  readonly name?: string | undefined;
  /** Undefined: the person has not asked, or the permission was taken back. */
  readonly state?: PersonState | undefined;
  /** It was decided in another app of the same developer. */
  readonly isElsewhere?: boolean | undefined;
  /** The open id of who decided, or `operator`, or `earlier_version`. */
  readonly decidedBy?: string | undefined;
  readonly decidedAtMs?: number | undefined;
  readonly code?: string | undefined;
  readonly askedAtMs?: number | undefined;
  readonly expiresAtMs?: number | undefined;
  /** The direct chat. */
  readonly chatId?: ChatId | undefined;
  /** The owner was asked about the latest request. */
  readonly isShown?: boolean | undefined;
  /** When the bot last said that the person may not talk to it, in the direct chat and in a group. */
  readonly toldAtMs?: number | undefined;
  readonly toldInGroupAtMs?: number | undefined;
  readonly isGreeted?: boolean | undefined;
}

/** What is known about one group. */
export interface GroupAccess {
  readonly chatId: ChatId;
  readonly name?: string | undefined;
  /** Undefined: those who may talk to the bot in private may do so here. */
  readonly state?: GroupState | undefined;
  /** Undefined: Lark has not said it yet. `'unknown'`: Lark does not say it. */
  readonly isExternal?: boolean | 'unknown' | undefined;
  /** Turns of other bots since the last turn of a person. */
  readonly botTurns?: number | undefined;
}

/** What is known about the app itself. */
export interface AppAccess {
  readonly owner?: OpenId | undefined;
  /** The owner's direct chat. */
  readonly ownerChat?: ChatId | undefined;
  readonly tenant?: string | undefined;
}

/** What is known when a message or a press is judged. */
export interface AccessRecords {
  readonly app: AppAccess;
  readonly person: PersonAccess | undefined;
  readonly group: GroupAccess | undefined;
  /** How many messages of the person are kept. */
  readonly kept: number;
}

export interface AccessChange {
  readonly app?: AppAccess;
  readonly person?: Omit<PersonAccess, 'openId'>;
  readonly group?: Omit<GroupAccess, 'chatId'>;
}

/** `closed` is not given: the message is admitted as it is. */
export interface AccessJudgement {
  readonly closed?: {
    readonly state: TurnState;
    readonly out: readonly OutboxDraft[];
  };
  readonly access?: AccessChange | undefined;
}

/** Whom and which group a decision is about. */
export interface AccessSubject {
  readonly openId?: OpenId | undefined;
  readonly unionId?: string | undefined;
  readonly chatId?: ChatId | undefined;
}

export interface AccessWork {
  readonly subject: AccessSubject;
  /** As for a turn. */
  readonly once?: string | undefined;
  /** Undefined: nothing is written. */
  readonly decide: (
    known: AccessRecords,
  ) => { readonly change: AccessChange; readonly out?: readonly OutboxDraft[] } | undefined;
  /** What becomes of each kept message of the person, or in the group, with what is known then. */
  readonly move?: (turn: Turn, known: AccessRecords) => TurnChange | undefined;
}

/** Who may talk to the bot, as it is stored. */
export interface AccessBook {
  known(subject: AccessSubject): Promise<AccessRecords>;
  /** Decides and stores in one transaction. */
  settle(work: AccessWork): Promise<{
    readonly changed: boolean;
    /** The kept messages that moved. */
    readonly turns: readonly Turn[];
    readonly out: readonly OutboxRow[];
  }>;
  /** Whom this code was given to. */
  personOf(code: string): Promise<PersonAccess | undefined>;
  /** People who asked or about whom somebody decided, the latest first. */
  people(): Promise<readonly PersonAccess[]>;
  groups(): Promise<readonly GroupAccess[]>;
  /** Groups of kept messages of which Lark has not said whether they are external. */
  unknownGroups(): Promise<readonly ChatId[]>;
  /** How many people an earlier version let in. Each is counted once. */
  takeImported(): Promise<number>;
}

/** How the bot comes into a chat. */
export type ChatEvent =
  /** Somebody added the bot to a group. */
  | {
      readonly kind: 'bot_added';
      readonly appId: AppId;
      readonly eventId: string;
      readonly chatId: ChatId;
      readonly name: string;
      readonly by: OpenId | undefined;
      /** Undefined: Lark did not say it. */
      readonly isExternal: boolean | undefined;
    }
  /** A person opened the direct chat. `isEmpty`: nothing was said in it yet. */
  | {
      readonly kind: 'chat_entered';
      readonly appId: AppId;
      readonly eventId: string;
      readonly chatId: ChatId;
      readonly by: OpenId;
      readonly isEmpty: boolean;
    };

/** What Lark says about who is where. Does not reject if Lark or the network fails. */
export interface AccessLookup {
  group(chat: ChatId): Promise<GroupLookup>;
  /** Writes to a person in their direct chat, and says which chat that is. `key` makes repeats harmless. */
  writeTo(person: OpenId, text: string, key: string): Promise<ChatId | undefined>;
}

export type GroupLookup =
  | { readonly ok: true; readonly isExternal: boolean; readonly name: string }
  /** `isPassing`: another try may help. */
  | { readonly ok: false; readonly isPassing: boolean };

// ---------------------------------------------------------------- messages that answer nothing

/** What an operator wants to be sent. */
export interface SendOrder {
  /** Makes the keys of its rows. */
  readonly id: string;
  /** The id of a chat, the open id of a person, or an email address. */
  readonly to: string;
  /** In Markdown. */
  readonly text?: string;
  /** JSON of a card. */
  readonly card?: string;
  readonly files: readonly AnswerFile[];
}

// ---------------------------------------------------------------- questions of agents

/** A question at its target: which turn asked it, and the id that its update had. */
export interface AskedTurn {
  readonly target: WorkspaceId;
  readonly messageId: string;
  readonly id: string;
}

/** Why nobody answers a question any more, besides that its time is over. */
export type QuestionEndReason =
  /** The bridge was started again, and whoever asked has ended with it. */
  | 'restarted'
  /** The agent has answered without waiting for it. */
  | 'not_needed'
  /** The turn has ended in another way. */
  | 'turn_ended'
  | 'stopped'
  | 'recalled'
  /** Only the owner may answer, and nobody knows who that is. */
  | 'no_owner'
  /** It could not be shown. */
  | 'not_shown'
  /** Somebody answered, but the agent did not wait for it any more. */
  | 'not_heard';

export type QuestionState =
  | { readonly phase: 'open' }
  /** `isHeard`: the agent has the answer. */
  | {
      readonly phase: 'answered';
      readonly option: QuestionOption;
      readonly by: OpenId;
      readonly atMs: number;
      readonly isHeard?: true;
    }
  | { readonly phase: 'expired'; readonly atMs: number }
  | { readonly phase: 'over'; readonly why: QuestionEndReason; readonly atMs: number };

/** What an agent asks during a turn. */
export interface Question {
  /** Also the key of the row that shows it. */
  readonly key: string;
  readonly turn: TurnId;
  readonly run: number;
  readonly target: WorkspaceId;
  /** As its update named it. */
  readonly id: string;
  readonly chatId: ChatId;
  readonly threadId: string | undefined;
  readonly text: string;
  readonly options: readonly QuestionOption[];
  /** Nobody else may answer. */
  readonly only?: 'owner';
  readonly askedAtMs: number;
  readonly expiresAtMs: number;
  readonly state: QuestionState;
}

/**
 * The stored questions. They are read at once, and written inside a commit of the journal only (`join`), because a
 * question, what shows it and the time of its turn change together.
 */
export interface QuestionStore {
  question(key: string): Question | undefined;
  ofTurn(turn: TurnId): readonly Question[];
  /** The open ones of a chat, newest first. */
  openIn(chat: ChatId): readonly Question[];
  /** Those that are open, and those whose answer the agent may not have. */
  unsettled(): readonly Question[];
  insert(question: Question): void;
  /** Stores the state. Of a question that was withdrawn the text is stored too, which is empty then. */
  update(question: Question): void;
  /** The message that shows a question. `isCard`: it can be changed. Undefined: none does. */
  shown(
    question: Pick<Question, 'key' | 'turn'>,
  ): { readonly messageId: MessageId; readonly isCard: boolean } | undefined;
}

/** What a person sees who has just pressed a button. */
export interface EventReply {
  readonly toast: {
    readonly kind: 'info' | 'success' | 'warning' | 'error';
    readonly text: string;
  };
}
