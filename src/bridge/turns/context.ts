import type { Brand } from '../../core/brand.ts';
import type { LarkContext } from '../../core/message.ts';
import { personOf, type Turn } from '../../core/turn.ts';

/** Where a turn's message came from, for the agent. A run is that of the person who asked for it. */
export function contextOf(turn: Turn, brand: Brand): LarkContext {
  const { chatId, chatType, messageId, threadId, parentId } = turn.message;
  return {
    brand,
    chatId,
    chatType,
    senderOpenId: personOf(turn),
    messageId,
    ...(threadId === undefined ? {} : { threadId }),
    ...(parentId === undefined ? {} : { parentId }),
  };
}
