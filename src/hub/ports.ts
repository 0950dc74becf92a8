/** What the embedded hub stores, and what it runs. Every method that writes resolves when the data is durable. */
import type { AnswerFiles } from '../core/content.ts';
import type { WorkspaceId } from '../core/ids.ts';
import type { TurnDetails } from '../core/turn-details.ts';
import type { ProgramOutput } from '../core/program-output.ts';
import type { RunnableSpec } from '../agents/runtime.ts';

/** The id of a turn at the hub. Its answer is read with it. */
export type QueueId = string & { readonly brand: 'QueueId' };
export const queueId = (raw: string) => raw as QueueId;

// ---------------------------------------------------------------- agents

/** `external`: the agent connects to the hub with its API key and fetches its turns. */
export type AgentSpec = RunnableSpec | { readonly kind: 'external' };

export interface AgentRecord {
  readonly name: string;
  readonly workspaceId: WorkspaceId;
  readonly spec: AgentSpec;
  readonly createdAtMs: number;
  readonly builtIn: boolean;
}

export interface AgentStore {
  /** The built-in ones first, then by age. */
  agents(): Promise<readonly AgentRecord[]>;
  agentOf(workspace: WorkspaceId): Promise<AgentRecord | undefined>;
  /** Adds an agent and its workspace. False if the name is taken. */
  addAgent(agent: Omit<AgentRecord, 'builtIn'>, tokenHash: string): Promise<boolean>;
  /** Removes an agent and its workspace, and ends its waiting turns. False if there is no such agent. */
  removeAgent(
    name: string,
    atMs: number,
    ending: (item: QueueItem) => Settlement,
  ): Promise<boolean>;
}

// ---------------------------------------------------------------- workspaces

/** Who made a workspace: `agents add`, the program itself at its start, or a client over HTTP. */
export type WorkspaceOrigin = 'agent' | 'provisioned' | 'registered';

/** What an agent card or the metadata of a message may have, as JSON: much more than those of any known client. */
export const DESCRIPTION_BYTES_MAX = 16 * 1024;

/**
 * What one workspace may have in the database. The bridge in this process has bounds of its own.
 * `bytes`: a quarter of a gigabyte is more than a busy agent writes in the 30 days for which inboxes are kept, and four
 * such workspaces fit on a disk of any server. `rows`: a row costs about 1 KB beside its texts, so that many of them
 * take as much. `waiting`: turns that it sent and that are not settled. No person waits for so many, and it is a tenth
 * of what may wait for one agent, so one sender alone can't fill the queue of others.
 */
export const QUOTA = { bytes: 256 * 1024 * 1024, rows: 200_000, waiting: 1_000 } as const;
export type Quota = keyof typeof QUOTA;

/** How much of a quota a workspace has, by its name. */
export interface QuotaUse {
  readonly workspace: string;
  readonly quota: Quota;
  readonly used: number;
}

/** Workspaces that register with the provision token. Each one may take a quota; a hub for a company has hundreds. */
export const REGISTERED_WORKSPACES_MAX = 10_000;

/** What a workspace tells about itself, unchanged, and the name in it. It was parsed once and is not parsed again. */
export interface AgentCard {
  readonly json: string;
  readonly name: string | undefined;
}

export interface Workspace {
  readonly id: WorkspaceId;
  readonly name: string;
  readonly origin: WorkspaceOrigin;
  /** True if the hub runs the agent itself. Otherwise the agent polls. */
  readonly hubRun: boolean;
  readonly heartbeatAtMs: number | undefined;
  readonly removed: boolean;
  /** SHA-256 of its only token, in hex. Undefined if it has no token. */
  readonly tokenHash: string | undefined;
}

/** Apart from `Workspace`, so that nobody reads a card to find out who calls. */
export interface ListedWorkspace extends Workspace {
  readonly cardName: string | undefined;
  readonly agentCard: AgentCard | undefined;
}

export interface NewWorkspace {
  readonly id: WorkspaceId;
  readonly name: string;
  readonly agentCard: AgentCard;
  readonly tokenHash: string;
  readonly atMs: number;
}

