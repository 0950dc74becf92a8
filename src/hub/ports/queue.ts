/** How turns are stored, chosen to run and ended. */
import type { WorkspaceId } from '../../core/ids.ts';
import type { ProgramOutput } from '../../core/program-output.ts';
import type { Quota } from './quota.ts';
import type {
  ItemToRun,
  QueueId,
  QueueItem,
  RequestId,
  SettledStatus,
  TurnContent,
  TurnOutcome,
} from './turns.ts';

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

export interface OpenTurns {
  readonly target: WorkspaceId;
  readonly sinceMs: number;
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
  /** For each polling target with turns of this sender that have no answer: since when the oldest one waits. */
  openOf(source: WorkspaceId): Promise<readonly OpenTurns[]>;
  /** Deletes up to `limit` items that were settled before `beforeMs`. Returns how many. */
  pruneItems(beforeMs: number, limit: number): Promise<number>;
}
