import { randomUUID } from 'node:crypto';
import type { WorkspaceId } from '../../../core/ids.ts';
import type { Activity, ActivityQuery, NewActivity } from '../../../hub/ports/activity.ts';
import type { AgentRecord } from '../../../hub/ports/agents.ts';
import {
  LARK_SEND,
  type HourlyBound,
  type LarkSendStored,
  type NewLarkSend,
} from '../../../hub/ports/lark-sends.ts';
import type {
  Choice,
  Claimed,
  MessageKey,
  OpenTurns,
  Sending,
  Sent,
  Settlement,
} from '../../../hub/ports/queue.ts';
import type { Quota } from '../../../hub/ports/quota.ts';
import type { SessionKey, StoredSession } from '../../../hub/ports/sessions.ts';
import type { HubStore, JoinedQueue } from '../../../hub/ports/store.ts';
import { queueId, type QueueId, type QueueItem } from '../../../hub/ports/turns.ts';
import {
  REGISTERED_WORKSPACES_MAX,
  type AgentCard,
  type ListedWorkspace,
  type NewWorkspace,
  type Workspace,
} from '../../../hub/ports/workspaces.ts';
import type { Db } from '../db.ts';
import { ActivityTable } from './activity.ts';
import { AgentsTable } from './agents.ts';
import { AgentSessionsTable } from './sessions.ts';
import { ItemsTable } from './items.ts';
import { UsageTable } from './usage.ts';
import { WorkspacesTable } from './workspaces.ts';

/** Items that may wait for one agent, of all senders together. A further sender has to try again later. */
const HUB_QUEUE_ITEMS_MAX = 10_000;

/** What the hub stores in the SQLite file. Changes that belong together are one commit. */
export class SqliteHubStore implements HubStore {
  readonly joined: JoinedQueue;
  readonly #db: Db;
  readonly #workspaces: WorkspacesTable;
  readonly #agents: AgentsTable;
  readonly #sessions: AgentSessionsTable;
  readonly #items: ItemsTable;
  readonly #activity: ActivityTable;
  readonly #usage: UsageTable;

  constructor(db: Db) {
    this.#db = db;
    this.#workspaces = new WorkspacesTable(db);
    this.#agents = new AgentsTable(db);
    this.#sessions = new AgentSessionsTable(db);
    this.#items = new ItemsTable(db);
    this.#activity = new ActivityTable(db);
    this.#usage = new UsageTable(db);
    this.joined = {
      send: (sending, choice) => this.#send(sending, choice),
      settle: (id, settlement) => this.#items.settle(id, settlement),
      addLarkSend: (row, bound) => this.#addLarkSend(row, bound),
      whenDurable: (run) => db.whenDurable(run),
    };
  }

  // ---------------------------------------------------------------- agents

  async agents(): Promise<readonly AgentRecord[]> {
    return this.#agents.all();
  }

  async agentOf(workspace: WorkspaceId): Promise<AgentRecord | undefined> {
    return this.#agents.byWorkspace(workspace);
  }

