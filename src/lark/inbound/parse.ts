/** Judges what Lark delivers, once. Everything behind this trusts the result. */
import { CALLBACK_NEEDS, EVENT_NEEDS } from '../app-needs.ts';
import {
  type AppId,
  chatId,
  LARK_ID_PATTERN,
  type MessageId,
  messageId,
  type OpenId,
  openId,
} from '../../core/ids.ts';
import type { ChatType, InboundEvent, InboundMessage } from '../../core/message.ts';
import { type Mention, parseParts } from './content.ts';

/** Who we are in Lark. */
export interface Self {
  readonly appId: AppId;
  /** Until it is known, nobody can say whether a mention is of us. */
  readonly botOpenId: OpenId | undefined;
}

export const IGNORE_REASONS = ['malformed', 'not_addressed', 'own', 'bot', 'other_app'] as const;
export type IgnoreReason = (typeof IGNORE_REASONS)[number];

/** `bot_unknown`: can't be judged before it is known who we are; to be asked again. */
export type Reason = IgnoreReason | 'bot_unknown';

export type Judged<T> =
  | ({ readonly ok: true } & T)
  | { readonly ok: false; readonly reason: Reason };

type Fields = Readonly<Record<string, unknown>>;

/** The event types that we take up; anything else is acked and forgotten. */
export const EVENT_PARSERS: Readonly<
  Record<string, (raw: Fields, self: Self) => Judged<{ event: InboundEvent }>>
> = {
  [EVENT_NEEDS.message.name]: parseMessageEvent,
  [EVENT_NEEDS.recall.name]: parseRecalledEvent,
  [CALLBACK_NEEDS.button.name]: parseButtonEvent,
};

/** `raw` as the SDK's dispatcher hands it over: header and event in one object. */
export function parseEvent(
  type: string,
  raw: unknown,
  self: Self,
): Judged<{ event: InboundEvent }> {
  const parse = EVENT_PARSERS[type];
  const fields = fieldsOf(raw);
  if (parse === undefined || fields === undefined) return no('malformed');
  const app = fields['app_id'];
  if (typeof app !== 'string') return no('malformed');
  return app === self.appId ? parse(fields, self) : no('other_app');
}

/** Ids for the log, from an event of any shape. */
export function idsOf(raw: unknown): { eventId?: string; message?: string } {
  const eventId = idOf(fieldsOf(raw)?.['event_id']);
  const message = idOf(
    fieldsOf(fieldsOf(raw)?.['message'])?.['message_id'] ?? fieldsOf(raw)?.['message_id'],
  );
  return {
    ...(eventId === undefined ? {} : { eventId }),
    ...(message === undefined ? {} : { message }),
  };
}

function parseMessageEvent(raw: Fields, self: Self): Judged<{ event: InboundEvent }> {
  const message = fieldsOf(raw['message']);
  const sender = fieldsOf(raw['sender']);
  if (message === undefined || sender === undefined) return no('malformed');
  const chatType = chatTypeOf(message['chat_type']);
  if (chatType === undefined) return no('malformed');
  const judged = judgeMessage(
    {
      eventId: raw['event_id'],
      messageId: message['message_id'],
      chatId: message['chat_id'],
      chatType,
      senderId: fieldsOf(sender['sender_id'])?.['open_id'],
      senderType: sender['sender_type'],
      rootId: message['root_id'],
      parentId: message['parent_id'],
      threadId: message['thread_id'],
      sentAtMs: message['create_time'] ?? raw['create_time'],
      messageType: message['message_type'],
      content: message['content'],
      mentions: listOf(message['mentions']).map((mention) => ({
        key: textOf(mention['key']),
        openId: idOf(fieldsOf(mention['id'])?.['open_id']),
        name: textOf(mention['name']),
      })),
    },
    self,
  );
  return judged.ok ? { ok: true, event: { kind: 'message', message: judged.message } } : judged;
}

/** The facts of a message as an event or the history tells them; not yet judged where `unknown`. */
export interface MessageFacts {
  readonly eventId: unknown;
  readonly messageId: unknown;
  readonly chatId: unknown;
  readonly chatType: ChatType;
  readonly senderId: unknown;
  readonly senderType: unknown;
  readonly rootId: unknown;
  readonly parentId: unknown;
  readonly threadId: unknown;
  /** Milliseconds, in decimal digits. */
  readonly sentAtMs: unknown;
  readonly messageType: unknown;
  readonly content: unknown;
  readonly mentions: readonly Mention[];
}