export interface WorkspaceStore {
  workspace(id: WorkspaceId): Promise<Workspace | undefined>;
  workspaceByToken(tokenHash: string): Promise<Workspace | undefined>;
  /** All workspaces that are not removed, by age. */
  workspaces(): Promise<readonly Workspace[]>;
  /** The same with their cards. */
  listing(): Promise<readonly ListedWorkspace[]>;
  listed(id: WorkspaceId): Promise<ListedWorkspace | undefined>;
  /** `known`: the id exists already. `full`: there are too many workspaces. */
  addWorkspace(workspace: NewWorkspace): Promise<'added' | 'known' | 'full'>;
  /** The id of the program's own workspace of this name, which is made if necessary. It has no token. */
  provision(workspace: Omit<NewWorkspace, 'agentCard' | 'tokenHash'>): Promise<WorkspaceId>;
  /** Stores the time of a heartbeat, and the card if there is one. */
  seen(id: WorkspaceId, atMs: number, agentCard?: AgentCard): Promise<void>;
}

// ---------------------------------------------------------------- queue

export type QueueStatus = 'queued' | 'dispatched' | 'completed' | 'failed' | 'dropped';
export type SettledStatus = Exclude<QueueStatus, 'queued' | 'dispatched'>;

/** One part of a message. A `text` part has its text. Other parts keep the fields that they came with. */
interface MessagePart {
  readonly kind: string;
  readonly text?: string;
  readonly [field: string]: unknown;
}

/** A message from one workspace to another. Fields that the hub does not use are kept unchanged. */
export interface HubMessage {
  readonly role: string;
  readonly messageId: string;
  readonly parts: readonly MessagePart[];
  /** The conversation that it belongs to. */
  readonly contextId?: string;
  /** The turns that it answers. */
  readonly referenceTaskIds?: readonly string[];
  readonly [field: string]: unknown;
}

/** A message with the sender's metadata. */
export interface TurnContent {
  readonly message: HubMessage;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Only from the bridge in this process: it names files here. */
  readonly details?: TurnDetails;
  readonly [field: string]: unknown;
}

/** The sender's id of a request. It is returned with the answer. */
export type RequestId = string | number | null;

export type FailureReason =
  | 'failed'
  | 'timed_out'
  | 'cancelled'
  /** The process died while the agent worked. */
  | 'interrupted'
  | 'removed'
  | 'expired'
  | 'unanswered';

/**
 * How a turn ended. `detail` is one plain sentence for the person in the chat. `agent` is the name of the
 * agent that failed, if the hub ran it itself.
 */
export type TurnOutcome =
  | {
      readonly kind: 'answered';
      readonly message: HubMessage;
      /** Only from a program that the hub runs: files on this machine, for the bridge in this process. */
      readonly attached?: AnswerFiles;
    }
  | {
      readonly kind: 'failed';
      readonly reason: FailureReason;
      readonly detail: string;
      readonly agent?: string;
    };

/** A turn as the hub stores it. */
export interface QueueItem {
  readonly queueId: QueueId;
  readonly target: WorkspaceId;
  readonly source: WorkspaceId;
  readonly status: QueueStatus;
  readonly attempts: number;
  readonly lastError: string | undefined;
  readonly enqueuedAtMs: number;
  readonly dispatchedAtMs: number | undefined;
  readonly completedAtMs: number | undefined;
  readonly expiresAtMs: number | undefined;
  readonly requestId: RequestId;
  /** Undefined until the turn is settled. */
  readonly outcome: TurnOutcome | undefined;
}

/** Apart from `QueueItem`, so that nobody reads a message to find out how its turn stands. */
export interface ItemToRun extends QueueItem {
  readonly content: TurnContent;
}

/** A message for a workspace, checked and ready to be stored. */
export interface Sending {
  /** The id of the item if the message is new. */
  readonly queueId: QueueId;
  readonly target: WorkspaceId;
  /** The owner of the sender's token. Repeats have the same source, target and message id. */
  readonly source: WorkspaceId;
  /** False: the sender did not name itself, so that the target is shown no source (MOL-HDR-05). */
  readonly named: boolean;
  /** Items of one source, target and lane run one after another. */
  readonly lane: string;
  readonly hubRun: boolean;
  readonly summary: string;
  /** JSON of the list of files. */
  readonly attachments: string;
  readonly requestId: RequestId;
  readonly content: TurnContent;
  /** How the items end that this message answers. */
  readonly answer: Settlement;
  readonly expiresAtMs: number | undefined;
  readonly atMs: number;
}