  addAgent(
    agent: Omit<AgentRecord, 'builtIn' | 'chosenAtMs'>,
    tokenHash: string,
  ): Promise<boolean> {
    return this.#db.write(() => {
      if (this.#agents.byName(agent.name) !== undefined) return false;
      this.#workspaces.add({
        id: agent.workspaceId,
        name: agent.name,
        origin: 'agent',
        hubRun: agent.spec.kind !== 'external',
        agentCard: undefined,
        tokenHash,
        atMs: agent.createdAtMs,
      });
      this.#agents.add(agent);
      return true;
    });
  }

  chooseAgent(name: string, atMs: number): Promise<boolean> {
    return this.#db.write(() => this.#agents.choose(name, atMs));
  }

  removeAgent(
    name: string,
    atMs: number,
    ending: (item: QueueItem) => Settlement,
  ): Promise<boolean> {
    return this.#db.write(() => {
      const agent = this.#agents.byName(name);
      if (agent === undefined || agent.builtIn) return false;
      this.#agents.remove(name);
      this.#workspaces.remove(agent.workspaceId, atMs);
      this.#sessions.removeOf(agent.workspaceId);
      for (const item of this.#items.waitingFor(agent.workspaceId)) {
        this.#items.settle(item.queueId, ending(item));
      }
      return true;
    });
  }

  async agentSession(key: SessionKey): Promise<StoredSession | undefined> {
    return this.#sessions.of(key);
  }

  keepNativeId(key: SessionKey, nativeId: string | undefined): Promise<void> {
    return this.#db.write(() => this.#sessions.keepNativeId(key, nativeId));
  }

  keepChoice(key: SessionKey, option: string, value: string): Promise<void> {
    return this.#db.write(() => this.#sessions.keepChoice(key, option, value));
  }

  // ---------------------------------------------------------------- workspaces

  async workspace(id: WorkspaceId): Promise<Workspace | undefined> {
    return this.#workspaces.byId(id);
  }

  async workspaceByToken(tokenHash: string): Promise<Workspace | undefined> {
    return this.#workspaces.byToken(tokenHash);
  }

  async listing(): Promise<readonly ListedWorkspace[]> {
    return this.#workspaces.listing();
  }

  async listed(id: WorkspaceId): Promise<ListedWorkspace | undefined> {
    return this.#workspaces.listed(id);
  }

  async workspaces(): Promise<readonly Workspace[]> {
    return this.#workspaces.all();
  }

  addWorkspace(workspace: NewWorkspace): Promise<'added' | 'known' | 'full'> {
    return this.#db.write(() => {
      if (this.#workspaces.registered() >= REGISTERED_WORKSPACES_MAX) return 'full';
      const row = { ...workspace, origin: 'registered', hubRun: false } as const;
      return this.#workspaces.add(row) ? 'added' : 'known';
    });
  }

  provision(workspace: Omit<NewWorkspace, 'agentCard' | 'tokenHash'>): Promise<WorkspaceId> {
    return this.#db.write(() => {
      const known = this.#workspaces.provisioned(workspace.name);
      if (known !== undefined) return known;
      this.#workspaces.add({
        ...workspace,
        origin: 'provisioned',
        hubRun: false,
        agentCard: undefined,
        tokenHash: undefined,
      });
      return workspace.id;
    });
  }

  seen(id: WorkspaceId, atMs: number, agentCard?: AgentCard): Promise<void> {
    return this.#db.write(() => this.#workspaces.seen(id, atMs, agentCard));
  }

  // ---------------------------------------------------------------- queue

  send(sending: Sending): Promise<Sent> {
    return this.#db.write(() => this.#send(sending));
  }

  async item(id: QueueId): Promise<QueueItem | undefined> {
    return this.#items.one(id);
  }

  async itemOfMessage(message: MessageKey): Promise<QueueItem | undefined> {
    return this.#items.ofMessage(message);
  }

  claim(choice: Choice, atMs: number): Promise<Claimed> {
    return this.#db.write(() => this.#items.claim(choice, atMs));
  }

  settle(id: QueueId, settlement: Settlement): Promise<boolean> {
    return this.#db.write(() => this.#items.settle(id, settlement));
  }

  putBack(id: QueueId): Promise<void> {
    return this.#db.write(() => this.#items.requeue(id, 0));
  }

  retry(id: QueueId): Promise<void> {
    return this.#db.write(() => this.#items.requeue(id, 1));
  }

  async dispatched(): Promise<readonly QueueItem[]> {
    return this.#items.dispatched();
  }

  async openOf(source: WorkspaceId): Promise<readonly OpenTurns[]> {
    return this.#items.openOf(source);
  }

  async overdue(nowMs: number, unansweredBeforeMs: number): Promise<readonly QueueItem[]> {
    return this.#items.overdue(nowMs, unansweredBeforeMs);
  }

  pruneItems(beforeMs: number, limit: number): Promise<number> {
    return this.#db.write(() => this.#items.prune(beforeMs, limit));
  }

  #send(sending: Sending, choice?: Choice): Sent {
    const { source, target, content } = sending;
    const { messageId } = content.message;
    const origin = { sender: source, messageId };
    const answered = itemsAnsweredBy(sending, (id) => this.#items.partiesOf(id));
    const text = JSON.stringify(content);
    const repeated = this.#items.ofMessage({ source, target, messageId });
    const depth = this.#usage.asked(target);
    if (repeated !== undefined) return { kind: 'item', item: repeated, fresh: false, depth };
    const isAnswer = answered.length > 0;
    const quota = this.#usage.excess(source, costOf(sending, text, isAnswer));
    if (quota !== undefined) return { kind: 'over_quota', quota };

    if (!isAnswer) {
      // The bridge in this process has few turns at a time, so chats find room whatever others have sent.
      const isFull = depth >= HUB_QUEUE_ITEMS_MAX && !this.#usage.isOwn(source);
      if (isFull) return { kind: 'full' };
      const start = sending.hubRun && this.#isChosen(sending, choice);
      const item = this.#items.add(sending, text, { start });
      if (!sending.hubRun) this.#activity.add(inboxRowOf(sending, text), origin);
      return { kind: 'item', item, fresh: true, depth: depth + 1 };
    }
    this.#activity.add(inboxRowOf(sending, text), origin);
    const completed = answered.filter((item) => this.#items.settle(item.queueId, sending.answer));
    return { kind: 'answer', completed: completed.map((item) => item.queueId) };
  }

  /** With a choice a new item begins at once if it is chosen, and no other one of its lane comes before it. */
  #isChosen(sending: Sending, choice: Choice | undefined): boolean {
    if (choice === undefined || this.#items.isBusy(sending)) return false;
    const { queueId: id, source } = sending;
    return choice.choose([{ queueId: id, source }], this.#items.seats()).length > 0;
  }

  // ---------------------------------------------------------------- inboxes

  async activity(
    workspace: WorkspaceId,
    query: ActivityQuery,
  ): Promise<readonly Activity[] | undefined> {
    return this.#activity.list(workspace, query);
  }

  addActivity(row: NewActivity): Promise<Quota | undefined> {
    return this.#db.write(() => this.#addWithinQuota(row));
  }

  #addWithinQuota(row: NewActivity): Quota | undefined {
    const texts = [row.summary, row.errorDetail, row.requestBody, row.responseBody, row.toolTrace];
    const quota = this.#usage.excess(row.workspace, { rows: 1, bytes: bytesOf(texts) });
    if (quota === undefined) this.#activity.add(row);
    return quota;
  }

  #addLarkSend({ messages, ...row }: NewLarkSend, bound: HourlyBound): LarkSendStored {
    const known = this.#activity.withId(row.id);
    if (known !== undefined) return { kind: 'known', requestBody: known.requestBody };
    const before = this.#activity.larkSends(row.workspace, bound.sinceMs);
    if (before.messages + messages > bound.messagesMax) {
      return { kind: 'too_many', oldestMs: before.oldestMs ?? row.createdAtMs };
    }
    const responseBody = JSON.stringify({ messages });
    const quota = this.#addWithinQuota({ ...row, activityType: LARK_SEND, responseBody });
    return quota === undefined ? { kind: 'added' } : { kind: 'over_quota', quota };
  }

  acknowledge(workspace: WorkspaceId, seq: number): Promise<number> {
    return this.#db.write(() => this.#workspaces.acknowledge(workspace, seq));
  }

  pruneActivity(beforeMs: number, limit: number): Promise<number> {
    return this.#db.write(() => this.#activity.prune(beforeMs, limit));
  }
}

