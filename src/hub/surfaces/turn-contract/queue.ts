import { queueId, type QueueId, type QueueItem, type QueueStore } from '../../ports.ts';
import { requestOf } from './a2a-message.ts';
import { responseOf } from '../../domain/answers.ts';
import { idOf, type Callers } from './callers.ts';
import { Refusal } from './refusal.ts';
import { MessagePath, QueuePath, QueueQuery } from './schemas.ts';
import type { Server } from './server.ts';
import { settledOrWaited, type WaitingParts } from './waiting.ts';

/** The platform's word for "as usual"; this hub has one priority only. */
const PRIORITY = 50;

export interface QueueParts extends WaitingParts {
  readonly store: QueueStore;
  readonly callers: Callers;
  /** Ends a turn without an answer; one that has its answer keeps it. */
  readonly cancelTurn: (turn: QueueId) => Promise<void>;
}

/**
 * `GET /workspaces/:id/a2a/queue/:queueId[?wait_secs=N]`: how a turn stands, and its answer.
 * `DELETE /workspaces/:id/a2a/messages/:messageId`: its sender does not want the answer any more.
 */
export function addQueueRoute(server: Server, { callers, ...parts }: QueueParts): void {
  server.get(
    '/workspaces/:id/a2a/queue/:queueId',
    { schema: { params: QueuePath, querystring: QueueQuery } },
    async (request, reply) => {
      const { workspace } = await callers.peer(request, 'caller identity required');
      const waitSecs = waitOf(request.query.wait_secs);
      const id = queueId(request.params.queueId);
      const read = async () => {
        const item = await parts.store.item(id);
        if (item?.target !== idOf(request.params.id)) throw notFound();
        if (item.source !== workspace.id && item.target !== workspace.id) {
          throw new Refusal(403, 'access denied');
        }
        return item;
      };
      if (waitSecs === 0) return shown(await read());
      return shown(await settledOrWaited(parts, { id, read, waitSecs, reply }));
    },
  );

  server.delete(
    '/workspaces/:id/a2a/messages/:messageId',
    { schema: { params: MessagePath } },
    async (request) => {
      const { workspace } = await callers.peer(request, 'caller identity required');
      const { id, messageId } = request.params;
      const message = { source: workspace.id, target: idOf(id), messageId };
      const item = await parts.store.itemOfMessage(message);
      if (item === undefined) throw notFound();
      await parts.cancelTurn(item.queueId);
      return shown((await parts.store.item(item.queueId)) ?? item);
    },
  );
}

function notFound(): Refusal {
  return new Refusal(404, 'queue item not found', { retryable: false });
}

function waitOf(text: string | undefined): number {
  if (text === undefined) return 0;
  if (!/^\d{1,9}$/.test(text)) {
    throw new Refusal(400, 'wait_secs must be a whole number of seconds');
  }
  return Number(text);
}

function shown(item: QueueItem) {
  const response = responseOf(item, requestOf(item).id);
  return {
    queue_id: item.queueId,
    workspace_id: item.target,
    status: item.status,
    priority: PRIORITY,
    attempts: item.attempts,
    ...(item.lastError === undefined ? {} : { last_error: item.lastError }),
    ...time('enqueued_at', item.enqueuedAtMs),
    ...time('dispatched_at', item.dispatchedAtMs),
    ...time('completed_at', item.completedAtMs),
    ...time('expires_at', item.expiresAtMs),
    ...(response === undefined ? {} : { response_body: response }),
  };
}

function time(name: string, atMs: number | undefined) {
  return atMs === undefined ? {} : { [name]: new Date(atMs).toISOString() };
}
