import type { Language } from '../../core/language.ts';
import type { OutboxBody, OutboxRow } from '../ports/outbox.ts';
import type { Outgoing } from '../ports/delivery.ts';
import type { QuestionStore } from '../ports/questions.ts';
import { isWithdrawn } from '../questions/question.ts';
import { withdrawnContent } from '../questions/question-content.ts';

/**
 * The call that shows how a question ended: a change of its card, or a text below a question that is no card.
 * Undefined: the question was never shown.
 */
export function updateOf(
  { chatId, replyTo, turn, placement }: OutboxRow,
  { question: key, content: stored }: Extract<OutboxBody, { kind: 'update' }>,
  { questions, lang }: { readonly questions: QuestionStore; readonly lang: Language },
): Outgoing | undefined {
  const shown = turn && questions.shown({ key, turn });
  if (shown === undefined) return undefined;
  const question = questions.question(key);
  // The message may have been recalled since the row was stored.
  const isOver = question !== undefined && isWithdrawn(question);
  const content = isOver ? withdrawnContent(lang) : stored;
  if (shown.isCard) return { kind: 'update', chatId, messageId: shown.messageId, content };
  if (replyTo === undefined) return undefined;
  const said = { kind: 'notice', text: content.plain } as const;
  return { kind: 'reply', chatId, replyTo, inThread: placement === 'thread', content: said };
}

/** True for a row that shows a question whose message was recalled. */
export function showsWithdrawn({ body }: OutboxRow, questions: QuestionStore): boolean {
  const key = body.kind === 'message' ? body.question?.key : undefined;
  const question = key === undefined ? undefined : questions.question(key);
  return question !== undefined && isWithdrawn(question);
}
