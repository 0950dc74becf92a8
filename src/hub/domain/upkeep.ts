import type { ActivityStore } from '../ports/activity.ts';
import type { QueueStore } from '../ports/queue.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';
import type { Service } from '../../time/service.ts';
import { repeating } from '../../time/repeat.ts';

/** A repeated message is recognized this long after its turn ended. A polling agent may take as long. */
export const HUB_ITEM_KEEP_MS = 24 * 60 * 60 * 1000;
/** How far back a client may read an inbox. */
export const HUB_ACTIVITY_KEEP_MS = 30 * 24 * 60 * 60 * 1000;
/** Rows deleted in one commit. A small number, so that the event loop is not held for long. */
const HUB_PRUNE_BATCH_ROWS = 200;
/** How often old rows are deleted: often enough that few rows wait, and rare enough to cost nothing. */
export const HUB_PRUNE_EVERY_MS = 10 * 60_000;

/** Deletes old rows, a few at a time. */
export class Upkeep {
  readonly #store: ActivityStore & QueueStore;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #rounds: Service;

  constructor({
    store,
    clock,
    log,
  }: {
    readonly store: ActivityStore & QueueStore;
    readonly clock: Clock;
    readonly log: Log;
  }) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
    this.#rounds = repeating({
      name: 'hub_upkeep',
      firstMs: 0,
      everyMs: HUB_PRUNE_EVERY_MS,
      work: (stopping) => this.#round(stopping),
      clock,
      log,
    });
  }

  /** The first round begins at once, because a program that is restarted often would get to none. */
  start(): Promise<void> {
    return this.#rounds.start();
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  async #round(stopping: AbortSignal): Promise<void> {
    const nowMs = this.#clock.nowMs();
    const items = await inBatches(stopping, (limit) =>
      this.#store.pruneItems(nowMs - HUB_ITEM_KEEP_MS, limit),
    );
    const activity = await inBatches(stopping, (limit) =>
      this.#store.pruneActivity(nowMs - HUB_ACTIVITY_KEEP_MS, limit),
    );
    if (items + activity > 0) this.#log.info('hub_pruned', { items, activity });
  }
}

async function inBatches(
  stopping: AbortSignal,
  prune: (limit: number) => Promise<number>,
): Promise<number> {
  let all = 0;
  let batch = HUB_PRUNE_BATCH_ROWS;
  while (batch === HUB_PRUNE_BATCH_ROWS && !stopping.aborted) {
    batch = await prune(HUB_PRUNE_BATCH_ROWS);
    all += batch;
  }
  return all;
}
