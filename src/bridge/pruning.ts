import type { Service } from '../time/service.ts';
import { repeating } from '../time/repeat.ts';
import type { AnswerFileStore } from './ports/answer-files.ts';
import type { AttachmentStore } from './ports/attachments.ts';
import type { Journal } from './ports/journal.ts';
import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';

/** Lark redelivers within 6 h. A day also covers a long outage and a clock that was set. */
export const INBOX_KEEP_MS = 24 * 60 * 60 * 1000;
/** Of older turns this many ids are kept, so that a bot with few messages knows repeated ones for weeks. */
export const INBOX_KEEP_ROWS = 50_000;
/** How often old rows are deleted, and how many in one short write. */
export const PRUNE_EVERY_MS = 10 * 60_000;
const PRUNE_ROWS = 500;
/** Dead letters wait for an operator, who may be on holiday. */
const DEAD_LETTER_KEEP_MS = 30 * 24 * 60 * 60 * 1000;
/** After a week nobody remembers what was asked. Until then, whoever is let in gets an answer. */
const KEPT_KEEP_MS = 7 * 24 * 60 * 60 * 1000;

/** A pause between two steps, so that other work can run. */
const STEP_PAUSE_MS = 20;

interface PruningParts {
  readonly journal: Journal;
  readonly attachments?: AttachmentStore | undefined;
  readonly answerFiles?: AnswerFileStore;
  readonly clock: Clock;
  readonly log: Log;
}

/** Bounds what is kept: deletes old rows of the journal, a few at a time, and files of old messages. */
export class Pruning implements Service {
  readonly name = 'pruning';
  readonly #parts: PruningParts;
  readonly #rounds: Service;
  #hasMore = false;

  constructor(parts: PruningParts) {
    this.#parts = parts;
    const { clock, log } = parts;
    this.#rounds = repeating({
      name: this.name,
      firstMs: PRUNE_EVERY_MS,
      everyMs: () => (this.#hasMore ? STEP_PAUSE_MS : PRUNE_EVERY_MS),
      work: () => this.#step(),
      clock,
      log,
    });
  }

  start(): Promise<void> {
    return this.#rounds.start();
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  async #step(): Promise<void> {
    const { journal, attachments, answerFiles, clock } = this.#parts;
    const nowMs = clock.nowMs();
    this.#hasMore = false;
    const pruned = await journal.prune({
      endedBeforeMs: nowMs - INBOX_KEEP_MS,
      keepIds: INBOX_KEEP_ROWS,
      deadBeforeMs: nowMs - DEAD_LETTER_KEEP_MS,
      keptBeforeMs: nowMs - KEPT_KEEP_MS,
      limit: PRUNE_ROWS,
    });
    this.#hasMore = pruned > 0;
    if (this.#hasMore) return;
    await attachments?.prune();
    // After its dead letter is gone, nobody can send a file again.
    answerFiles?.removeBefore(nowMs - DEAD_LETTER_KEEP_MS);
  }
}
