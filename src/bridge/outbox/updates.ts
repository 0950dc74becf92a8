import type { OutboxBody, OutboxRow } from '../ports/outbox.ts';
import type { Outgoing } from '../ports/delivery.ts';
import type { QuestionStore } from '../ports/questions.ts';

/**
 * The call that shows how a question ended: a change of its card, or a text below a question that is no card.
 * Undefined: the question was never shown.
 */
export function updateOf(
  { chatId, replyTo, turn, placement }: OutboxRow,
  { question: key, content }: Extract<OutboxBody, { kind: 'update' }>,
  questions: Pick<QuestionStore, 'shown'>,
): Outgoing | undefined {
  const shown = turn && questions.shown({ key, turn });
  if (shown === undefined) return undefined;
  if (shown.isCard) return { kind: 'update', chatId, messageId: shown.messageId, content };
  if (replyTo === undefined) return undefined;
  const said = { kind: 'notice', text: content.plain } as const;
  return { kind: 'reply', chatId, replyTo, inThread: placement === 'thread', content: said };
}
