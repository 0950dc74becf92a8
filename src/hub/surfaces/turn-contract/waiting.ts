/** Requests that are held open until a turn is settled. */
import type { FastifyReply } from 'fastify';
import type { QueueId, QueueItem } from '../../ports.ts';
import type { Settlements } from '../../domain/settlements.ts';
import type { Clock } from '../../../time/clock.ts';

/** How long one request may wait for a queue item. */
export const HUB_WAIT_SECS_MAX = 30;

export interface WaitingParts {
  readonly settlements: Settlements;
  readonly clock: Clock;
}

export interface Waiting {
  readonly id: QueueId;
  readonly read: () => Promise<QueueItem>;
  /** How the item is at this moment, if the caller is sure. */
  readonly known?: QueueItem;
  readonly waitSecs: number;
  readonly reply: FastifyReply;
}

/** Holds until the item is settled, the time is over, the caller is gone or the hub stops. */
export async function settledOrWaited(
  { settlements, clock }: WaitingParts,
  { id, read, known, waitSecs, reply }: Waiting,
): Promise<QueueItem> {
  const enough = new AbortController();
  const end = () => enough.abort('enough');
  reply.raw.once('close', end);
  const cancelTimer = clock.after(Math.min(waitSecs, HUB_WAIT_SECS_MAX) * 1000, end);
  // Before the first look, so that no settlement falls between the look and the wait.
  const settled = settlements.wait(id, enough.signal);
  try {
    const item = known ?? (await read());
    if (item.responseBody !== undefined) return item;
    await settled;
    return await read();
  } finally {
    cancelTimer();
    end();
  }
}