/** One rule for live events and history: whose it is, whether it is for us, and what it says. */
export function judgeMessage(facts: MessageFacts, self: Self): Judged<{ message: InboundMessage }> {
  const senderId = idOf(facts.senderId);
  if (senderId !== undefined && senderId === self.botOpenId) return no('own');
  // Other bots are not answered, or two of them would talk for ever; closed for kinds we don't know.
  if (facts.senderType !== 'user') return no(isText(facts.senderType) ? 'bot' : 'malformed');
  const { messageType, content, eventId } = facts;
  if (!isText(messageType) || !isText(content) || typeof eventId !== 'string') {
    return no('malformed');
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
    return no('malformed');
  }
  if (ids.root === null || ids.parent === null || ids.thread === null || sentAtMs === undefined) {
    return no('malformed');
  }
  if (facts.chatType !== 'p2p' && !isMentioned(facts.mentions, self.botOpenId)) {
    const undecided = self.botOpenId === undefined && facts.mentions.length > 0;
    return no(undecided ? 'bot_unknown' : 'not_addressed');
  }
  const parts = parseParts(
    { messageType, json: content, mentions: facts.mentions },
    self.botOpenId,
  );
  if (parts === undefined) return no('malformed');
  return {
    ok: true,
    message: {
      appId: self.appId,
      messageId: messageId(ids.message),
      eventId,
      chatId: chatId(ids.chat),
      chatType: facts.chatType,
      senderOpenId: openId(senderId),
      rootId: ids.root as MessageId | undefined,
      parentId: ids.parent as MessageId | undefined,
      threadId: ids.thread,
      sentAtMs,
      parts,
    },
  };
}

function parseRecalledEvent(raw: Fields, self: Self): Judged<{ event: InboundEvent }> {
  const message = idOf(raw['message_id']);
  const chat = idOf(raw['chat_id']);
  const eventId = raw['event_id'];
  if (message === undefined || chat === undefined || typeof eventId !== 'string') {
    return no('malformed');
  }
  return {
    ok: true,
    event: {
      kind: 'recalled',
      appId: self.appId,
      eventId,
      messageId: messageId(message),
      chatId: chatId(chat),
    },
  };
}

function parseButtonEvent(raw: Fields, self: Self): Judged<{ event: InboundEvent }> {
  const context = fieldsOf(raw['context']);
  const message = idOf(context?.['open_message_id']);
  const chat = idOf(context?.['open_chat_id']);
  const operator = idOf(fieldsOf(raw['operator'])?.['open_id']);
  const eventId = raw['event_id'];
  const value = buttonValue(fieldsOf(raw['action'])?.['value']);
  if (message === undefined || chat === undefined || operator === undefined) return no('malformed');
  if (value === undefined || typeof eventId !== 'string') return no('malformed');
  return {
    ok: true,
    event: {
      kind: 'button',
      appId: self.appId,
      eventId,
      chatId: chatId(chat),
      messageId: messageId(message),
      operatorOpenId: openId(operator),
      value,
    },
  };
}

/** A button carries an object, or a text that may be the JSON of one. */
function buttonValue(raw: unknown): Fields | undefined {
  if (raw === undefined) return {};
  if (typeof raw !== 'string') return fieldsOf(raw);
  try {
    return fieldsOf(JSON.parse(raw)) ?? { text: raw };
  } catch {
    return { text: raw }; // An author may put plain words on a button.
  }
}

function isMentioned(mentions: readonly Mention[], botOpenId: OpenId | undefined): boolean {
  return botOpenId !== undefined && mentions.some((mention) => mention.openId === botOpenId);
}

function no(reason: Reason): { ok: false; reason: Reason } {
  return { ok: false, reason };
}

export function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : undefined;
}

/** The objects of a list; anything else has none. */
export function listOf(value: unknown): Fields[] {
  if (!Array.isArray(value)) return [];
  return value.map((item) => fieldsOf(item)).filter((item) => item !== undefined);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function idOf(value: unknown): string | undefined {
  return typeof value === 'string' && LARK_ID_PATTERN.test(value) ? value : undefined;
}

/** Lark leaves out an id or sends it empty. Null: there is one, and it is not sound. */
function optionalId(value: unknown): string | null | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  return idOf(value) ?? null;
}

/** Topic groups are groups too; only a direct chat needs no mention. */
function chatTypeOf(value: unknown): ChatType | undefined {
  if (!isText(value)) return undefined;
  return value === 'p2p' ? 'p2p' : 'group';
}

export function millis(value: unknown): number | undefined {
  const digits = typeof value === 'number' ? String(value) : textOf(value);
  if (!/^\d{12,14}$/.test(digits)) return undefined;
  return Number(digits);
}
