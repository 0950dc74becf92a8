import type { Brand } from '../../core/brand.ts';
import type { InboundMessage, LarkContext } from '../../core/message.ts';

/** Where a turn's message came from, for the agent. */
export function contextOf(message: InboundMessage, brand: Brand): LarkContext {
  const { chatId, chatType, senderOpenId, messageId, threadId, parentId } = message;
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
