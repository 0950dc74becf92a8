/** Checks once what Lark delivers. All code after this trusts the result. */
import { asObject, type Json } from '../../core/json-object.ts';
import { CALLBACK_NEEDS, EDIT_EVENT, EVENT_NEEDS } from '../app-needs.ts';
import { chatId, type MessageId, messageId, type OpenId, openId } from '../../core/ids.ts';
import type { ChatType, InboundMessage, Part } from '../../core/message.ts';
import { type Mention, mentionedIn, whoIsNamed } from './content/mentions.ts';
import { parseParts } from './content/parts.ts';
import { idOf, isText, listOf, millis, optionalId, textOf } from './fields.ts';
import {
  type Self,
  type Reason,
  type Refused,
  type IncompleteMessage,
  type ParsedEvent,
  refused,
  chatTypeOf,
} from './parsed.ts';
import {
  parseButtonEvent,
  parseMenuEvent,
  parseAddedEvent,
  parseEnteredEvent,
} from './parse-actions.ts';
import { BOT_TYPES, senderFacts } from './sender-facts.ts';

/** The event types that we handle. Every other event is acked and ignored. */
export const EVENT_PARSERS: Readonly<Record<string, (raw: Json, self: Self) => ParsedEvent>> = {
  [EVENT_NEEDS.message.name]: parseMessageEvent,
  [EDIT_EVENT]: parseEditedEvent,
  [EVENT_NEEDS.recall.name]: parseRecalledEvent,
  [EVENT_NEEDS.menu.name]: parseMenuEvent,
  [CALLBACK_NEEDS.button.name]: parseButtonEvent,
  [EVENT_NEEDS.added.name]: parseAddedEvent,
  [EVENT_NEEDS.entered.name]: parseEnteredEvent,
};

/** `raw` as the SDK's dispatcher gives it: header and event in one object. */
export function parseEvent(type: string, raw: unknown, self: Self): ParsedEvent {
  const parse = EVENT_PARSERS[type];
  const fields = asObject(raw);
  if (parse === undefined || fields === undefined) return refused('malformed');
  const app = fields['app_id'];
  // An event that names no app is ours: it came on the connection of our app.
  return isText(app) && app !== self.appId ? refused('other_app') : parse(fields, self);
}

/** Ids for the log, from an event of any shape. */
export function idsOf(raw: unknown): { event_id?: string; message?: string } {
  const eventId = idOf(asObject(raw)?.['event_id']);
  const message = idOf(
    asObject(asObject(raw)?.['message'])?.['message_id'] ?? asObject(raw)?.['message_id'],
  );
  return {
    ...(eventId === undefined ? {} : { event_id: eventId }),
    ...(message === undefined ? {} : { message }),
  };
}

/** The names that an event says with its mentions. */
export function namesIn(raw: unknown): { id: OpenId; name: string }[] {
  const mentions = listOf(asObject(asObject(raw)?.['message'])?.['mentions']);
  return mentions.flatMap((mention) => {
    const id = idOf(asObject(mention['id'])?.['open_id']);
    return id === undefined ? [] : { id: openId(id), name: textOf(mention['name']) };
  });
}

/** The facts of an event about a message. Undefined if it has none. */
function factsOfEvent(raw: Json): MessageFacts | undefined {
  const message = asObject(raw['message']);
  if (message === undefined) return undefined;
  const sender = asObject(raw['sender']) ?? {};
  return {
    eventId: raw['event_id'],
    messageId: message['message_id'],
    chatId: message['chat_id'],
    chatType: chatTypeOf(message['chat_type']),
    senderId: asObject(sender['sender_id'])?.['open_id'],
    senderType: sender['sender_type'],
    senderUnionId: asObject(sender['sender_id'])?.['union_id'],
    senderTenant: sender['tenant_key'],
    ownTenant: raw['tenant_key'],
    rootId: message['root_id'],
    parentId: message['parent_id'],
    threadId: message['thread_id'],
    sentAtMs: millis(message['create_time']) ?? raw['create_time'],
    messageType: message['message_type'],
    content: message['content'],
    mentions: listOf(message['mentions']).map((mention) => ({
      key: textOf(mention['key']),
      openId: idOf(asObject(mention['id'])?.['open_id']),
      name: textOf(mention['name']),
    })),
  };
}

function parseMessageEvent(raw: Json, self: Self): ParsedEvent {
  const facts = factsOfEvent(raw);
  if (facts === undefined) return refused('malformed');
  const parsed = parseMessage(facts, self);
  if (parsed.ok) return { ok: true, event: { kind: 'message', message: parsed.message } };
  const { reason } = parsed;
  if (reason !== 'malformed' && reason !== 'unclear') return refused(reason);
  if (BOT_TYPES.has(facts.senderType)) return refused('bot');
  const id = idOf(facts.messageId);
  if (id === undefined) return refused('malformed');
  if (self.botOpenId === undefined && facts.chatType !== 'p2p') return refused('bot_unknown');
  const incomplete = incompleteOf(facts, { self, messageId: messageId(id) });
  return {
    ok: false,
    reason: 'incomplete',
    incomplete: { ...incomplete, toldAtMs: millis(raw['create_time']) },
  };
}

/** An edit that does not say enough is not asked for: the message itself came before. */
function parseEditedEvent(raw: Json, self: Self): ParsedEvent {
  const facts = factsOfEvent(raw);
  const editedAtMs = millis(asObject(raw['message'])?.['update_time']);
  if (facts === undefined || editedAtMs === undefined) return refused('malformed');
  const parsed = parseMessage({ ...facts, editedAtMs: String(editedAtMs) }, self);
  if (parsed.ok)
    return { ok: true, event: { kind: 'edited', message: parsed.message, editedAtMs } };
  return refused(parsed.reason === 'unclear' ? 'malformed' : parsed.reason);
}

