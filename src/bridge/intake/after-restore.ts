import type { ChatId } from '../../core/ids.ts';
import type { Turn } from '../../core/turn.ts';
import type { Clock } from '../../time/clock.ts';
import type { Service } from '../../time/service.ts';
import type { Delivery } from '../outbox/delivery.ts';
import type { Journal } from '../ports/journal.ts';
import type { StoreRetry } from '../store-retry.ts';
import type { Languages } from '../texts/languages.ts';
import { oldQuestion } from './admission.ts';

/** Whoever has not answered by then is not asked again. What was asked is remembered for longer. */
const ASKED_WITHIN_MS = 12 * 60 * 60 * 1000;

interface AfterRestoreParts {
  readonly journal: Pick<Journal, 'openTurns' | 'turn' | 'enqueue'>;
  readonly delivery: Pick<Delivery, 'offer'>;
  readonly storeRetry: StoreRetry;
  readonly languages: Languages;
  readonly restoredAtMs?: number | undefined;
  readonly clock: Clock;
}

/** Asks each chat once about the turns that were open when the backup was made: they may have been answered since. */
export class AfterRestore implements Service {
  readonly name = 'after_restore';
  readonly #parts: AfterRestoreParts;

  constructor(parts: AfterRestoreParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    const { restoredAtMs, clock } = this.#parts;
    if (restoredAtMs === undefined || clock.nowMs() - restoredAtMs > ASKED_WITHIN_MS) return;
    for (const turn of (await this.#oldTurns()).values()) await this.#ask(turn, restoredAtMs);
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  /** The newest one of each chat. */
  async #oldTurns(): Promise<ReadonlyMap<ChatId, Turn>> {
    const { journal } = this.#parts;
    const found = new Map<ChatId, Turn>();
    for (const { id, phase } of await journal.openTurns()) {
      const turn = phase === 'held' ? await journal.turn(id) : undefined;
      const isOld = turn?.state.phase === 'held' && turn.state.why === 'restored';
      if (isOld) found.set(turn.message.chatId, turn);
    }
    return found;
  }

  async #ask(turn: Turn, restoredAtMs: number): Promise<void> {
    const { journal, delivery, storeRetry, languages, clock } = this.#parts;
    const once = `restored:${restoredAtMs}`;
    const { message } = turn;
    const at = { nowMs: clock.nowMs(), lang: languages.ofTurn(turn) };
    const question = oldQuestion({ message, why: 'restored' }, once, at);
    const asked = () => journal.enqueue(question, `${once}:${message.chatId}`);
    delivery.offer(await storeRetry.untilStored(asked));
  }
}
