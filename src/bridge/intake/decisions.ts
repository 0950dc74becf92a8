/** Carries out what a person decided about turns, by a button or a command. */
import type { ChoiceAction } from '../../core/content.ts';
import type { ChatId, OpenId, TurnId } from '../../core/ids.ts';
import type { Delivery } from '../outbox/delivery.ts';
import type { Journal } from '../ports/journal.ts';
import type { StoreRetry } from '../store-retry.ts';
import type { Languages } from '../texts/languages.ts';
import type { Engine } from '../turns/engine.ts';
import type { Clock } from '../../time/clock.ts';
import { oldQuestion } from './admission.ts';
import { ASKABLE_MAX, staleAmong } from '../commands/askable.ts';

interface DecisionsParts {
  readonly journal: Journal;
  readonly engine: Engine;
  readonly delivery: Delivery;
  readonly storeRetry: StoreRetry;
  readonly languages: Languages;
  readonly clock: Clock;
}

interface Decision {
  readonly action: ChoiceAction;
  /** The person who gave it. */
  readonly by: OpenId;
}

export class Decisions {
  readonly #parts: DecisionsParts;

  constructor(parts: DecisionsParts) {
    this.#parts = parts;
  }

  /** Old messages that wait for a decision, in order: of one person, or of all. */
  async staleOf(chat: ChatId, person?: OpenId): Promise<TurnId[]> {
    const askable = await this.#parts.journal.askable(chat, ASKABLE_MAX, person);
    return staleAmong(askable)
      .map(({ id }) => id)
      .toReversed();
  }

  /** `once`: what has been done under this name is not done again. False if no turn waits for the decision. */
  async choose(about: readonly TurnId[], decision: Decision, once: string): Promise<boolean> {
    let isDone = false;
    for (const id of about) {
      if ((await this.#parts.journal.turn(id)) === undefined) continue;
      if (await this.#parts.engine.apply(id, { kind: 'chosen', ...decision }, once)) isDone = true;
    }
    return isDone;
  }

  /**
   * A decision does not mean messages that came after it, nor those of other people. The chat is asked again about
   * them. False if there are none.
   */
  async askAboutRest(chat: ChatId, cause: string): Promise<boolean> {
    const { journal, delivery, storeRetry, languages, clock } = this.#parts;
    const [first] = await this.staleOf(chat);
    const turn = first && (await journal.turn(first));
    if (turn === undefined) return false;
    const at = { nowMs: clock.nowMs(), lang: languages.ofTurn(turn) };
    const { message, state } = turn;
    const why = state.phase === 'held' && state.why === 'restored' ? 'restored' : 'stale';
    const question = oldQuestion({ message, why }, cause, at);
    delivery.offer(await storeRetry.untilStored(() => journal.enqueue(question)));
    return true;
  }
}
