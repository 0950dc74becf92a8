/** Reads what was said before a message: the message that it replies to, and its thread. */
import { LRUCache } from 'lru-cache';
import { type ChatId, LARK_ID_PATTERN, type MessageId } from '../../core/ids.ts';
import { asObject, type Json } from '../../core/json-object.ts';
import type { Log } from '../../core/log.ts';
import type { InboundMessage } from '../../core/message.ts';
import type {
  DatedMessage,
  ReadResult,
  SaidMessage,
  Surroundings,
} from '../../bridge/ports/said-before.ts';
import { isMessageGone, isPassing, reasonFor, type Refusal, type Tried } from '../codes.ts';
import { forwardedText, mentionsOf, textOfItem } from '../inbound/content/forwarded.ts';
import { idOf, listOf, millis, textOf } from '../inbound/fields.ts';
import type { Caller } from './calls.ts';
import { reasonOf } from './forwarded.ts';
import type { Names } from './names.ts';

const READ: Tried = { kind: 'read', inThread: false, card: false };
/** A turn that waited long has many messages after it in its thread. Each page of 50 costs a call. */
const PAGES_MAX = 3;
/** A permission that is missing is seldom granted within minutes, and each try costs a call. */
const DENIED_MS = 60 * 60_000;

type Place = Pick<InboundMessage, 'chatId' | 'chatType' | 'threadId'>;

/** A message in the order of its chat. */
interface Placed {
  readonly id: string;
  readonly sentAtMs: number;
}

interface SaidBeforeParts {
  readonly caller: Caller;
  readonly names: Names;
  readonly log: Log;
}

export function createSurroundings({ caller, names, log }: SaidBeforeParts): Surroundings {
  const reader = new Reader({ caller, names, log });
  return {
    quotedBy: (message) => reader.quotedBy(message),
    threadBefore: (message, count) => reader.threadBefore(message, count),
    latest: (where, query) => reader.latest(where, query),
    findNames: ({ chatId, chatType }, people) =>
      names.find({ id: chatId, isGroup: chatType === 'group' }, people),
    nameOf: (id) => names.nameOf(id),
  };
}

class Reader {
  readonly #parts: SaidBeforeParts;
  /** Lark has rules of its own for direct chats and for groups. */
  readonly #denied = new LRUCache<string, Refusal>({ max: 4, ttl: DENIED_MS });
  readonly #told = new Set<string>();

  constructor(parts: SaidBeforeParts) {
    this.#parts = parts;
  }

