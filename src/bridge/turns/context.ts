import type { Brand } from '../../core/brand.ts';
import type { LarkContext } from '../../core/message.ts';
import type { Turn } from '../../core/turn.ts';

/** Where a turn's message came from, for the agent. A run is that of the person who asked for it. */
export function contextOf({ message, askedBy }: Turn, brand: Brand): LarkContext {
  const { chatId, chatType, messageId, threadId, parentId } = message;
  const senderOpenId = askedBy ?? message.senderOpenId;
  return {
    brand,
    chatId,
    chatType,
    senderOpenId,
    messageId,
    ...(threadId === undefined ? {} : { threadId }),
    ...(parentId === undefined ? {} : { parentId }),
  };
}
