/** Tells direct chats from groups. */
import { LRUCache } from 'lru-cache';
import type { ChatId } from '../../core/ids.ts';
import type { ChatType } from '../../core/message.ts';
import { LARK_CHATS_PACED_MAX } from './broker.ts';
import type { Caller } from './calls.ts';
import type { Refusal, Tried } from '../codes.ts';
import type { CallPriority } from '../../bridge/ports/delivery.ts';

const READ: Tried = { kind: 'read', inThread: false, card: false };

export type ChatTypeOf = (chat: ChatId, priority: CallPriority) => Promise<ChatType | Refusal>;

/** The kind of a chat, which Lark's messages do not tell. A chat never changes its kind. */
export function createChatTypes(caller: Caller): ChatTypeOf {
  const known = new LRUCache<string, ChatType>({ max: LARK_CHATS_PACED_MAX });
  return async (chat, priority) => {
    const before = known.get(chat);
    if (before !== undefined) return before;
    const spec = { api: 'chat_get', priority };
    const result = await caller.call(spec, READ, (client, authorization) =>
      client.im.v1.chat.get({ path: { chat_id: chat } }, authorization),
    );
    if (!result.ok) return result;
    const type = result.body.data?.chat_mode === 'p2p' ? 'p2p' : 'group';
    known.set(chat, type);
    return type;
  };
}