export type Sent =
  | {
      readonly kind: 'item';
      readonly item: QueueItem;
      readonly fresh: boolean;
      /** How many items of the target are not settled, this one included. */
      readonly depth: number;
    }
  /** The message was an answer. It is in the target's inbox, and these items are completed. */
  | { readonly kind: 'answer'; readonly completed: readonly QueueId[] }
  /** Too many items wait for the target. Nothing was stored. */
  | { readonly kind: 'full' }
  /** The sender has too much of something. Nothing was stored. */
  | { readonly kind: 'over_quota'; readonly quota: Quota };

export interface Settlement {
  readonly status: SettledStatus;
  readonly outcome: TurnOutcome;
  readonly lastError: string | undefined;
  /** For the operator of the hub. The sender of the message does not see it. */
  readonly output?: ProgramOutput;
  readonly atMs: number;
}

/** Identifies the item that a message made. */
export interface MessageKey {
  readonly source: WorkspaceId;
  readonly target: WorkspaceId;
  readonly messageId: string;
}

/** A turn that holds a slot of the hub, or waits for one. */
export interface Seat {
  readonly queueId: QueueId;
  readonly source: WorkspaceId;
}

/** How turns are chosen that begin. */
export interface Choice {
  /** No more are chosen than this. */
  readonly slots: number;
  /** Chooses among the turns that may run now, by age. Called once or more in a commit, so it must only choose. */
  readonly choose: (waiting: readonly Seat[], dispatched: readonly Seat[]) => readonly QueueId[];
}

export interface Claimed {
  readonly items: readonly ItemToRun[];
  /** True if others wait for the hub to run them, now or later. */
  readonly more: boolean;
}

export interface QueueStore {
  /** Stores a message once, with an inbox row if the target polls. Completes the items that it answers. */
  send(sending: Sending): Promise<Sent>;
  item(id: QueueId): Promise<QueueItem | undefined>;
  /** The item that a message made. */
  itemOfMessage(message: MessageKey): Promise<QueueItem | undefined>;
  /** Marks the items that are chosen as dispatched. Returns them in order. */
  claim(choice: Choice, atMs: number): Promise<Claimed>;
  /** Ends an item. False if it had ended before. */
  settle(id: QueueId, settlement: Settlement): Promise<boolean>;
  /** Puts a dispatched item back. The attempt is not counted. */
  putBack(id: QueueId): Promise<void>;
  /** Puts a dispatched item back. The attempt is counted. */
  retry(id: QueueId): Promise<void>;
  /** Items of agents that the hub runs and that are marked as dispatched. After a crash nobody works on them. */
  dispatched(): Promise<readonly QueueItem[]>;
  /** Waiting items that expired, and items of polling targets that have no answer since `unansweredBeforeMs`. */
  overdue(nowMs: number, unansweredBeforeMs: number): Promise<readonly QueueItem[]>;
  /** Deletes up to `limit` items that were settled before `beforeMs`. Returns how many. */
  pruneItems(beforeMs: number, limit: number): Promise<number>;
}

/**
 * Writes inside a transaction of another part that uses the same database. The bridge in this process needs
 * it: its turn and the item at the hub are stored together. To be called inside a commit only.
 */
export interface JoinedQueue {
  /** Like `QueueStore.send`. A new item that nothing comes before is marked dispatched, if it is chosen. */
  send(sending: Sending, choice: Choice): Sent;
  /** Like `QueueStore.settle`. */
  settle(id: QueueId, settlement: Settlement): boolean;
  /** Adds the row of a message for people of Lark. */
  addLarkSend(row: NewLarkSend, bound: HourlyBound): LarkSendStored;
  /** Calls `run` when the current commit is durable. Does not call it if the commit fails. */
  whenDurable(run: () => void): void;
}

// ---------------------------------------------------------------- activity (a workspace's inbox)

/** JSON texts of a `RequestId` and a `TurnContent`. Only who reads the message parses them. */
export interface ReceivedTexts {
  readonly requestId: string;
  readonly content: string;
}

