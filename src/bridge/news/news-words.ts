/** Puts what happened into words. */
import type { Turn } from '../../core/turn.ts';
import { visibleOf } from '../../text/visible.ts';
import { messageText } from '../../wire/message-text.ts';
import { turnKey } from '../outbox/keys.ts';
import type { Journal } from '../ports/journal.ts';
import type { NewsItem } from '../ports/news.ts';
import type { QuestionStore } from '../ports/questions.ts';
import type { ToldNews } from '../texts/news.ts';
import { newsReason } from '../texts/news-reasons.ts';
import { outcomeText } from '../texts/questions.ts';
import { asSeen } from '../texts/seen.ts';

export interface WordsParts {
  readonly journal: Pick<Journal, 'turn' | 'out'>;
  readonly questions: QuestionStore;
  /** The agent that gets new turns, for turns that name none. */
  readonly agentName: () => Promise<string | undefined>;
}

/** Words are read when they are told, so what was taken back meanwhile is not told. */
export async function inWords(item: NewsItem, parts: WordsParts): Promise<ToldNews> {
  const { journal, questions, agentName } = parts;
  const { event, tookMs, step, why } = item;
  const turn = await journal.turn(item.turn);
  const isThere = turn !== undefined && turn.message.parts.length > 0;
  const question = item.question === undefined ? undefined : questions.question(item.question);
  const { state } = question ?? {};
  const isOver = event === 'question.ended' && state !== undefined && state.phase !== 'open';
  const failure = turn?.state.phase === 'failed' ? turn.state.cause?.detail : undefined;
  return {
    event,
    chat: turn?.details?.chatName ?? item.chatId,
    agent: item.agent ?? (await agentName()),
    tookMs,
    ...(isThere && {
      words: asSeen(visibleOf(messageText(turn.message.parts))),
      answer: event === 'turn.answered' ? await answerOf(turn, journal) : undefined,
      step,
      question: question?.text,
    }),
    outcome: isOver ? outcomeText(state) : reasonOf(why, failure),
  };
}

async function answerOf(turn: Turn, journal: Pick<Journal, 'out'>): Promise<string | undefined> {
  const row = await journal.out(turnKey(turn, 'answer'));
  const content = row?.body.kind === 'message' ? row.body.content : undefined;
  return content?.kind === 'answer' ? content.text : undefined;
}

function reasonOf(why: string | undefined, detail: string | undefined) {
  return why === undefined ? undefined : newsReason(why, detail);
}
