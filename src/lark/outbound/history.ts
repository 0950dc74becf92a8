/** Reads what a chat shows: to catch up on missed messages, and to find out whether an uncertain send arrived. */
import { asObject, type Json } from '../../core/json-object.ts';
import { BridgeError } from '../../core/errors.ts';
import { type ChatId, chatId, LARK_ID_PATTERN, type MessageId, messageId } from '../../core/ids.ts';
import type { ChatType } from '../../core/message.ts';
import type { Caller } from './calls.ts';
import { SCOPE_NEEDS } from '../app-needs.ts';
import { type Refusal, refusalError, type Tried } from '../codes.ts';
import type { ChatTypeOf } from './chat-types.ts';
import { mentionsOf } from '../inbound/content/forwarded.ts';
import { writtenText } from '../inbound/content/text.ts';
import { idOf, listOf, millis } from '../inbound/fields.ts';
import { parseMessage, type MessageFacts } from '../inbound/parse.ts';
import type { Self } from '../inbound/parsed.ts';
import type { HistoryMessage } from '../../bridge/ports/lark.ts';
import type { Log } from '../../core/log.ts';

/** Pages of 50 messages that one reading of a history may take: enough for an outage of hours in a busy chat. */
const LARK_HISTORY_PAGES_MAX = 40;

interface HistoryOptions {
  readonly caller: Caller;
  readonly chatTypeOf: ChatTypeOf;
  readonly self: () => Self;
  readonly log: Log;
}

const READ: Tried = { kind: 'read', inThread: false, card: false };

export class History {
  readonly #caller: Caller;
  readonly #chatTypeOf: ChatTypeOf;
  readonly #self: () => Self;
  readonly #log: Log;

  constructor({ caller, chatTypeOf, self, log }: HistoryOptions) {
    this.#caller = caller;
    this.#chatTypeOf = chatTypeOf;
    this.#self = self;
    this.#log = log;
  }

  /** Oldest first. Throws `BridgeError` if Lark refuses. */
  async read(
    chat: ChatId,
    sinceMs: number,
    threadId?: string,
    pagesMax = LARK_HISTORY_PAGES_MAX,
  ): Promise<HistoryMessage[]> {
    if (!LARK_ID_PATTERN.test(chat) || !LARK_ID_PATTERN.test(threadId ?? chat))
      throw new BridgeError('failed', 'that is no chat id of Lark');
    const chatType = await this.#chatTypeOf(chat, 'background');
    if (typeof chatType !== 'string') {
      throw refused(`the kind of chat ${chat} is unknown`, chatType, ['chatKind']);
    }
    if (chatType === 'group' && this.#self().botOpenId === undefined) {
      // A mention of the bot would look like a mention of somebody else, and its message would be skipped.
      throw new BridgeError('unreachable', 'Lark has not said yet who the bot is');
    }
    const window = windowOf(chat, sinceMs, threadId);
    const items = await this.#readItems(
      { id: chat, type: chatType },
      { sinceMs, window, pagesMax },
    );
    if (window.sort_type === 'ByCreateTimeDesc') items.reverse();
    return items
      .map((item) => parseItem(item, chatType, this.#self()))
      .filter((message) => message !== undefined)
      .filter((message) => message.sentAtMs >= sinceMs);
  }

  /** All items from `sinceMs` on, and a few older ones, in the order of `window`. */
  async #readItems(
    chat: KnownChat,
    { sinceMs, window, pagesMax }: { sinceMs: number; window: Window; pagesMax: number },
  ): Promise<Json[]> {
    const spec = { api: 'message_list', priority: 'background', lane: chat.id } as const;
    const what = `the history of chat ${chat.id}`;
    const items: Json[] = [];
    let pageToken: string | undefined;
    for (let page = 0; page < pagesMax; page++) {
      const params = {
        ...window,
        page_size: 50,
        ...(pageToken === undefined ? {} : { page_token: pageToken }),
      };
      const result = await this.#caller.call(spec, READ, (client, authorization) =>
        client.im.v1.message.list({ params }, authorization),
      );
      if (!result.ok) throw refused(`${what} could not be read`, result, NEEDED[chat.type]);
      items.push(...listOf(result.body.data?.items));
      pageToken = result.body.data?.page_token;
      if (result.body.data?.has_more !== true || !pageToken) return items;
      if (window.sort_type === 'ByCreateTimeDesc' && isBefore(items.at(-1), sinceMs)) return items;
    }
    this.#log.warn('lark_history_cut', { chat: chat.id, messages: items.length });
    return items;
  }
}

