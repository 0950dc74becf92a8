/** The embedded hub's memory, and what it runs. Every method that writes resolves when it is durable. */
import type { WorkspaceId } from '../core/ids.ts';
import type { ProgramOutput } from '../core/program-output.ts';
import type { RunnableSpec } from '../agents/runtime.ts';

/** Names a turn at the hub; the answer is found under it. */
export type QueueId = string & { readonly brand: 'QueueId' };
export const queueId = (raw: string) => raw as QueueId;

// ---------------------------------------------------------------- agents

/** `external`: it connects to the hub with its API key and fetches its turns. */
export type AgentSpec = RunnableSpec | { readonly kind: 'external' };

export interface AgentRecord {
  readonly name: string;
  readonly workspaceId: WorkspaceId;
  readonly spec: AgentSpec;
  readonly createdAtMs: number;
  readonly builtIn: boolean;
}

export interface AgentStore {
  /** Built-in ones first, then by age. */
  agents(): Promise<readonly AgentRecord[]>;
  agentOf(workspace: WorkspaceId): Promise<AgentRecord | undefined>;
  /** Adds an agent and its workspace; false if the name is taken. */
  addAgent(agent: Omit<AgentRecord, 'builtIn'>, tokenHash: string): Promise<boolean>;
  /** Removes an agent, closes its workspace and ends what waits for it; false if there is none. */
  removeAgent(
    name: string,
    atMs: number,
    ending: (item: QueueItem) => Settlement,
  ): Promise<boolean>;
}

// ---------------------------------------------------------------- workspaces

/** Who made a workspace: `agents add`, the program itself at its start, or a client over HTTP. */
export type WorkspaceOrigin = 'agent' | 'provisioned' | 'registered';

/** What a workspace says about itself, as it came. */
export type AgentCard = Readonly<Record<string, unknown>>;

export interface Workspace {
  readonly id: WorkspaceId;
  readonly name: string;
  readonly origin: WorkspaceOrigin;
  /** True if the hub runs the agent itself; otherwise its owner polls. */
  readonly hubRun: boolean;
  readonly agentCard: AgentCard | undefined;
  readonly heartbeatAtMs: number | undefined;
  readonly removed: boolean;
  /** SHA-256 of its only token, in hex; undefined if nobody can speak for it. */
  readonly tokenHash: string | undefined;
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
  /** All that are not removed, by age. */
  workspaces(): Promise<readonly Workspace[]>;
  /** False if the id is known already. */
  addWorkspace(workspace: NewWorkspace): Promise<boolean>;
  /** The program's own workspace of this name, made if need be; it has no token. Returns its id. */
  provision(workspace: Omit<NewWorkspace, 'agentCard' | 'tokenHash'>): Promise<WorkspaceId>;
  /** Notes a sign of life, and the card if there is one. */
  seen(id: WorkspaceId, atMs: number, agentCard?: AgentCard): Promise<void>;
}

// ---------------------------------------------------------------- queue

export type QueueStatus = 'queued' | 'dispatched' | 'completed' | 'failed' | 'dropped';
export type SettledStatus = Exclude<QueueStatus, 'queued' | 'dispatched'>;

/** One piece of a message. A `text` piece has its text; others keep the fields that they came with. */
export interface MessagePart {
  readonly kind: string;
  readonly text?: string;
  readonly [field: string]: unknown;
}

/** What one workspace says to another. Fields that the hub has no use for are kept as they came. */
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

/** A message with what its sender tells about it. */
export interface TurnContent {
  readonly message: HubMessage;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** The sender's own name for a request; it comes back with the answer. */
export type RequestId = string | number | null;

export type FailureReason =
  | 'failed'
  | 'timed_out'
  | 'cancelled'
  /** The process died while the agent was at work. */
  | 'interrupted'
  | 'removed'
  | 'expired'
  | 'unanswered';

/**
 * How a turn ended. `detail` is one plain sentence for the person in the chat; `agent` is the name of the
 * agent that failed, where the hub ran it itself.
 */
export type TurnOutcome =
  | { readonly kind: 'answered'; readonly message: HubMessage }
  | {
      readonly kind: 'failed';
      readonly reason: FailureReason;
      readonly detail: string;
      readonly agent?: string;
    };

/** A turn as the hub keeps it. */
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
  readonly content: TurnContent;
  /** Undefined until it is settled. */
  readonly outcome: TurnOutcome | undefined;
}

