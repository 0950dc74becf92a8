import { randomUUID } from 'node:crypto';
import {
  queueId,
  type AgentRecord,
  type HubStore,
  type NewActivity,
  type QueueItem,
  type Sending,
  type Sent,
} from '../../../hub/ports.ts';
import type { Db } from '../db.ts';
import { activityTable } from './activity.ts';
import { agentsTable } from './agents.ts';
import { itemsTable } from './items.ts';
import { workspacesTable } from './workspaces.ts';

/** Items that wait for one agent. Past this the sender is told to come back, which bounds memory and disk. */
const HUB_QUEUE_ITEMS_MAX = 10_000;

/** The hub's memory in the SQLite file: what belongs together is one commit. */
export function createHubStore(db: Db): HubStore {
  const tables: Tables = {
    workspaces: workspacesTable(db),
    agents: agentsTable(db),
    items: itemsTable(db),
    activity: activityTable(db),
  };
  return {
    ...accounts(db, tables),
    ...queue(db, tables),
    ...inboxes(db, tables),
    joined: {
      send: (sending, { start }) => send(tables, sending, { start: start && sending.hubRun }),
      settle: (id, settlement) => tables.items.settle(id, settlement),
      whenDurable: (run) => db.whenDurable(run),
    },
  };
}

interface Tables {
  readonly workspaces: ReturnType<typeof workspacesTable>;
  readonly agents: ReturnType<typeof agentsTable>;
  readonly items: ReturnType<typeof itemsTable>;
  readonly activity: ReturnType<typeof activityTable>;
}

function accounts(db: Db, { workspaces, agents, items }: Tables) {
  return {
    agents: async () => agents.all(),
    agentOf: async (workspace) => agents.byWorkspace(workspace),

    addAgent: (agent, tokenHash) =>
      db.write(() => {
        if (agents.byName(agent.name) !== undefined) return false;
        workspaces.add({
          id: agent.workspaceId,
          name: agent.name,
          origin: 'agent',
          hubRun: agent.spec.kind !== 'external',
          agentCard: undefined,
          tokenHash,
          atMs: agent.createdAtMs,
        });
        agents.add(agent);
        return true;
      }),

    removeAgent: (name, atMs, ending) =>
      db.write(() => {
        const agent: AgentRecord | undefined = agents.byName(name);
        if (agent === undefined || agent.builtIn) return false;
        agents.remove(name);
        workspaces.remove(agent.workspaceId, atMs);
        for (const item of items.waitingFor(agent.workspaceId)) {
          items.settle(item.queueId, ending(item));
        }
        return true;
      }),

    workspace: async (id) => workspaces.byId(id),
    workspaceByToken: async (tokenHash) => workspaces.byToken(tokenHash),
    workspaces: async () => workspaces.all(),
    addWorkspace: (workspace) =>
      db.write(() => workspaces.add({ ...workspace, origin: 'registered', hubRun: false })),

    provision: (workspace) =>
      db.write(() => {
        const known = workspaces.provisioned(workspace.name);
        if (known !== undefined) return known;
        workspaces.add({
          ...workspace,
          origin: 'provisioned',
          hubRun: false,
          agentCard: undefined,
          tokenHash: undefined,
        });
        return workspace.id;
      }),

    seen: (id, atMs, agentCard) => db.write(() => workspaces.seen(id, atMs, agentCard)),
  } satisfies Partial<HubStore>;
}

function queue(db: Db, tables: Tables) {
  const { items } = tables;
  return {
    send: (sending) => db.write(() => send(tables, sending, { start: false })),
    item: async (id) => items.one(id),
    itemOfMessage: async (message) => items.ofMessage(message),
    claim: (limit, atMs) => db.write(() => items.claim(limit, atMs)),
    settle: (id, settlement) => db.write(() => items.settle(id, settlement)),
    putBack: (id) => db.write(() => items.requeue(id, 0)),
    retry: (id) => db.write(() => items.requeue(id, 1)),
    dispatched: async () => items.dispatched(),
    overdue: async (nowMs, unansweredBeforeMs) => items.overdue(nowMs, unansweredBeforeMs),
    pruneItems: (beforeMs, limit) => db.write(() => items.prune(beforeMs, limit)),
  } satisfies Partial<HubStore>;
}

function inboxes(db: Db, { activity, workspaces }: Tables) {
  return {
    activity: async (workspace, query) => activity.list(workspace, query),
    addActivity: (row) => db.write(() => activity.add(row)),
    acknowledge: (workspace, seq) => db.write(() => workspaces.acknowledge(workspace, seq)),
    pruneActivity: (beforeMs, limit) => db.write(() => activity.prune(beforeMs, limit)),
  } satisfies Partial<HubStore>;
}

/** With `start` a new item is dispatched at once, unless another one of its lane stands before it. */
function send(
  { items, activity }: Tables,
  sending: Sending,
  { start }: { readonly start: boolean },
): Sent {
  const { source, target, content } = sending;
  const { messageId } = content.message;
  const { depth, ahead } = items.depth(sending);
  const repeated = (): Sent | undefined => {
    const item = items.ofMessage({ source, target, messageId });
    return item && { kind: 'item', item, fresh: false, depth };
  };

  const origin = { sender: source, messageId };
  const answered = itemsAnsweredBy(sending, items.one);
  if (answered.length > 0) {
    const sent = repeated();
    if (sent !== undefined) return sent;
    activity.add(inboxRowOf(sending), origin);
    const completed = answered.filter((item) => items.settle(item.queueId, sending.answer));
    return { kind: 'answer', completed: completed.map((item) => item.queueId) };
  }

  if (depth >= HUB_QUEUE_ITEMS_MAX) return repeated() ?? { kind: 'full' };
  const item = items.add(sending, { start: start && ahead === 0 });
  if (item === undefined) {
    const sent = repeated();
    if (sent === undefined) throw new Error(`no item of message ${messageId}`);
    return sent;
  }
  if (!sending.hubRun) activity.add(inboxRowOf(sending), origin);
  return { kind: 'item', item, fresh: true, depth: depth + 1 };
}

/** Only the workspace that was asked can answer, and only to the one that asked. */
function itemsAnsweredBy(
  sending: Sending,
  one: (id: Sending['queueId']) => QueueItem | undefined,
): QueueItem[] {
  const { referenceTaskIds = [] } = sending.content.message;
  return referenceTaskIds.flatMap((id) => {
    const item = one(queueId(id));
    const isTheirs = item?.target === sending.source && item.source === sending.target;
    return item !== undefined && isTheirs ? [item] : [];
  });
}

function inboxRowOf(sending: Sending): NewActivity {
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
    received: { requestId: sending.requestId, content: sending.content },
    requestBody: undefined,
    responseBody: undefined,
    toolTrace: undefined,
  };
}
