import type { Cloud } from '../cloud.ts';
import { invalidParameter } from './content.ts';
import { callerOf, ok, refuse, refuseField } from './http.ts';
import type { Answer, Call, Route } from './http.ts';
import { chatRefusal, readRefusal } from './message-access.ts';
import { messageObject } from './message-object.ts';
import type { SimChat, SimMessage } from '../world/model.ts';

const PAGE_SIZE = 20;
const PAGE_SIZE_MAX = 50;

/** The part of a list, sorted by position, that one request reads. */
interface Window {
  readonly messages: readonly SimMessage[];
  readonly descending: boolean;
  /** Both included, in milliseconds. */
  readonly fromMs: number;
  readonly toMs: number;
  /** The position of the last message of the previous page. */
  readonly after: number | undefined;
  readonly size: number;
  readonly shown: (message: SimMessage) => boolean;
}

export function messageListRoutes(cloud: Cloud): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/open-apis/im/v1/messages',
      auth: 'tenant',
      scopes: ['im:message', 'im:message:readonly', 'im:message.history:readonly'],
      handle: (call) => listMessages(cloud, call),
    },
  ];
}

function listMessages(cloud: Cloud, call: Call): Answer {
  const container = findContainer(cloud, call.query);
  if ('status' in container) return container;
  const app = callerOf(call);
  const refusal = chatRefusal(app, container.chat) ?? readRefusal(app, container.chat);
  if (refusal !== undefined) return refusal;
  const page = parsePage(call.query);
  if ('status' in page) return page;
  const { items, hasMore } = read({ ...container, ...page });
  const cardContent = call.query.get('card_msg_content_type') ?? undefined;
  const last = items.at(-1);
  return ok({
    has_more: hasMore,
    ...(hasMore && last && { page_token: pageToken(last.position) }),
    items: items.map((message) => messageObject(cloud.world, message, { cardContent })),
  });
}

interface Container {
  readonly chat: SimChat;
  readonly messages: readonly SimMessage[];
  readonly shown: (message: SimMessage) => boolean;
  readonly fromMs: number;
  readonly toMs: number;
}

function findContainer(cloud: Cloud, query: URLSearchParams): Container | Answer {
  const id = query.get('container_id') ?? '';
  if (id === '') return refuseField('container_id', 'container_id is required');
  switch (query.get('container_id_type') ?? '') {
    case 'chat': {
      const chat = cloud.world.chats.get(id);
      if (chat === undefined) return invalidParameter('invalid container_id');
      const fromMs = seconds(query.get('start_time'), 0) * 1_000;
      const toMs = seconds(query.get('end_time'), Infinity) * 1_000 + 999;
      if (Number.isNaN(fromMs) || Number.isNaN(toMs) || fromMs > toMs) {
        return invalidParameter('invalid start_time or end_time');
      }
      return { chat, messages: chat.messages, fromMs, toMs, shown: isTopLevel };
    }
    case 'thread': {
      const thread = cloud.world.threads.get(id);
      const chat = thread && cloud.world.chats.get(thread.chatId);
      if (thread === undefined || chat === undefined) {
        return refuse(230019, 'The topic does NOT exist.');
      }
      // For threads, the platform ignores the time range.
      return { chat, messages: thread.messages, fromMs: 0, toMs: Infinity, shown: () => true };
    }
    default:
      return refuseField('container_id_type', 'options: [chat,thread]');
  }
}

/**
 * The list of a chat has the roots of its threads, but not the replies in them. It has no parts of
 * bundles, and no messages that only one person sees.
 */
function isTopLevel(message: SimMessage): boolean {
  if (message.visibleTo !== undefined) return false;
  if (message.upperMessageId !== undefined) return false;
  return message.threadId === undefined || message.rootId === undefined;
}

type Page = Pick<Window, 'descending' | 'after' | 'size'>;

function parsePage(query: URLSearchParams): Page | Answer {
  const size = Number(query.get('page_size') ?? PAGE_SIZE);
  if (!Number.isInteger(size) || size < 1 || size > PAGE_SIZE_MAX) {
    return refuseField('page_size', 'the range is 1 to 50');
  }
  const sort = query.get('sort_type') ?? 'ByCreateTimeAsc';
  if (sort !== 'ByCreateTimeAsc' && sort !== 'ByCreateTimeDesc') {
    return refuseField('sort_type', 'options: [ByCreateTimeAsc,ByCreateTimeDesc]');
  }
  const token = query.get('page_token') ?? '';
  const after = token === '' ? undefined : positionOf(token);
  if (Number.isNaN(after)) return invalidParameter('invalid page_token');
  return { descending: sort === 'ByCreateTimeDesc', after, size };
}

function read(window: Window): {
  readonly items: readonly SimMessage[];
  readonly hasMore: boolean;
} {
  const { messages, descending, after } = window;
  const step = descending ? -1 : 1;
  const items: SimMessage[] = [];
  let at = descending
    ? firstAbove(messages, (message) => message.createdAtMs > window.toMs) - 1
    : firstAbove(messages, (message) => message.createdAtMs >= window.fromMs);
  if (after !== undefined) {
    at = descending
      ? firstAbove(messages, (message) => message.position >= after) - 1
      : firstAbove(messages, (message) => message.position > after);
  }
  for (; at >= 0 && at < messages.length; at += step) {
    const message = messages[at];
    if (message === undefined || !isWithin(message, window)) break;
    if (!window.shown(message)) continue;
    if (items.length === window.size) return { items, hasMore: true };
    items.push(message);
  }
  return { items, hasMore: false };
}

function isWithin(message: SimMessage, window: Window): boolean {
  return message.createdAtMs >= window.fromMs && message.createdAtMs <= window.toMs;
}

/** The index of the first message for which `isAbove` is true. It must be true for all later ones too. */
function firstAbove(
  messages: readonly SimMessage[],
  isAbove: (message: SimMessage) => boolean,
): number {
  let low = 0;
  let high = messages.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const message = messages[middle];
    if (message !== undefined && isAbove(message)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function seconds(text: string | null, fallback: number): number {
  return text === null || text === '' ? fallback : Number(text);
}

function pageToken(position: number): string {
  return Buffer.from(`position:${position}`).toString('base64url');
}

function positionOf(token: string): number {
  const [, digits] = /^position:(\d+)$/.exec(Buffer.from(token, 'base64url').toString()) ?? [];
  return digits === undefined ? Number.NaN : Number(digits);
}