/** A message for a workspace, judged and ready to be stored. */
export interface Sending {
  /** Names the item if the message is a new one. */
  readonly queueId: QueueId;
  readonly target: WorkspaceId;
  /** The owner of the sender's token. Together with target and message id it tells repeats. */
  readonly source: WorkspaceId;
  /** False: the sender did not name itself, so that the target is shown no source (MOL-HDR-05). */
  readonly named: boolean;
  /** Items of one source, target and lane run one after another. */
  readonly lane: string;
  readonly hubRun: boolean;
  readonly summary: string;
  readonly requestId: RequestId;
  readonly content: TurnContent;
  /** How the items end that the message says it answers. */
  readonly answer: Settlement;
  readonly expiresAtMs: number | undefined;
  readonly atMs: number;
}

export type Sent =
  | {
      readonly kind: 'item';
      readonly item: QueueItem;
      readonly fresh: boolean;
      /** Items of the target that are not settled, this one included. */
      readonly depth: number;
    }
  /** The message was an answer: it is in the target's inbox, and these items are now completed. */
  | { readonly kind: 'answer'; readonly completed: readonly QueueId[] }
  /** Too many items wait for the target; nothing was stored. */
  | { readonly kind: 'full' };

export interface Settlement {
  readonly status: SettledStatus;
  readonly outcome: TurnOutcome;
  readonly lastError: string | undefined;
  /** For whoever runs the hub; those who sent the message don't see it. */
  readonly output?: ProgramOutput;
  readonly atMs: number;
}

/** Which item a message made. */
export interface MessageKey {
  readonly source: WorkspaceId;
  readonly target: WorkspaceId;
  readonly messageId: string;
}

export interface QueueStore {
  /** Stores a message once, with the inbox row for a target that polls, and completes what it answers. */
  send(sending: Sending): Promise<Sent>;
  item(id: QueueId): Promise<QueueItem | undefined>;
  /** The item that a message made. */
  itemOfMessage(message: MessageKey): Promise<QueueItem | undefined>;
  /** Marks up to `limit` items that may run now as dispatched and returns them in order. */
  claim(limit: number, atMs: number): Promise<Claimed>;
  /** Ends an item that is not ended yet; false if it was. */
  settle(id: QueueId, settlement: Settlement): Promise<boolean>;
  /** Puts a dispatched item back as if this attempt had not been. */
  putBack(id: QueueId): Promise<void>;
  /** Puts a dispatched item back; the attempt stays counted. */
  retry(id: QueueId): Promise<void>;
  /** Hub-run items that are marked dispatched; after a crash nobody works on them. */
  dispatched(): Promise<readonly QueueItem[]>;
  /** Waiting items past their own time limit, and unanswered ones of targets that poll from before `unansweredBeforeMs`. */
  overdue(nowMs: number, unansweredBeforeMs: number): Promise<readonly QueueItem[]>;
  /** Deletes up to `limit` items that were settled before `beforeMs`; returns how many. */
  pruneItems(beforeMs: number, limit: number): Promise<number>;
}

/**
 * The same database as somebody else's, in that one's transaction: for a bridge in this process, whose
 * turn and whose item at the hub become durable together. To be called inside a commit only.
 */
export interface Claimed {
  readonly items: readonly QueueItem[];
  /** True if others wait for the hub to run them, now or later. */
  readonly more: boolean;
}

export interface JoinedQueue {
  /** Like `QueueStore.send`. With `start` a new item that may run at once is marked dispatched too. */
  send(sending: Sending, options: { readonly start: boolean }): Sent;
  /** Like `QueueStore.settle`. */
  settle(id: QueueId, settlement: Settlement): boolean;
  /** Calls `run` when the commit at hand is durable, and never if it fails. */
  whenDurable(run: () => void): void;
}

// ---------------------------------------------------------------- activity (a workspace's inbox)

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
  readonly received?: { readonly requestId: RequestId; readonly content: TurnContent };
  /** JSON texts, as the workspace reported them about itself. */
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
  /** Rows after this one, oldest first; without it newest first. */
  readonly sinceId?: string;
  readonly limit: number;
}

export interface ActivityStore {
  /** `undefined`: the row of `sinceId` is not in this workspace's inbox (any more). */
  activity(workspace: WorkspaceId, query: ActivityQuery): Promise<readonly Activity[] | undefined>;
  addActivity(activity: NewActivity): Promise<void>;
  /** Moves the workspace's mark forward, never back, and returns it. */
  acknowledge(workspace: WorkspaceId, seq: number): Promise<number>;
  /** Deletes up to `limit` rows from before `beforeMs`; returns how many. */
  pruneActivity(beforeMs: number, limit: number): Promise<number>;
}

export interface HubStore extends AgentStore, WorkspaceStore, QueueStore, ActivityStore {
  readonly joined: JoinedQueue;
}