function incompleteOf(
  facts: MessageFacts,
  { self, messageId: message }: { self: Self; messageId: MessageId },
): Omit<IncompleteMessage, 'toldAtMs'> {
  const { chatType, messageType, content, mentions } = facts;
  const chat = idOf(facts.chatId);
  return {
    appId: self.appId,
    eventId: textOf(facts.eventId),
    messageId: message,
    chatId: chat === undefined ? undefined : chatId(chat),
    chatType,
    threadId: idOf(facts.threadId),
    named:
      chatType === 'p2p'
        ? 'bot'
        : whoIsNamed({ messageType, json: content }, mentions, self.botOpenId),
  };
}

/** The facts of a message from an event or from the history. What is `unknown` is not checked yet. */
export interface MessageFacts {
  readonly eventId: unknown;
  readonly messageId: unknown;
  readonly chatId: unknown;
  readonly chatType: ChatType | undefined;
  readonly senderId: unknown;
  readonly senderType: unknown;
  /** Only events say it. */
  readonly senderUnionId?: unknown;
  readonly senderTenant: unknown;
  /** The tenant of the app. Only events say it. */
  readonly ownTenant?: unknown;
  readonly rootId: unknown;
  readonly parentId: unknown;
  readonly threadId: unknown;
  /** In decimal digits. */
  readonly sentAtMs: unknown;
  /** When it was last changed, in decimal digits. Absent if it was not. */
  readonly editedAtMs?: unknown;
  readonly messageType: unknown;
  readonly content: unknown;
  readonly mentions: readonly Mention[];
}

/** `unclear`: a group message that names somebody, but does not say whom. */
type ParsedMessage =
  | { readonly ok: true; readonly message: InboundMessage }
  | Refused<Reason | 'unclear'>;

/** One rule for events and history: who wrote it, whether it is for the bot, and what it says. */
export function parseMessage(facts: MessageFacts, self: Self): ParsedMessage {
  if (facts.messageType === 'system') return refused('system');
  const senderId = idOf(facts.senderId);
  if (senderId !== undefined && senderId === self.botOpenId) return refused('own');
  if (!isText(facts.senderType)) return refused('malformed');
  const isBot = BOT_TYPES.has(facts.senderType);
  // Whether another bot gets an answer is decided by its open id, which the history does not give.
  if (facts.senderType !== 'user' && !(isBot && senderId?.startsWith('ou_'))) return refused('bot');
  // It may be this bot itself.
  if (isBot && self.botOpenId === undefined) return refused('bot_unknown');
  const { messageType, content, eventId, chatType } = facts;
  if (!isText(messageType) || typeof eventId !== 'string' || chatType === undefined) {
    return refused('malformed');
  }
  const ids = {
    message: idOf(facts.messageId),
    chat: idOf(facts.chatId),
    root: optionalId(facts.rootId),
    parent: optionalId(facts.parentId),
    thread: optionalId(facts.threadId),
  };
  const sentAtMs = millis(facts.sentAtMs);
  if (ids.message === undefined || ids.chat === undefined || senderId === undefined) {
    return refused('malformed');
  }
  if (ids.root === null || ids.parent === null || ids.thread === null || sentAtMs === undefined) {
    return refused('malformed');
  }
  if (chatType !== 'p2p') {
    const named = whoIsNamed({ messageType, json: content }, facts.mentions, self.botOpenId);
    if (named === 'unclear')
      return refused(self.botOpenId === undefined ? 'bot_unknown' : 'unclear');
    if (named === 'others') return refused('not_addressed');
  }
  const parts = parseParts(
    { messageType, json: textOf(content), mentions: facts.mentions },
    self.botOpenId,
  );
  if (parts === undefined) return refused('malformed');
  const editedAtMs = millis(facts.editedAtMs);
  const mentioned = mentionedIn(facts, self.botOpenId);
  return {
    ok: true,
    message: {
      appId: self.appId,
      messageId: messageId(ids.message),
      eventId,
      chatId: chatId(ids.chat),
      chatType,
      senderOpenId: openId(senderId),
      sender: senderFacts({ ...facts, isBot }),
      rootId: ids.root as MessageId | undefined,
      parentId: ids.parent as MessageId | undefined,
      threadId: ids.thread,
      sentAtMs,
      parts,
      ...(editedAtMs !== undefined && { edited: { atMs: editedAtMs } }),
      ...(!isSaidOrSent(messageType, parts) && { isWordless: true }),
      ...(mentioned.length > 0 && { mentioned }),
    },
  };
}

function isSaidOrSent(messageType: string, parts: readonly Part[]): boolean {
  return (
    messageType === 'text' || messageType === 'post' || parts.some(({ kind }) => kind !== 'text')
  );
}

/** `message_owner`, `group_owner`, `group_manager`, `enterprise_manager`; Lark may add others. */
const RECALL_TYPE = /^[a-z_]{1,40}$/;

function parseRecalledEvent(raw: Json, self: Self): ParsedEvent {
  const message = idOf(raw['message_id']);
  const chat = idOf(raw['chat_id']);
  const eventId = raw['event_id'];
  const by = raw['recall_type'];
  if (message === undefined || chat === undefined || typeof eventId !== 'string') {
    return refused('malformed');
  }
  return {
    ok: true,
    event: {
      kind: 'recalled',
      appId: self.appId,
      eventId,
      messageId: messageId(message),
      chatId: chatId(chat),
      ...(isText(by) && RECALL_TYPE.test(by) && { by }),
    },
  };
}