export interface NewActivity {
  readonly id: string;
  readonly workspace: WorkspaceId;
  readonly activityType: string;
  readonly source: WorkspaceId | undefined;
  readonly target: string | undefined;
  readonly method: string | undefined;
  readonly summary: string | undefined;
  readonly status: string;
  readonly errorDetail: string | undefined;
  readonly durationMs: number | undefined;
  readonly createdAtMs: number;
  /** What another workspace sent, under the name of its request. */
  readonly received?: ReceivedTexts;
  /** JSON of the list of files that the message has. Undefined in rows of earlier versions: not known. */
  readonly attachments: string | undefined;
  /** JSON texts that the workspace reported about itself. */
  readonly requestBody: string | undefined;
  readonly responseBody: string | undefined;
  readonly toolTrace: string | undefined;
}

export interface Activity extends NewActivity {
  readonly seq: number;
}

export interface ActivityQuery {
  readonly type?: string;
  readonly source?: 'canvas' | 'agent';
  readonly peer?: string;
  readonly sinceMs?: number;
  readonly beforeMs?: number;
  /** Rows after this one, oldest first. Without it newest first. */
  readonly sinceId?: string;
  readonly limit: number;
}

export interface ActivityStore {
  /** `undefined`: the row of `sinceId` is not in this workspace's inbox, or was deleted. */
  activity(workspace: WorkspaceId, query: ActivityQuery): Promise<readonly Activity[] | undefined>;
  /** Returns what the workspace has too much of. Then nothing was stored. */
  addActivity(activity: NewActivity): Promise<Quota | undefined>;
  /** Moves the workspace's mark forward, never back. Returns the mark. */
  acknowledge(workspace: WorkspaceId, seq: number): Promise<number>;
  /** Deletes up to `limit` rows from before `beforeMs`. Returns how many. */
  pruneActivity(beforeMs: number, limit: number): Promise<number>;
}

export interface HubStore extends AgentStore, WorkspaceStore, QueueStore, ActivityStore {
  readonly joined: JoinedQueue;
}

// ---------------------------------------------------------------- messages of agents for people of Lark

/** What an agent wants to be shown in Lark, although nobody asked for it. */
export interface LarkSend {
  /** Names it. The same id makes one message. */
  readonly id: string;
  /** The id of a chat, the open id of a person, or an email address. */
  readonly to: string;
  /** In Markdown. May be empty. */
  readonly text: string;
  /** JSON of a card. */
  readonly card?: string;
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

export type LarkSendPlan =
  /** The bridge starts or stops. */
  | { readonly kind: 'not_now' }
  /** `why`: in words, what it can't be. */
  | { readonly kind: 'refused'; readonly why: string }
  | {
      readonly kind: 'planned';
      /** How many messages people see. */
      readonly messages: number;
      /** `may` is called in the commit that stores the messages. They are stored only if it says so. */
      readonly store: (may: () => boolean) => Promise<void>;
    };

/** What came of a message. `refused`: Lark took a part of it or nothing, and does not take the rest. */
export type LarkSendOutcome =
  | { readonly kind: 'waiting' | 'shown' }
  | { readonly kind: 'refused'; readonly why: string };

/** The bridge in this process, as the hub uses it. */
export interface LarkOutlet {
  plan(send: LarkSend): LarkSendPlan;
  /** Undefined: it can't be said now. */
  outcome(id: string): Promise<LarkSendOutcome | undefined>;
}

/** The type of rows for messages to people of Lark. No workspace can report one, so their numbers are right. */
export const LARK_SEND = 'lark_send';

/** `messages`: how many people see. */
export type NewLarkSend = Omit<NewActivity, 'activityType'> & { readonly messages: number };

/** What one workspace may send in the time from `sinceMs` on. */
export interface HourlyBound {
  readonly messagesMax: number;
  readonly sinceMs: number;
}

export type LarkSendStored =
  | { readonly kind: 'added' }
  /** The id is known. Nothing was stored. */
  | { readonly kind: 'known'; readonly requestBody: string | undefined }
  /** Nothing was stored. `oldestMs`: when the oldest message was stored that counts. */
  | { readonly kind: 'too_many'; readonly oldestMs: number }
  | { readonly kind: 'over_quota'; readonly quota: Quota };
