/** Where a row can be shown after its message was recalled: in the same thread, or nowhere. */
import { BridgeError, errorText } from '../../core/errors.ts';
import type { MessageId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { InboundMessage } from '../../core/message.ts';
import type { Turn } from '../../core/turn.ts';
import type { OutboxRow } from '../ports/outbox.ts';
import { ASKABLE_MAX, isStale } from '../commands/askable.ts';
import type { Journal } from '../ports/journal.ts';
import type { LarkGateway } from '../ports/lark.ts';
import type { Anchor } from './after-send.ts';

/** The thread is searched for another message from this long before the question. */
const THREAD_BACK_MS = 24 * 60 * 60 * 1000;

interface AnchorParts {
  readonly journal: Journal;
  readonly lark: LarkGateway;
  readonly log: Log;
}

/**
 * The next message to reply to: first the root of the thread, then another message of the thread. Undefined if
 * there is none left, or if the row is not wanted any more.
 */
export async function anchorFor(row: OutboxRow, parts: AnchorParts): Promise<Anchor | undefined> {
  if (row.turn === undefined) return anchorOfQuestion(row, parts);
  const turn = await parts.journal.turn(row.turn);
  // A notice makes no sense without its question, and a turn that is not answered has nothing else to show.
  if (turn?.state.phase !== 'answered' || row.priority !== 'answer') return undefined;
  const { messageId, rootId, threadId } = turn.message;
  if (threadId === undefined) return undefined;
  if (row.replyTo === messageId && rootId !== undefined && rootId !== messageId) {
    return { replyTo: rootId, placement: row.placement };
  }
  if (row.replyTo !== messageId && row.replyTo !== rootId) return undefined;
  const other = await otherOfThread(turn.message, threadId, parts);
  return other && { replyTo: other, placement: row.placement };
}

/** A question about all waiting messages of a chat can be asked under another message that waits. */
async function anchorOfQuestion(
  { chatId, replyTo }: OutboxRow,
  { journal }: AnchorParts,
): Promise<Anchor | undefined> {
  const isOther = (turn: Turn) => isStale(turn) && turn.message.messageId !== replyTo;
  const other = (await journal.askable(chatId, ASKABLE_MAX)).find(isOther)?.message;
  return (
    other && {
      replyTo: other.messageId,
      placement: other.threadId === undefined ? 'reply' : 'thread',
    }
  );
}

async function otherOfThread(
  { chatId, messageId, rootId, sentAtMs }: InboundMessage,
  threadId: string,
  { journal, lark, log }: AnchorParts,
): Promise<MessageId | undefined> {
  const isOther = (id: MessageId) => id !== messageId && id !== rootId;
  const known = (await journal.threadMessages(chatId, threadId)).find(isOther);
  if (known !== undefined) return known;
  try {
    const said = await lark.history(chatId, sentAtMs - THREAD_BACK_MS, threadId);
    return said.findLast((one) => !one.deleted && isOther(one.messageId))?.messageId;
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    log.warn('thread_not_read', { chat: chatId, thread: threadId, error: errorText(error) });
    return undefined;
  }
}
