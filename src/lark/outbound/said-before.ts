/** Reads what was said before a message: the message that it replies to, and its thread. */
import { LRUCache } from 'lru-cache';
import type { MessageId } from '../../core/ids.ts';
import { asObject, type Json } from '../../core/json-object.ts';
import type { Log } from '../../core/log.ts';
import type { InboundMessage } from '../../core/message.ts';
import type { ReadResult, SaidMessage, Surroundings } from '../../bridge/ports/said-before.ts';
import { isMessageGone, isPassing, reasonFor, type Refusal, type Tried } from '../codes.ts';
import { forwardedText, mentionsOf, textOfItem } from '../inbound/content/forwarded.ts';
import { idOf, listOf, millis, textOf } from '../inbound/fields.ts';
import type { Caller } from './calls.ts';
import { reasonOf } from './forwarded.ts';
import type { Names } from './names.ts';

const READ: Tried = { kind: 'read', inThread: false, card: false };
/** A turn that waited long has many messages after it in its thread. Each page of 50 costs a call. */
const THREAD_PAGES_MAX = 3;
/** A permission that is missing is seldom granted within minutes, and each try costs a call. */
const DENIED_MS = 60 * 60_000;

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

  async threadBefore(
    message: InboundMessage,
    count: number,
  ): Promise<ReadResult<readonly SaidMessage[]>> {
    const what = `thread ${message.chatType}`;
    const before = this.#denied.get(what);
    if (before !== undefined) return refused(before);
    const found: SaidMessage[] = [];
    let isBefore = false;
    let pageToken: string | undefined;
    for (let page = 0; page < THREAD_PAGES_MAX; page += 1) {
      const result = await this.#page(message.threadId ?? '', pageToken);
      if (!result.ok) return this.#refused(what, result);
      for (const item of listOf(result.body.data?.items)) {
        const isItself = item['message_id'] === message.messageId;
        const isOlder = (millis(item['create_time']) ?? Infinity) < message.sentAtMs;
        const said = isBefore || (isOlder && !isItself) ? this.#saidOf(item) : undefined;
        isBefore ||= isItself;
        if (said !== undefined) found.push(said);
        if (found.length === count) return { ok: true, value: found.toReversed() };
      }
      pageToken = result.body.data?.page_token;
      if (result.body.data?.has_more !== true || !pageToken) break;
    }
    return { ok: true, value: found.toReversed() };
  }

  /** The newest first. */
  #page(threadId: string, pageToken: string | undefined) {
    const spec = { api: 'message_list', priority: 'notice' } as const;
    const params = {
      container_id_type: 'thread',
      container_id: threadId,
      sort_type: 'ByCreateTimeDesc' as const,
      page_size: 50,
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

function refused(refusal: Refusal) {
  return { ok: false, reason: reasonOf(refusal), isPassing: isPassing(refusal) } as const;
}
