/** Events in which somebody did something other than write: presses, and how the bot comes into a chat. */
import { asObject, type Json } from '../../core/json-object.ts';
import { chatId, messageId, openId } from '../../core/ids.ts';
import { idOf, isText, textOf } from './fields.ts';
import { type Self, type ParsedEvent, refused } from './parsed.ts';
import { senderFacts } from './sender-facts.ts';

export function parseButtonEvent(raw: Json, self: Self): ParsedEvent {
  const context = asObject(raw['context']);
  const message = idOf(context?.['open_message_id']);
  const chat = idOf(context?.['open_chat_id']);
  const presser = asObject(raw['operator']);
  const operator = idOf(presser?.['open_id']);
  const eventId = raw['event_id'];
  const value = buttonValue(asObject(raw['action'])?.['value']);
  if (message === undefined || chat === undefined || operator === undefined)
    return refused('malformed');
  if (value === undefined || typeof eventId !== 'string') return refused('malformed');
  return {
    ok: true,
    event: {
      kind: 'button',
      appId: self.appId,
      eventId,
      chatId: chatId(chat),
      messageId: messageId(message),
      operatorOpenId: openId(operator),
      operator: senderFacts({
        senderUnionId: presser?.['union_id'],
        senderTenant: presser?.['tenant_key'],
        ownTenant: raw['tenant_key'],
        isBot: false,
      }),
      value,
    },
  };
}

/** Such as `help`: whoever runs the bot types it into the developer console. */
const EVENT_KEY = /^[\w.-]{1,100}$/;

export function parseMenuEvent(raw: Json, self: Self): ParsedEvent {
  const operator = idOf(asObject(asObject(raw['operator'])?.['operator_id'])?.['open_id']);
  const [eventId, eventKey] = [raw['event_id'], raw['event_key']];
  if (operator === undefined || typeof eventId !== 'string') return refused('malformed');
  if (!isText(eventKey) || !EVENT_KEY.test(eventKey)) return refused('malformed');
  return {
    ok: true,
    event: {
      kind: 'menu',
      appId: self.appId,
      eventId,
      operatorOpenId: openId(operator),
      eventKey,
    },
  };
}

export function parseAddedEvent(raw: Json, self: Self): ParsedEvent {
  const chat = idOf(raw['chat_id']);
  const by = idOf(asObject(raw['operator_id'])?.['open_id']);
  const eventId = raw['event_id'];
  const external = raw['external'];
  if (chat === undefined || typeof eventId !== 'string') return refused('malformed');
  return {
    ok: true,
    event: {
      kind: 'bot_added',
      appId: self.appId,
      eventId,
      chatId: chatId(chat),
      name: textOf(raw['name']),
      by: by === undefined ? undefined : openId(by),
      isExternal: typeof external === 'boolean' ? external : undefined,
    },
  };
}

export function parseEnteredEvent(raw: Json, self: Self): ParsedEvent {
  const chat = idOf(raw['chat_id']);
  const by = idOf(asObject(raw['operator_id'])?.['open_id']);
  const eventId = raw['event_id'];
  if (chat === undefined || by === undefined || typeof eventId !== 'string') {
    return refused('malformed');
  }
  return {
    ok: true,
    event: {
      kind: 'chat_entered',
      appId: self.appId,
      eventId,
      chatId: chatId(chat),
      by: openId(by),
      isEmpty: !isText(raw['last_message_id']),
    },
  };
}

/** A button has an object as its value, or a text that may be the JSON of one. */
function buttonValue(raw: unknown): Json | undefined {
  if (raw === undefined) return {};
  if (typeof raw !== 'string') return asObject(raw);
  try {
    return asObject(JSON.parse(raw)) ?? { text: raw };
  } catch {
    return { text: raw }; // The author of a card may give a button a plain text.
  }
}
