/** All that the embedded hub stores. Every method that writes resolves when the data is durable. */
import type { ActivityStore } from './activity.ts';
import type { AgentStore } from './agents.ts';
import type { HourlyBound, LarkSendStored, NewLarkSend } from './lark-sends.ts';
import type { Choice, QueueStore, Sending, Sent, Settlement } from './queue.ts';
import type { AgentSessionStore } from './sessions.ts';
import type { QueueId } from './turns.ts';
import type { WorkspaceStore } from './workspaces.ts';

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

export interface HubStore
  extends AgentStore, WorkspaceStore, QueueStore, ActivityStore, AgentSessionStore {
  readonly joined: JoinedQueue;
}
