import { errorText } from '../core/errors.ts';
import type { Journal } from '../core/journal.ts';
import type { Service } from '../core/service.ts';
import {
  DEAD_LETTER_KEEP_MS,
  INBOX_KEEP_MS,
  INBOX_KEEP_ROWS,
  PRUNE_EVERY_MS,
  PRUNE_ROWS,
} from '../core/limits.ts';
import type { Clock, Log } from '../core/ports.ts';
import { Rounds } from '../time/repeat.ts';

/** Between two steps everything else has its turn. */
const STEP_PAUSE_MS = 20;

export interface PruningParts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
}

/** Keeps the journal bounded: old rows go, a few at a time. */
export class Pruning implements Service {
  readonly name = 'pruning';
  readonly #parts: PruningParts;
  readonly #rounds: Rounds;

  constructor(parts: PruningParts) {
    this.#parts = parts;
    this.#rounds = new Rounds(parts.clock, () => this.#step());
  }

  start(): Promise<void> {
    this.#rounds.start(PRUNE_EVERY_MS);
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  async #step(): Promise<number> {
    const { journal, clock, log } = this.#parts;
    const nowMs = clock.nowMs();
    try {
      const pruned = await journal.prune({
        endedBeforeMs: nowMs - INBOX_KEEP_MS,
        keepIds: INBOX_KEEP_ROWS,
        deadBeforeMs: nowMs - DEAD_LETTER_KEEP_MS,
        limit: PRUNE_ROWS,
      });
      return pruned > 0 ? STEP_PAUSE_MS : PRUNE_EVERY_MS;
    } catch (error) {
      log.warn('pruning_failed', { error: errorText(error) });
      return PRUNE_EVERY_MS;
    }
  }
}
