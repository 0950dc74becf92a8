/** Where something can still be said whose message was taken back: in the same thread, or nowhere. */
import { BridgeError, errorText } from '../../core/errors.ts';
import type { MessageId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { InboundMessage } from '../../core/message.ts';
import type { OutboxRow, Turn } from '../../core/turn.ts';
import { ASKABLE_MAX } from '../intake/admission.ts';
import type { Journal, LarkGateway } from '../ports.ts';
import type { Anchor } from './after-send.ts';

/** How far before the question the thread is looked through for a message that is still there. */
const THREAD_BACK_MS = 24 * 60 * 60 * 1000;

export interface AnchorParts {
  readonly journal: Journal;
  readonly lark: LarkGateway;
  readonly log: Log;
}

/**
 * The next place to try, a step further down each time: the root of the thread, then another message of it.
 * Undefined if there is no more to try, or if nobody wants to hear it any more.
 */
export async function anchorFor(row: OutboxRow, parts: AnchorParts): Promise<Anchor | undefined> {
  if (row.turn === undefined) return anchorOfQuestion(row, parts);
  const turn = await parts.journal.turn(row.turn);
  // Without its question a notice says nothing, and of a turn that is not answered there is no more to say.
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

/** A question about all that waits in a chat is asked under another message that waits, as long as there is one. */
async function anchorOfQuestion(
  { chatId, replyTo }: OutboxRow,
  { journal }: AnchorParts,
): Promise<Anchor | undefined> {
  const isOther = ({ state, message }: Turn) =>
    state.phase === 'held' && state.why === 'stale' && message.messageId !== replyTo;
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
