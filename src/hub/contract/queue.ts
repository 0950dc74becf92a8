import { queueId, type QueueId, type QueueItem, type QueueStore } from '../../core/hub-ports.ts';
import { HUB_WAIT_SECS_MAX } from '../../core/limits.ts';
import type { Clock } from '../../core/ports.ts';
import { requestOf } from '../a2a-message.ts';
import { responseOf } from '../answers.ts';
import type { Settlements } from '../settlements.ts';
import { idOf, type Callers } from './callers.ts';
import { Refusal } from './refusal.ts';
import { QueuePath, QueueQuery } from './schemas.ts';
import type { Server } from './server.ts';

/** The platform's word for "as usual"; this hub has one priority only. */
const PRIORITY = 50;

export interface QueueParts {
  readonly store: QueueStore;
  readonly callers: Callers;
  readonly settlements: Settlements;
  readonly clock: Clock;
}

/** `GET /workspaces/:id/a2a/queue/:queueId[?wait_secs=N]`: how a turn stands, and its answer. */
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
        if (item?.target !== idOf(request.params.id)) {
          throw new Refusal(404, 'queue item not found', { retryable: false });
        }
        if (item.source !== workspace.id && item.target !== workspace.id) {
          throw new Refusal(403, 'access denied');
        }
        return item;
      };
      if (waitSecs === 0) return shown(await read());
      const enough = new AbortController();
      reply.raw.once('close', () => enough.abort());
      return shown(await settledOrWaited(parts, { id, read, waitSecs, enough }));
    },
  );
}

interface Waiting {
  readonly id: QueueId;
  readonly read: () => Promise<QueueItem>;
  readonly waitSecs: number;
  /** Aborts when the caller is gone. */
  readonly enough: AbortController;
}

/** Holds until the item is settled, the time is over, the caller is gone or the hub stops. */
async function settledOrWaited(
  { settlements, clock }: Omit<QueueParts, 'callers'>,
  { id, read, waitSecs, enough }: Waiting,
): Promise<QueueItem> {
  const cancelTimer = clock.after(waitSecs * 1000, () => enough.abort());
  // Before the first look, so that no settlement falls between the look and the wait.
  const settled = settlements.wait(id, enough.signal);
  try {
    const item = await read();
    if (item.responseBody !== undefined) return item;
    await settled;
    return await read();
  } finally {
    cancelTimer();
    enough.abort();
  }
}

function waitOf(text: string | undefined): number {
  if (text === undefined) return 0;
  if (!/^\d{1,9}$/.test(text)) {
    throw new Refusal(400, 'wait_secs must be a whole number of seconds');
  }
  return Math.min(Number(text), HUB_WAIT_SECS_MAX);
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
