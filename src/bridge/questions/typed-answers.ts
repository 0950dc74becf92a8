/** Messages that answer a question of an agent. They start no turn. */
import type { InboundMessage } from '../../core/message.ts';
import type { Turn } from '../../core/turn.ts';
import type { Clock } from '../../time/clock.ts';
import type { Delivery } from '../outbox/delivery.ts';
import { ownDraft, type OwnShow, reactionDraft } from '../outbox/drafts.ts';
import { turnKey } from '../outbox/keys.ts';
import type { Journal } from '../ports/journal.ts';
import type { OutboxDraft } from '../ports/outbox.ts';
import type { StoreRetry } from '../store-retry.ts';
import type { Languages } from '../texts/languages.ts';
import { permissionNotices } from '../texts/permissions.ts';
import { questionNotices } from '../texts/questions.ts';
import { allowsMore, answerIn, type Given } from './question.ts';
import type { Questions } from './questions.ts';

/** The reaction on a message that answered a question. */
const TAKEN_EMOJI = 'DONE';

interface TypedAnswersParts {
  readonly questions: Questions;
  readonly journal: Journal;
  readonly delivery: Delivery;
  readonly storeRetry: StoreRetry;
  readonly languages: Languages;
  readonly clock: Clock;
}

export interface TypedAnswer {
  readonly key: string;
  readonly given: Given;
}

export class TypedAnswers {
  readonly #parts: TypedAnswersParts;
  /** Questions for which words are being stored. What the person says next is another message. */
  readonly #taken = new Set<string>();

  constructor(parts: TypedAnswersParts) {
    this.#parts = parts;
  }

  /**
   * What a message answers: the newest open question that it fits, for those who may. If it takes words, no other
   * message is taken for its answer until `typed` or `release` was called.
   */
  meantBy(message: InboundMessage): TypedAnswer | undefined {
    const { questions } = this.#parts;
    if (!questions.areOpen) return undefined;
    for (const question of questions.openIn(message.chatId)) {
      const { key } = question;
      const given = this.#taken.has(key) ? undefined : answerIn(question, message);
      if (given === undefined || !questions.mayAnswer(question, message.senderOpenId)) continue;
      if ('words' in given) this.#taken.add(key);
      return { key, given };
    }
    return undefined;
  }

  /** The message turned out not to count: it was known already, or its sender may not talk to the bot. */
  release({ key }: TypedAnswer): void {
    this.#taken.delete(key);
  }

  /** Carries out what a message answers, and shows on that message that it counts, or why not. */
  async typed({ message }: Turn, answer: TypedAnswer): Promise<void> {
    try {
      const said = await this.#carryOut(message, answer);
      if (said !== undefined) await this.#say(message, said);
    } finally {
      this.release(answer);
    }
  }

  async #carryOut(
    message: InboundMessage,
    { key, given }: TypedAnswer,
  ): Promise<OwnShow | undefined> {
    const { questions, clock } = this.#parts;
    const { senderOpenId: by } = message;
    const question = questions.question(key);
    const isMore = question !== undefined && allowsMore(question, given);
    if (isMore && !(await questions.mayAllowAlways(question, by))) {
      return permissionNotices.alwaysOwnerOnly();
    }
    const subject = { message, run: 1 };
    const sign: OutboxDraft = {
      ...reactionDraft(subject, clock.nowMs()),
      key: turnKey(subject, 'answer_taken'),
      body: { kind: 'react', emoji: TAKEN_EMOJI },
    };
    const { isNew, state } = await questions.answer(key, { ...given, by }, [sign]);
    if (isNew || state === undefined) return undefined;
    return 'words' in given ? questionNotices.wordsLate(state) : questionNotices.late(state);
  }

  async #say(message: InboundMessage, said: OwnShow): Promise<void> {
    const { journal, storeRetry, delivery, languages, clock } = this.#parts;
    const at = { nowMs: clock.nowMs(), lang: languages.of(message.senderOpenId) };
    const row = ownDraft({ message, run: 1 }, said, at);
    delivery.offer(await storeRetry.untilStored(() => journal.enqueue([row])));
  }
}
