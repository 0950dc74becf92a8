import { BridgeError } from '../../core/errors.ts';
import type { ActivityStore, QueueStore } from '../ports.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';

/** A repeated message is known for this long after its turn ended; also how long a polling agent may take. */
export const HUB_ITEM_KEEP_MS = 24 * 60 * 60 * 1000;
/** The longest time that a client may ask an inbox back for. */
export const HUB_ACTIVITY_KEEP_MS = 30 * 24 * 60 * 60 * 1000;
/** Rows deleted in one commit, so that tidying up never holds the event loop for long. */
const HUB_PRUNE_BATCH_ROWS = 200;
/** How often the hub tidies up. */
export const HUB_PRUNE_EVERY_MS = 10 * 60_000;

export interface UpkeepParts {
  readonly store: ActivityStore & QueueStore;
  readonly clock: Clock;
  readonly log: Log;
}

/** Deletes what is past its time, a little at a time. */
export class Upkeep {
  readonly #parts: UpkeepParts;
  #cancelTimer: () => void = () => {};
  #stopped = false;
  #round: Promise<void> = Promise.resolve();

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
  }

  /** Begins with a round at once: a program that is restarted often would never come to one. */
  start(): void {
    this.#round = this.#tidyUp();
    this.#cancelTimer = this.#parts.clock.after(HUB_PRUNE_EVERY_MS, () => this.start());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    await this.#round;
  }

  async #tidyUp(): Promise<void> {
    const { store, clock, log } = this.#parts;
    const nowMs = clock.nowMs();
    try {
      const items = await this.#inBatches((limit) =>
        store.pruneItems(nowMs - HUB_ITEM_KEEP_MS, limit),
      );
      const activity = await this.#inBatches((limit) =>
        store.pruneActivity(nowMs - HUB_ACTIVITY_KEEP_MS, limit),
      );
      if (items + activity > 0) log.info('hub_pruned', { items, activity });
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      log.warn('hub_prune_postponed', { error: error.message });
    }
  }

  async #inBatches(prune: (limit: number) => Promise<number>): Promise<number> {
    let all = 0;
    let batch = HUB_PRUNE_BATCH_ROWS;
    while (batch === HUB_PRUNE_BATCH_ROWS && !this.#stopped) {
      batch = await prune(HUB_PRUNE_BATCH_ROWS);
      all += batch;
    }
    return all;
  }
}
