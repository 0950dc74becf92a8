import type { NewsContent } from '../../core/content.ts';
import type { OutboxDraft } from '../ports/outbox.ts';

/** The row for a card that answers nothing. */
export function newsDraft(
  content: NewsContent,
  { nowMs, ...place }: Pick<OutboxDraft, 'key' | 'lane' | 'chatId'> & { readonly nowMs: number },
): OutboxDraft {
  return {
    ...place,
    turn: undefined,
    replyTo: undefined,
    placement: 'chat',
    priority: 'notice',
    body: { kind: 'message', content },
    createdAtMs: nowMs,
    dueAtMs: nowMs,
  };
}
