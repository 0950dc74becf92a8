import { type ChatId, isSameWorkspace, messageId, type TurnId } from '../../core/ids.ts';
import { withoutTerminalControls } from '../../core/visible.ts';
import type { Delivery } from '../outbox/delivery.ts';
import type { Engine } from './engine.ts';
import type { StoreRetry } from '../store-retry.ts';
import { unaskedDrafts, type UnaskedSpeech } from '../outbox/drafts.ts';
import type { Owner } from './single-slot.ts';
import { question, withFiles } from '../texts/texts.ts';
import type {
  ContentForm,
  Journal,
  UnmatchedAnswer,
  TurnAnswer,
  TurnQuestion,
  TurnTarget,
} from '../ports.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';

interface UnmatchedAnswersParts {
  readonly journal: Journal;
  readonly engine: Engine;
  readonly delivery: Delivery;
  readonly storeRetry: StoreRetry;
  readonly target: TurnTarget;
  readonly form: ContentForm;
  /** Where the agent speaks unasked before anybody has written to the bot. */
  readonly defaultChatId: ChatId | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** What came at the hub without naming a turn: an answer, something said unasked, or for nobody here. */
export class UnmatchedAnswers {
  readonly #parts: UnmatchedAnswersParts;

  constructor(parts: UnmatchedAnswersParts) {
    this.#parts = parts;
  }

  /** Shows it if it can only be the answer of one turn, or no answer at all. Else it is kept aside. Each id once. */
  async receive(answer: UnmatchedAnswer): Promise<void> {
    const { journal, engine } = this.#parts;
    if (await journal.isHandled(answer.id)) return;
    const named = await this.#turnNamedBy(answer);
    if (named !== undefined) return this.#named(answer, named);
    const owner = this.#ownerOf(answer);
    if (owner.kind === 'nobody') return this.#unasked(answer);
    if (owner.kind === 'asked') {
      const { id, from } = answer;
      const event = { kind: 'received', id, from, said: saidIn(answer) } as const;
      // It means nothing to a turn that is over.
      if (await engine.apply(owner.turn, event, id)) return;
    }
    if (owner.kind === 'in_chat') await this.#showInChat(answer, owner);
    else await this.#keepLate(answer, owner.turn);
  }

  /** Only whom a turn was given to can speak about it. */
  async #turnNamedBy({ replyToken, from }: UnmatchedAnswer): Promise<TurnId | undefined> {
    const { journal, target } = this.#parts;
    const turn = replyToken === undefined ? undefined : await journal.turnOfToken(replyToken);
    if (turn === undefined) return undefined;
    const { state } = turn;
    const given = 'target' in state ? state.target : await target.currentTarget();
    return isSameWorkspace(from, given) ? turn.id : undefined;
  }

  async #named(answer: UnmatchedAnswer, turn: TurnId): Promise<void> {
    const { engine, log } = this.#parts;
    const { id, from } = answer;
    if (await engine.apply(turn, { kind: 'named', id, from, said: saidIn(answer) }, id)) return;
    await this.#keepAside(answer, turn);
    log.info('answer_not_wanted', { answer: id, turn });
  }

  #ownerOf({ from }: UnmatchedAnswer): Owner {
    const { engine, target } = this.#parts;
    const owner = engine.ownerOfAnswer(from);
    // Where answers name their turn, one that names none can't be known to be a turn's own.
    return owner.kind !== 'nobody' && target.correlates ? { ...owner, kind: 'in_doubt' } : owner;
  }

  /** Nobody can say under which question it belongs; but those who asked read the same chat. */
  async #showInChat(answer: UnmatchedAnswer, { turn, among }: Extract<Owner, { kind: 'in_chat' }>) {
    const { engine, log } = this.#parts;
    const newest = among.at(-1);
    if (newest === undefined) return;
    const { chatId: chat, threadId } = newest;
    const isOneThread = threadId !== undefined && among.every((one) => one.threadId === threadId);
    const under = isOneThread ? messageId(newest.turn) : undefined;
    await this.#show(answer, { chat, under });
    log.info('answer_shown_in_chat', { answer: answer.id, chat, turns: among.length });
    if (turn !== undefined) await engine.noteAnswer(turn);
  }

  async #keepLate(answer: UnmatchedAnswer, turn: TurnId | undefined): Promise<void> {
    await this.#keepAside(answer, turn);
    this.#parts.log.warn('answer_quarantined', { answer: answer.id, turn });
    if (turn !== undefined) await this.#parts.engine.noteAnswer(turn);
  }

  async #unasked(answer: UnmatchedAnswer): Promise<void> {
    const { journal, target, log } = this.#parts;
    const { id, from } = answer;
    if (!isSameWorkspace(from, await target.currentTarget())) {
      await this.#keepAside(answer, undefined);
      log.warn('unasked_refused', { answer: id, from, effect: 'only the target may speak here' });
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
    const messages = await this.#show(answer, { chat, under: undefined });
    log.info('unasked_taken', { answer: id, chat, messages });
  }

  /**
   * Returns how many messages it became. Of a text in which nothing can be seen no row is made; it is noted
   * as handled all the same.
   */
  async #show(
    answer: UnmatchedAnswer,
    place: Pick<UnaskedSpeech, 'chat' | 'under'>,
  ): Promise<number> {
    const { journal, storeRetry, delivery, form, clock } = this.#parts;
    const { id } = answer;
    const drafts = unaskedDrafts(
      { id, text: wordsOf(answer), ...place, nowMs: clock.nowMs() },
      form,
    );
    delivery.offer(await storeRetry.untilStored(() => journal.enqueue(drafts, id)));
    return drafts.length;
  }

  async #keepAside({ id, text, files }: UnmatchedAnswer, turn: TurnId | undefined) {
    const { journal, storeRetry, clock } = this.#parts;
    const kept = { id, text: withFiles(text, files), turn, atMs: clock.nowMs() };
    await storeRetry.untilStored(() => journal.quarantine(kept));
  }
}

function saidIn({ text, files, failure, wants }: UnmatchedAnswer): TurnAnswer | TurnQuestion {
  if (failure !== undefined) return { kind: 'failed', detail: failure };
  const words = { text, ...(files === undefined ? {} : { files }) };
  return wants === undefined
    ? { kind: 'answered', ...words }
    : { kind: 'question', wants, ...words };
}

/** What people see of it in a chat, when nobody knows which question it answers. */
function wordsOf({ text, files, wants }: UnmatchedAnswer): string {
  const words = withoutTerminalControls(text);
  return withFiles(wants === undefined ? words : question(wants, words), files);
}
