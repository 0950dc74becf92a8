/** Reads one message from Lark by its id. */
import { BridgeError, PASSING_ERRORS } from '../../core/errors.ts';
import { chatId } from '../../core/ids.ts';
import type { ChatType } from '../../core/message.ts';
import type { Caller } from './calls.ts';
import type { ChatTypeOf } from './chat-types.ts';
import { isMessageGone, type Refusal, refusalError, type Tried } from '../codes.ts';
import { factsOf } from './history.ts';
import { whoIsNamed } from '../inbound/content/mentions.ts';
import { idOf, listOf } from '../inbound/fields.ts';
import { parseMessage, type MessageFacts } from '../inbound/parse.ts';
import type { Self } from '../inbound/parsed.ts';
import type { FetchMessage, Reread } from '../inbound/reread.ts';

const READ: Tried = { kind: 'read', inThread: false, card: false };

interface MessageByIdOptions {
  readonly caller: Caller;
  readonly chatTypeOf: ChatTypeOf;
  readonly self: () => Self;
}

/** Reads the message of an event that is incomplete. */
export function createMessageById({ caller, chatTypeOf, self }: MessageByIdOptions): FetchMessage {
  return async ({ messageId: id, chatType }) => {
    // A person waits for the answer.
    const spec = { api: 'message_get', priority: 'notice' } as const;
    const result = await caller.call(spec, READ, (client, authorization) =>
      client.im.v1.message.get({ path: { message_id: id } }, authorization),
    );
    if (!result.ok) return refused(result);
    const [item] = listOf(result.body.data?.items);
    const chat = idOf(item?.['chat_id']);
    if (item === undefined || chat === undefined) {
      return { kind: 'denied', detail: 'Lark answered without the message' };
    }
    if (item['deleted'] === true) return { kind: 'gone' };
    const type = chatType ?? (await chatTypeOf(chatId(chat), 'notice'));
    return typeof type === 'string' ? rereadOf(factsOf(item, type), type, self()) : refused(type);
  };
}

function refused(refusal: Refusal): Reread {
  if (isMessageGone(refusal.code)) return { kind: 'gone' };
  const error = refusalError('a message could not be read', refusal);
  // The cause may be gone at the next delivery.
  if (PASSING_ERRORS.has(error.code) || error.code === 'credentials_refused') throw error;
  return { kind: 'denied', detail: error.message };
}

function rereadOf(facts: MessageFacts, chatType: ChatType, self: Self): Reread {
  const parsed = parseMessage(facts, self);
  if (parsed.ok) return { kind: 'message', message: parsed.message };
  switch (parsed.reason) {
    case 'bot_unknown':
      throw new BridgeError('unreachable', 'Lark has not said yet who the bot is');
    case 'unclear':
      return { kind: 'ignored', reason: 'not_addressed' };
    case 'malformed': {
      const { messageType, content, mentions } = facts;
      const named = whoIsNamed({ messageType, json: content }, mentions, self.botOpenId);
      const isForBot = chatType === 'p2p' || named === 'bot';
      return { kind: 'unreadable', chatId: chatId(String(facts.chatId)), isForBot };
    }
    case 'own':
    case 'bot':
    case 'not_addressed':
    case 'other_app':
    case 'system':
      return { kind: 'ignored', reason: parsed.reason };
  }
}
