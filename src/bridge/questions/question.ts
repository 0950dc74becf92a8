/** Decisions about questions of agents. They are pure. */
import type { QuestionContent } from '../../core/content.ts';
import type { OpenId } from '../../core/ids.ts';
import type { Language } from '../../core/language.ts';
import type { InboundMessage } from '../../core/message.ts';
import type { Turn, TurnState } from '../../core/turn.ts';
import type { OutboxDraft } from '../ports/outbox.ts';
import type { QuestionAnswer, QuestionOption } from '../../core/turn-update.ts';
import { visibleOf } from '../../text/visible.ts';
import { turnKey } from '../outbox/keys.ts';
import { type DraftedAt, messageDraft } from '../outbox/drafts.ts';
import { inLanguage } from '../texts/text.ts';
import { answerHint, outcomeText, WITHDRAWN } from '../texts/questions.ts';
import type { Question, QuestionEndReason, QuestionState } from '../ports/questions.ts';

export type EndState = Exclude<QuestionState, { phase: 'open' }>;

/**
 * Who may answer: whoever may talk to the bot, in the chat of the question. The caller has made sure of the chat.
 * What is for the owner nobody else may answer, and nobody at all as long as the owner is not known.
 */
export function mayAnswer(
  { only }: Pick<Question, 'only'>,
  by: OpenId,
  owner: OpenId | undefined,
): boolean {
  return only === undefined || by === owner;
}

/** A message may be on its way while the question is asked, and the clocks of Lark and the bridge differ a little. */
const TYPED_BEFORE_MS = 60_000;

/** The words of a message that may answer a question. Undefined: it says something else, or more. */
export function typedWords(message: InboundMessage): string | undefined {
  const [part, ...more] = message.parts;
  if (part?.kind !== 'text' || more.length > 0) return undefined;
  const words = plainWords(part.text);
  return words === '' ? undefined : words;
}

/** True if the message was said where the question was asked, and not long before. */
export function isSaidTo(question: Question, message: InboundMessage): boolean {
  const isThere = question.chatId === message.chatId && question.threadId === message.threadId;
  return isThere && message.sentAtMs >= question.askedAtMs - TYPED_BEFORE_MS;
}

/** The option that these words name: by its label, its id, or its number. */
export function optionMeant(
  words: string,
  options: readonly QuestionOption[],
): QuestionOption | undefined {
  const labelled = options.filter(({ label }) => plainWords(label) === words);
  if (labelled.length === 1) return labelled[0];
  const named = options.filter(({ id }) => plainWords(id) === words);
  if (named.length === 1) return named[0];
  return options.find((_option, at) => String(at + 1) === words);
}

/** Case and width do not matter. */
function plainWords(text: string): string {
  return visibleOf(text).normalize('NFKC').toLowerCase().replaceAll(/\s+/g, ' ').trim();
}

/** Why questions of a turn are over that is not at work any more. */
export function whyOver(state: TurnState): QuestionEndReason {
  if (state.phase === 'answered') return 'not_needed';
  if (state.phase !== 'dropped') return 'turn_ended';
  return state.why === 'recalled' ? 'recalled' : 'stopped';
}

export function answerOf(state: EndState): QuestionAnswer {
  return state.phase === 'answered'
    ? { kind: 'chosen', option: state.option.id, by: state.by }
    : { kind: 'cancelled' };
}

/**
 * How long the time of the turn has stood still and was not added yet, now that one of its open questions ends. With
 * several at once the time counts once.
 */
export function standstillMs(questions: readonly Question[], nowMs: number): number {
  const asked = questions
    .filter(({ state }) => state.phase === 'open')
    .map(({ askedAtMs }) => askedAtMs);
  const ended = questions.map(({ state }) => (state.phase === 'open' ? 0 : state.atMs));
  if (asked.length === 0) return 0;
  return Math.max(0, nowMs - Math.max(Math.min(...asked), ...ended));
}

export function withMoreTime(state: TurnState, moreMs: number): TurnState {
  return 'deadlineMs' in state ? { ...state, deadlineMs: state.deadlineMs + moreMs } : state;
}

/** Of a message that was recalled nothing is shown again, so nothing of what was asked about it either. */
export function withdrawn(question: Question): Question {
  return { ...question, text: '' };
}

/** No agent can ask without words. */
export function isWithdrawn({ text }: Pick<Question, 'text'>): boolean {
  return text === '';
}

export function withState(question: Question, state: EndState): Question {
  const { atMs } = state;
  const isOver = isWithdrawn(question);
  return { ...question, state: isOver ? { phase: 'over', why: 'recalled', atMs } : state };
}

export function questionDraft(turn: Turn, question: Question, at: DraftedAt): OutboxDraft {
  const { key, expiresAtMs } = question;
  return {
    ...messageDraft(turn, at.nowMs),
    key,
    body: {
      kind: 'message',
      content: contentOf(turn, question, at.lang),
      question: { key, expiresAtMs },
    },
  };
}

/** Shows how the question ended. */
export function outcomeDraft(turn: Turn, question: Question, at: DraftedAt): OutboxDraft {
  const { key, state } = question;
  const how = state.phase === 'over' ? state.why : state.phase;
  return {
    ...messageDraft(turn, at.nowMs),
    key: turnKey(turn, `question_end:${key}:${how}`),
    body: { kind: 'update', question: key, content: contentOf(turn, question, at.lang) },
  };
}

/** Shows of a question that was withdrawn only that it is over, however it had ended. */
export function withdrawnContent(lang: Language): QuestionContent {
  const note = WITHDRAWN[lang];
  return { kind: 'question', text: '', options: [], note, plain: note };
}

function contentOf({ message }: Turn, question: Question, lang: Language): QuestionContent {
  const { text, state, only, askedAtMs, expiresAtMs } = question;
  if (isWithdrawn(question)) return withdrawnContent(lang);
  if (state.phase !== 'open') {
    const note = outcomeText(state)[lang];
    const by = state.phase === 'answered' ? { by: state.by } : {};
    return { kind: 'question', text, options: [], note, plain: note, ...by };
  }
  const { options } = question;
  const facts = {
    waitMs: expiresAtMs - askedAtMs,
    isForOwner: only === 'owner',
    isInGroup: message.chatType === 'group',
  };
  const numbered = options.map(({ label }, at) => `${at + 1}. ${label}`).join('\n');
  const typed = inLanguage(answerHint({ ...facts, hasButtons: false }), lang);
  return {
    kind: 'question',
    text,
    options,
    note: inLanguage(answerHint({ ...facts, hasButtons: true }), lang),
    plain: `${text}\n\n${numbered}\n\n${typed}`,
  };
}