/** Only the workspace that was asked can answer, and only to the workspace that asked. */
function itemsAnsweredBy<Item extends Pick<QueueItem, 'source' | 'target'>>(
  sending: Sending,
  one: (id: QueueId) => Item | undefined,
): Item[] {
  const { referenceTaskIds = [] } = sending.content.message;
  return referenceTaskIds.flatMap((id) => {
    const item = one(queueId(id));
    const isTheirs = item?.target === sending.source && item.source === sending.target;
    return item !== undefined && isTheirs ? [item] : [];
  });
}

/** What a message will add to what its sender has stored, at most. */
function costOf({ hubRun, attachments }: Sending, content: string, isAnswer: boolean) {
  const bytes = bytesOf([content, attachments]);
  // What a polling workspace is sent is stored in the queue and in its inbox, and an answer in the inbox and with the item.
  const copies = hubRun && !isAnswer ? 1 : 2;
  return { rows: copies, bytes: copies * bytes, waiting: isAnswer ? 0 : 1 };
}

function bytesOf(texts: readonly (string | undefined)[]): number {
  let bytes = 0;
  for (const text of texts) if (text !== undefined) bytes += Buffer.byteLength(text);
  return bytes;
}

function inboxRowOf(sending: Sending, content: string): NewActivity {
  return {
    id: randomUUID(),
    workspace: sending.target,
    activityType: 'a2a_receive',
    source: sending.named ? sending.source : undefined,
    target: sending.target,
    method: 'message/send',
    summary: sending.summary,
    status: 'ok',
    errorDetail: undefined,
    durationMs: undefined,
    createdAtMs: sending.atMs,
    received: { requestId: JSON.stringify(sending.requestId), content },
    attachments: sending.attachments,
    requestBody: undefined,
    responseBody: undefined,
    toolTrace: undefined,
  };
}