interface KnownChat {
  readonly id: ChatId;
  readonly type: ChatType;
}

const NEEDED = {
  p2p: ['history'],
  group: ['history', 'groupHistory'],
} as const satisfies Record<ChatType, readonly (keyof typeof SCOPE_NEEDS)[]>;

/** Names the permissions that the call needs: one of them may be missing. */
function refused(
  what: string,
  failure: Refusal,
  needs: readonly (keyof typeof SCOPE_NEEDS)[],
): BridgeError {
  const error = refusalError(what, failure);
  if (error.code !== 'access_denied') return error;
  const names = needs.map((need) => SCOPE_NEEDS[need].anyOf[0]).join(' and ');
  return new BridgeError(error.code, error.message, {
    next: `The app needs ${names}: grant what is missing in Lark's developer console and publish a version of the app.`,
    cause: error,
  });
}

type Window = ReturnType<typeof windowOf>;

function windowOf(chat: ChatId, sinceMs: number, threadId: string | undefined) {
  if (threadId !== undefined) {
    // Lark accepts no times for a thread. It is read from its end, back to `sinceMs`.
    const sort_type = 'ByCreateTimeDesc' as const;
    return { container_id_type: 'thread', container_id: threadId, sort_type };
  }
  const start_time = String(Math.floor(sinceMs / 1000));
  const sort_type = 'ByCreateTimeAsc' as const;
  return { container_id_type: 'chat', container_id: chat, start_time, sort_type };
}

function isBefore(item: Json | undefined, sinceMs: number): boolean {
  return (millis(item?.['create_time']) ?? sinceMs) < sinceMs;
}

/** Undefined for an item that does not have Lark's form. */
function parseItem(item: Json, chatType: ChatType, self: Self): HistoryMessage | undefined {
  const message = idOf(item['message_id']);
  const chat = idOf(item['chat_id']);
  const sentAtMs = millis(item['create_time']);
  if (message === undefined || chat === undefined || sentAtMs === undefined) return undefined;
  const sender = asObject(item['sender']) ?? {};
  const own = sender['id_type'] === 'app_id' && sender['id'] === self.appId;
  const deleted = item['deleted'] === true;
  const facts = factsOf(item, chatType);
  const parsed = parseMessage(facts, self);
  return {
    messageId: messageId(message),
    chatId: chatId(chat),
    sentAtMs,
    own,
    parentId: idOf(item['parent_id']) as MessageId | undefined,
    threadId: idOf(item['thread_id']),
    deleted,
    text: own && item['msg_type'] === 'text' ? writtenText(facts.content) : undefined,
    form: own ? formOf(item['msg_type']) : undefined,
    inbound: parsed.ok && !deleted ? parsed.message : undefined,
  };
}

const FILES: ReadonlySet<unknown> = new Set(['image', 'file', 'audio', 'media']);

function formOf(messageType: unknown): HistoryMessage['form'] {
  if (messageType === 'interactive') return 'card';
  if (messageType === 'post') return 'post';
  return FILES.has(messageType) ? 'file' : undefined;
}

/** The facts of an item, for the same rule as events. */
export function factsOf(item: Json, chatType: ChatType): MessageFacts {
  const sender = asObject(item['sender']) ?? {};
  return {
    eventId: '',
    messageId: item['message_id'],
    chatId: item['chat_id'],
    chatType,
    senderId: sender['id'],
    senderType: sender['sender_type'],
    senderTenant: sender['tenant_key'],
    rootId: item['root_id'],
    parentId: item['parent_id'],
    threadId: item['thread_id'],
    sentAtMs: item['create_time'],
    editedAtMs: item['updated'] === true ? item['update_time'] : undefined,
    messageType: item['msg_type'],
    content: asObject(item['body'])?.['content'],
    mentions: mentionsOf(item),
  };
}
