import { type ChatId, isSameWorkspace, messageId, type TurnId } from '../../core/ids.ts';
import { withoutTerminalControls } from '../../text/visible.ts';
import type { Delivery } from '../outbox/delivery.ts';
import type { Engine } from './engine.ts';
import type { StoreRetry } from '../store-retry.ts';
import type { Languages } from '../texts/languages.ts';
import { inLanguage, type Text } from '../texts/text.ts';
import { unaskedDrafts, type UnaskedSpeech } from '../outbox/drafts.ts';
import type { Owner } from './single-slot.ts';
import { question, withFiles } from '../texts/texts.ts';
import type { ContentForm } from '../ports/lark.ts';
import type { Journal } from '../ports/journal.ts';
import type { UnmatchedAnswer, TurnAnswer, TurnQuestion, TurnTarget } from '../ports/target.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';
import { targetOf } from './chosen-target.ts';

interface UnmatchedAnswersParts {
  readonly journal: Journal;
  readonly engine: Engine;
  readonly delivery: Delivery;
  readonly storeRetry: StoreRetry;
  readonly languages: Languages;
  readonly target: TurnTarget;
  readonly form: ContentForm;
  /** The chat for messages that the agent sends unasked before anybody has written to the bot. */
  readonly defaultChatId: ChatId | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** Handles messages of agents that name no turn: answers, messages that nobody asked for, and messages for others. */
export class UnmatchedAnswers {
  readonly #parts: UnmatchedAnswersParts;

  constructor(parts: UnmatchedAnswersParts) {
    this.#parts = parts;
  }

  /** Shows the answer if it is clear where it belongs. Otherwise stores it for the operator. Each id is handled once. */
  async receive(answer: UnmatchedAnswer): Promise<void> {
    const { journal, engine } = this.#parts;
    if (await journal.isHandled(answer.id)) return;
    const named = await this.#turnNamedBy(answer);
    if (named !== undefined) return this.#applyNamed(answer, named);
    const owner = this.#ownerOf(answer);
    if (owner.kind === 'nobody') return this.#handleUnasked(answer);
    if (owner.kind === 'asked') {
      const { id, from } = answer;
      const event = { kind: 'received', id, from, said: contentOf(answer) } as const;
      // A turn that is over does not take it.
      if (await engine.apply(owner.turn, event, id)) return;
    }
    if (owner.kind === 'in_chat') await this.#showInChat(answer, owner);
    else await this.#quarantine(answer, owner.turn);
  }

  /** The turn of the answer's token. Only the workspace that got the turn may answer it. */
  async #turnNamedBy({ replyToken, from }: UnmatchedAnswer): Promise<TurnId | undefined> {
    const { journal, target } = this.#parts;
    const turn = replyToken === undefined ? undefined : await journal.turnOfToken(replyToken);
    if (turn === undefined) return undefined;
    const { state } = turn;
    const given = 'target' in state ? state.target : await targetOf(turn, target);
    return given !== undefined && isSameWorkspace(from, given) ? turn.id : undefined;
  }

  async #applyNamed(answer: UnmatchedAnswer, turn: TurnId): Promise<void> {
    const { engine, log } = this.#parts;
    const { id, from } = answer;
    if (await engine.apply(turn, { kind: 'named', id, from, said: contentOf(answer) }, id)) return;
    await this.#storeForOperator(answer, turn);
    log.info('answer_not_wanted', { answer: id, turn });
  }

  #ownerOf({ from }: UnmatchedAnswer): Owner {
    const { engine, target } = this.#parts;
    const owner = engine.ownerOfAnswer(from);
    // If the target's answers name their turn, an answer without a turn may belong to any turn or to none.
    return owner.kind !== 'nobody' && target.correlates ? { ...owner, kind: 'in_doubt' } : owner;
  }

  /** It is not known which question it answers. But all people who asked read the same chat. */
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

  async #quarantine(answer: UnmatchedAnswer, turn: TurnId | undefined): Promise<void> {
    await this.#storeForOperator(answer, turn);
    this.#parts.log.warn('answer_quarantined', { answer: answer.id, turn });
    if (turn !== undefined) await this.#parts.engine.noteAnswer(turn);
  }

  async #handleUnasked(answer: UnmatchedAnswer): Promise<void> {
    const { journal, target, log } = this.#parts;
    const { id, from } = answer;
    if (!isSameWorkspace(from, await target.currentTarget())) {
      await this.#storeForOperator(answer, undefined);
      log.warn('unasked_refused', { answer: id, from, effect: 'only the target may speak here' });
      return;
    }
    const chat = (await journal.latestChat()) ?? this.#parts.defaultChatId;
    if (chat === undefined) {
      await this.#storeForOperator(answer, undefined);
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
   * Returns the number of messages. A text without anything visible becomes none, but it is noted as handled
   * too.
   */
  async #show(
    answer: UnmatchedAnswer,
    place: Pick<UnaskedSpeech, 'chat' | 'under'>,
  ): Promise<number> {
    const { journal, storeRetry, delivery, form, clock, languages } = this.#parts;
    const { id } = answer;
    const text = inLanguage(wordsOf(answer), languages.standard);
    const drafts = unaskedDrafts({ id, text, ...place, nowMs: clock.nowMs() }, form);
    delivery.offer(await storeRetry.untilStored(() => journal.enqueue(drafts, id)));
    return drafts.length;
  }

  async #storeForOperator({ id, text, files }: UnmatchedAnswer, turn: TurnId | undefined) {
    const { journal, storeRetry, clock, languages } = this.#parts;
    const words = inLanguage(withFiles(text, files), languages.standard);
    const kept = { id, text: words, turn, atMs: clock.nowMs() };
    await storeRetry.untilStored(() => journal.quarantine(kept));
  }
}

function contentOf({ text, files, failure, wants }: UnmatchedAnswer): TurnAnswer | TurnQuestion {
  if (failure !== undefined) return { kind: 'failed', detail: failure };
  const words = { text, ...(files === undefined ? {} : { files }) };
  return wants === undefined
    ? { kind: 'answered', ...words }
    : { kind: 'question', wants, ...words };
}

/** What is shown in a chat if it is not known which question it answers. */
function wordsOf({ text, files, wants }: UnmatchedAnswer): string | Text {
  const words = withoutTerminalControls(text);
  return withFiles(wants === undefined ? words : question(wants, words), files);
}