  async quotedBy(message: InboundMessage): Promise<ReadResult<SaidMessage | undefined>> {
    const { parentId: id } = message;
    if (id === undefined) return { ok: true, value: undefined };
    const what = `message ${message.chatType}`;
    const before = this.#denied.get(what);
    if (before !== undefined) return refused(before);
    // A person waits for the answer.
    const spec = { api: 'message_get', priority: 'notice' } as const;
    const result = await this.#parts.caller.call(spec, READ, (client, authorization) =>
      client.im.v1.message.get({ path: { message_id: id } }, authorization),
    );
    if (!result.ok) {
      if (isMessageGone(result.code)) {
        return { ok: true, value: undefined };
      }
      return this.#refused(what, result);
    }
    const items = listOf(result.body.data?.items);
    const item = items.find((one) => one['message_id'] === id) ?? items[0];
    const said = item && this.#saidOf(item);
    if (said === undefined || item?.['msg_type'] !== 'merge_forward') {
      return { ok: true, value: said };
    }
    return { ok: true, value: { ...said, text: forwardedText(items, id) ?? said.text } };
  }

  threadBefore(
    message: InboundMessage,
    count: number,
  ): Promise<ReadResult<readonly DatedMessage[]>> {
    const { messageId: id, sentAtMs } = message;
    return this.#collect(message, { count, before: { id, sentAtMs } });
  }

  async latest(
    where: Place,
    { count, before: id }: { readonly count: number; readonly before?: string },
  ): Promise<ReadResult<readonly DatedMessage[]>> {
    if (id === undefined) return this.#collect(where, { count });
    const before = await this.#placed(id, where.chatId);
    return before.ok ? this.#collect(where, { count, before: before.value }) : before;
  }

  /** When a message was sent. It has to be one of the chat. */
  async #placed(id: string, chat: ChatId): Promise<ReadResult<Placed>> {
    // The SDK puts ids into paths as they are.
    if (!LARK_ID_PATTERN.test(id)) return NO_SUCH_MESSAGE;
    const spec = { api: 'message_get', priority: 'notice' } as const;
    const result = await this.#parts.caller.call(spec, READ, (client, authorization) =>
      client.im.v1.message.get({ path: { message_id: id } }, authorization),
    );
    if (!result.ok) return NO_SUCH_MESSAGE;
    const item = listOf(result.body.data?.items).find((one) => one['message_id'] === id);
    const sentAtMs = millis(item?.['create_time']);
    if (item?.['chat_id'] !== chat || sentAtMs === undefined) return NO_SUCH_MESSAGE;
    return { ok: true, value: { id, sentAtMs } };
  }

  async #collect(
    where: Place,
    { count, before }: { readonly count: number; readonly before?: Placed },
  ): Promise<ReadResult<readonly DatedMessage[]>> {
    const what = `${where.threadId === undefined ? 'chat' : 'thread'} ${where.chatType}`;
    const denied = this.#denied.get(what);
    if (denied !== undefined) return refused(denied);
    const found: DatedMessage[] = [];
    let isBefore = before === undefined;
    let pageToken: string | undefined;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const result = await this.#page(where, { before, pageToken });
      if (!result.ok) return this.#refused(what, result);
      for (const item of listOf(result.body.data?.items)) {
        const isItself = item['message_id'] === before?.id;
        const sentAtMs = millis(item['create_time']) ?? Infinity;
        const isOlder = sentAtMs < (before?.sentAtMs ?? Infinity);
        const said = isBefore || (isOlder && !isItself) ? this.#saidOf(item) : undefined;
        isBefore ||= isItself;
        if (said !== undefined) found.push({ ...said, sentAtMs });
        if (found.length === count) return { ok: true, value: found.toReversed() };
      }
      pageToken = result.body.data?.page_token;
      if (result.body.data?.has_more !== true || !pageToken) break;
    }
    return { ok: true, value: found.toReversed() };
  }

  /** The newest first. */
  #page(
    { chatId, threadId }: Place,
    { before, pageToken }: { before: Placed | undefined; pageToken: string | undefined },
  ) {
    const spec = { api: 'message_list', priority: 'notice' } as const;
    // Lark takes times for a chat only, in seconds.
    const endsAt = threadId === undefined && before && Math.ceil(before.sentAtMs / 1000);
    const params = {
      container_id_type: threadId === undefined ? 'chat' : 'thread',
      container_id: threadId ?? chatId,
      sort_type: 'ByCreateTimeDesc' as const,
      page_size: 50,
      ...(endsAt !== undefined && { end_time: String(endsAt) }),
      ...(pageToken !== undefined && { page_token: pageToken }),
    };
    return this.#parts.caller.call(spec, READ, (client, authorization) =>
      client.im.v1.message.list({ params }, authorization),
    );
  }

  /** Undefined if it was recalled, or is a note of Lark itself. */
  #saidOf(item: Json): SaidMessage | undefined {
    const id = idOf(item['message_id']);
    const isShown = item['deleted'] !== true && item['msg_type'] !== 'system';
    if (id === undefined || !isShown) return undefined;
    for (const { openId, name } of mentionsOf(item)) {
      if (openId !== undefined) this.#parts.names.note(openId, name);
    }
    const sender = asObject(item['sender']) ?? {};
    return {
      messageId: id as MessageId,
      sender: textOf(sender['id']),
      isBot: sender['sender_type'] !== 'user',
      text: textOfItem(item),
    };
  }

  #refused(what: string, refusal: Refusal) {
    const { action, code, detail } = refusal;
    const isDenied = reasonFor(code) === 'permission_missing';
    if (isDenied) this.#denied.set(what, refusal);
    const isNews = isDenied && !this.#told.has(what);
    if (isNews) this.#told.add(what);
    this.#parts.log[isNews ? 'warn' : 'debug']('said_before_not_read', {
      what,
      action,
      code,
      detail,
      ...(isNews && {
        effect: 'agents get less of what was said before a message',
        next: "In groups the app needs im:message.group_msg: grant it in Lark's developer console and publish a version of the app.",
      }),
    });
    return refused(refusal);
  }
}

const NO_SUCH_MESSAGE = {
  ok: false,
  reason: 'there is no such message in this chat',
  isPassing: false,
} as const;

function refused(refusal: Refusal) {
  return { ok: false, reason: reasonOf(refusal), isPassing: isPassing(refusal) } as const;
}
