import { queueId, type QueueItem } from '../../ports/turns.ts';
import type { Turns } from '../../domain/turns.ts';
import { responseBody } from './json-rpc.ts';
import { idOf, onlyPeers, type Callers } from './callers.ts';
import { Refusal } from './refusal.ts';
import { MessagePath, QueuePath, QueueQuery } from './schemas.ts';
import type { Server } from './server.ts';
import { untilGone } from './waiting.ts';

/** The platform's normal priority. This hub has only one. */
const PRIORITY = 50;

interface QueueParts {
  readonly turns: Turns;
  readonly callers: Callers;
}

/**
 * `GET /workspaces/:id/a2a/queue/:queueId[?wait_secs=N]`: the state of a turn, and its answer.
 * `DELETE /workspaces/:id/a2a/messages/:messageId`: its sender does not want the answer any more.
 */
export function addQueueRoute(server: Server, { callers, turns }: QueueParts): void {
  const missing = 'caller identity required';
  const onRequest = onlyPeers(callers, missing);

  server.get(
    '/workspaces/:id/a2a/queue/:queueId',
    { schema: { params: QueuePath, querystring: QueueQuery }, onRequest },
    async (request, reply) => {
      const { workspace } = await callers.peer(request, missing);
      const waitSecs = waitOf(request.query.wait_secs);
      const id = queueId(request.params.queueId);
      const read = async () => {
        const item = await turns.item(id);
        if (item?.target !== idOf(request.params.id)) throw notFound();
        if (item.source !== workspace.id && item.target !== workspace.id) {
          throw new Refusal(403, 'access denied');
        }
        return item;
      };
      if (waitSecs === 0) return shown(await read());
      const signal = untilGone(reply);
      return shown(await turns.settled(id, { read, waitMs: waitSecs * 1000, signal }));
    },
  );

  server.delete(
    '/workspaces/:id/a2a/messages/:messageId',
    { schema: { params: MessagePath }, onRequest },
    async (request) => {
      const { workspace } = await callers.peer(request, missing);
      const { id, messageId } = request.params;
      const message = { source: workspace.id, target: idOf(id), messageId };
      const item = await turns.cancel(message);
      if (item === undefined) throw notFound();
      return shown(item);
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
  const response = responseBody(item, item.requestId);
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
