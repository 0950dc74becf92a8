import { type ChatId, isSameWorkspace, type TurnId } from '../../core/ids.ts';
import { withoutTerminalControls } from '../../core/visible.ts';
import type { Delivery } from '../outbox/delivery.ts';
import type { Engine } from './engine.ts';
import type { Persistence } from '../until-stored.ts';
import { unaskedDrafts } from '../outbox/render.ts';
import type { Owner } from './single-slot.ts';
import type { Journal, LooseAnswer, TurnTarget } from '../ports.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';

export interface LooseAnswersParts {
  readonly journal: Journal;
  readonly engine: Engine;
  readonly delivery: Delivery;
  readonly persistence: Persistence;
  readonly target: TurnTarget;
  /** Where the agent speaks unasked before anybody has written to the bot. */
  readonly defaultChatId: ChatId | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** What came at the hub without naming a turn: an answer, something said unasked, or for nobody here. */
export class LooseAnswers {
  readonly #parts: LooseAnswersParts;

  constructor(parts: LooseAnswersParts) {
    this.#parts = parts;
  }

  /** Shown if it can only be the answer of one turn, or no answer at all; else kept aside. Each id once. */
  async receive(answer: LooseAnswer): Promise<void> {
    const { journal, engine } = this.#parts;
    if (await journal.isHandled(answer.id)) return;
    const owner = this.#ownerOf(answer);
    if (owner.kind === 'nobody') return this.#unasked(answer);
    if (owner.kind === 'asked') {
      const { text, failure } = answer;
      const said =
        failure === undefined
          ? ({ kind: 'answered', text } as const)
          : ({ kind: 'failed', detail: failure } as const);
      // It means nothing to a turn whose time was over just now.
      if (await engine.happen(owner.turn, { kind: 'received', answer: said }, answer.id)) return;
    }
    await this.#late(answer, owner);
  }

  #ownerOf({ from }: LooseAnswer): Owner {
    const { engine, target, clock } = this.#parts;
    const owner = engine.slot.owner(from, clock.nowMs());
    // Where answers name their turn, one that names none can't be known to be a turn's own.
    return owner.kind === 'asked' && target.correlates ? { ...owner, kind: 'in_doubt' } : owner;
  }

  async #late(answer: LooseAnswer, { turn }: Exclude<Owner, { kind: 'nobody' }>): Promise<void> {
    const { engine, log } = this.#parts;
    await this.#keepAside(answer, turn);
    log.warn('answer_quarantined', { answer: answer.id, turn });
    if (turn === undefined) return;
    engine.slot.pay(turn);
    if (!engine.slot.owes(turn)) await engine.happen(turn, { kind: 'late_answer' });
  }

  async #unasked(answer: LooseAnswer): Promise<void> {
    const { journal, target, persistence, delivery, clock, log } = this.#parts;
    const { id, from } = answer;
    if (!isSameWorkspace(from, await target.currentTarget())) {
      await this.#keepAside(answer, undefined);
      log.warn('stranger_unheard', { answer: id, from, effect: 'only the target may speak here' });
      return;
    }
    const chat = (await journal.latestChat()) ?? this.#parts.defaultChatId;
    if (chat === undefined) {
      await this.#keepAside(answer, undefined);
      log.warn('unasked_dropped', {
        answer: id,
        effect: 'nobody has written to the bot yet, so there is no chat to show it in',
        next: 'Set LARK_DEFAULT_CHAT_ID to the chat that shall get such messages.',
      });
      return;
    }
    const text = withoutTerminalControls(answer.text);
    const drafts = unaskedDrafts({ id, text, chat, nowMs: clock.nowMs() });
    // Of a text in which nothing can be seen no row is made; it is noted as handled all the same.
    delivery.offer(await persistence.insist(() => journal.enqueue(drafts, id)));
    log.info('unasked_taken', { answer: id, chat, messages: drafts.length });
  }

  async #keepAside({ id, text }: LooseAnswer, turn: TurnId | undefined) {
    const { journal, persistence, clock } = this.#parts;
    const kept = { id, text, turn, atMs: clock.nowMs() };
    await persistence.insist(() => journal.quarantine(kept));
  }
}
