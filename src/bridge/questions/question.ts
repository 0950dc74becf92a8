/** Decisions about questions of agents. They are pure. */
import type { OpenId } from '../../core/ids.ts';
import type { InboundMessage } from '../../core/message.ts';
import type { TurnState } from '../../core/turn.ts';
import type { QuestionAnswer, QuestionOption } from '../../core/turn-update.ts';
import { visibleOf } from '../../text/visible.ts';
import { messageText } from '../../wire/message-text.ts';
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

/** Words of one's own, or a decision without a name, could as well be meant for what was there before. */
const SAID_BEFORE_MS = 5_000;

/** A longer text is a message of its own. */
const WORDS_CHARS_MAX = 20_000;

/** What an answer in a message says. `always`: what is like it too, from now on. */
export type Given =
  | { readonly option: QuestionOption; readonly always?: true }
  | { readonly words: string };

/** What a message answers to a question. Undefined: it says something else. */
export function answerIn(question: Question, message: InboundMessage): Given | undefined {
  if (question.chatId !== message.chatId || question.threadId !== message.threadId) {
    return undefined;
  }
  const { sentAtMs, senderOpenId } = message;
  const said = messageText(message.parts);
  if (message.parts.some(({ kind }) => kind !== 'text') || visibleOf(said) === '') return undefined;
  const meant = message.parts.length === 1 ? meantBy(plainWords(said), question) : undefined;
  if (meant !== undefined && sentAtMs >= question.askedAtMs - TYPED_BEFORE_MS) return meant;
  if (question.wordsOf !== senderOpenId || said.length > WORDS_CHARS_MAX) return undefined;
  return wasAskedBefore(question, sentAtMs) ? { words: said.trim() } : undefined;
}

export function wasAskedBefore({ askedAtMs }: Question, sentAtMs: number): boolean {
  return sentAtMs >= askedAtMs - SAID_BEFORE_MS;
}

function meantBy(words: string, question: Question): Given | undefined {
  const { options } = question;
  const option = optionMeant(words, options);
  if (option !== undefined) return { option };
  const allowed = allowOption(question);
  const isAlways = question.permission?.always !== undefined && allowed !== undefined;
  return isAlways && words === String(options.length + 1)
    ? { option: allowed, always: true }
    : undefined;
}

/** The option that allows what is asked, and the one that refuses it. */
export function allowOption({ options, permission }: Question): QuestionOption | undefined {
  return options.find(({ id }) => id === permission?.allow);
}

export function rejectOption({ options, permission }: Question): QuestionOption | undefined {
  return options.find(({ id }) => id === permission?.reject);
}

/** It allows more than what is asked: by the bridge from now on, or by the agent as it likes. */
export function allowsMore({ permission }: Question, given: Given): boolean {
  if (!('option' in given)) return false;
  return given.always === true || permission?.lasting?.includes(given.option.id) === true;
}

/** The lowest number that no open question of the chat has. */
export function freeNumber(open: readonly Question[]): number {
  const taken = new Set(open.map(({ number }) => number));
  let number = 1;
  while (taken.has(number)) number += 1;
  return number;
}

/** The option that these words name: by its label, its id, or its number. */
function optionMeant(
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

/** `words`: what was said, if it was answered in words. */
export function answerOf(state: EndState, words: string): QuestionAnswer {
  switch (state.phase) {
    case 'answered': {
      const { option, by } = state;
      return option === undefined
        ? { kind: 'said', text: words, by }
        : { kind: 'chosen', option: option.id, by };
    }
    case 'expired':
      return { kind: 'expired' };
    case 'over':
      return { kind: 'cancelled' };
  }
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
  const { permission, ...rest } = question;
  return { ...rest, text: '', ...(permission && { permission: { ...permission, would: [] } }) };
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
