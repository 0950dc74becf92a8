import type { Brand } from '../../core/brand.ts';
import type { InboundMessage, LarkContext } from '../../core/message.ts';

/** What travels with a turn about where its message came from. */
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
