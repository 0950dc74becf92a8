import { describe, expect, test } from 'vitest';
import { loadSdk } from '../../../src/lark/sdk/sdk.ts';
import {
  EVENT_PARSERS,
  idsOf,
  type IgnoreReason,
  parseEvent,
} from '../../../src/lark/inbound/parse.ts';
import {
  BOT,
  envelope,
  flattened,
  mention,
  MESSAGE,
  messageEvent,
  SELF,
  text,
} from './captured.ts';

const parse = (raw: unknown, self = SELF) => parseEvent(MESSAGE, raw, self);
const dm = {
  chat_type: 'p2p',
  mentions: undefined,
  thread_id: undefined,
  root_id: '',
  parent_id: '',
};

test('a captured group message becomes an inbound message', () => {
  expect(parse(flattened(MESSAGE))).toEqual({
    ok: true,
    event: {
      kind: 'message',
      message: {
        appId: SELF.appId,
        messageId: 'om_5ce6d572455d361153b7cb51da133945',
        eventId: '5e3702a84e847582be8db7fb73283c02',
        chatId: 'oc_5ce6d572455d361153b7xx51da133945',
        chatType: 'group',
        senderOpenId: 'ou_84aad35d084aa403a838cf73ee184671',
        rootId: 'om_5ce6d572455d361153b7cb5xxfsdfsdf',
        parentId: 'om_5ce6d572455d361153b7cb5xxfsdfsdf',
        threadId: 'omt_d4be107c616aed9c1da8ed8068570a9f',
        sentAtMs: 1774004563210,
        parts: [{ kind: 'text', text: 'hello' }],
      },
    },
  });
});

test.each(Object.keys(EVENT_PARSERS))(
  '%s: the dispatcher of the SDK flattens as our tests do',
  async (type) => {
    const sdk = loadSdk();
    const drop = () => undefined;
    const logger = { error: drop, warn: drop, info: drop, debug: drop, trace: drop };
    let seen: unknown;
    const dispatcher = new sdk.EventDispatcher({ logger });
    dispatcher.register({ [type]: (raw: unknown) => void (seen = raw) });
    await dispatcher.invoke(envelope(type), { needCheck: false });
    expect({ ...(seen as object) }).toMatchObject(flattened(type));
    expect(parseEvent(type, seen, SELF)).toEqual(parseEvent(type, flattened(type), SELF));
    expect(parseEvent(type, seen, SELF).ok).toBe(true);
  },
);

describe('who is addressed', () => {
  test('LCM-IN-02: a direct message needs no mention', () => {
    const judged = parse(messageEvent({ message: { ...dm, content: text('hi') } }));
    expect(judged).toMatchObject({
      ok: true,
      event: {
        message: { chatType: 'p2p', rootId: undefined, parts: [{ kind: 'text', text: 'hi' }] },
      },
    });
  });

  test.each<[string, object, IgnoreReason]>([
    ['no mention', { mentions: undefined }, 'not_addressed'],
    ['only somebody else', { mentions: [mention(1, 'Ann')] }, 'not_addressed'],
    ['everybody', { mentions: undefined, content: text('@_all hi') }, 'not_addressed'],
    [
      'everybody, as a mention',
      { mentions: [{ key: '@_all', id: {}, name: 'All' }], content: text('@_all hi') },
      'not_addressed',
    ],
    ['a topic group without a mention', { chat_type: 'topic', mentions: [] }, 'not_addressed'],
  ])('LCM-IN-03, LCM-IN-05: a group message with %s is not for us', (_what, message, reason) => {
    expect(parse(messageEvent({ message: message as Record<string, unknown> }))).toEqual({
      ok: false,
      reason,
    });
  });

  test('the bot among many mentions', () => {
    const mentions = [
      ...Array.from({ length: 11 }, (_, at) => mention(at + 1, `P${at}`)),
      mention(12, 'B', BOT),
    ];
    expect(parse(messageEvent({ message: { mentions } })).ok).toBe(true);
  });

  test('LCM-IN-04, bettered: a bot that does not know itself yet says so', () => {
    expect(parse(flattened(MESSAGE), { ...SELF, botOpenId: undefined })).toEqual({
      ok: false,
      reason: 'bot_unknown',
    });
    const toNobody = messageEvent({ message: { mentions: undefined } });
    expect(parse(toNobody, { ...SELF, botOpenId: undefined })).toEqual({
      ok: false,
      reason: 'not_addressed',
    });
    // A mention without an id must not match a bot without one.
    const nameless = messageEvent({
      message: { mentions: [{ key: '@_user_1', id: {}, name: 'X' }] },
    });
    expect(parse(nameless, { ...SELF, botOpenId: undefined }).ok).toBe(false);
    const direct = messageEvent({ message: dm });
    expect(parse(direct, { ...SELF, botOpenId: undefined }).ok).toBe(true);
  });

  test('a post that mentions the bot is taken up, as what it is', () => {
    const judged = parse(
      messageEvent({ message: { message_type: 'post', content: '{"title":"","content":[]}' } }),
    );
    expect(judged).toMatchObject({
      ok: true,
      event: { message: { parts: [{ kind: 'unsupported', messageType: 'post' }] } },
    });
  });
});

describe('nobody talks to himself', () => {
  test.each<[string, object, IgnoreReason]>([
    ['another bot', { sender_type: 'bot' }, 'bot'],
    ['another app, in older words', { sender_type: 'app' }, 'bot'],
    ['a kind of sender that came later', { sender_type: 'workflow' }, 'bot'],
    ['ourselves', { sender_type: 'bot', sender_id: { open_id: BOT } }, 'own'],
    ['ourselves as a user', { sender_id: { open_id: BOT } }, 'own'],
  ])('%s', (_who, sender, reason) => {
    expect(parse(messageEvent({ sender: sender as Record<string, unknown>, message: dm }))).toEqual(
      { ok: false, reason },
    );
  });

  test('an event of another app', () => {
    const other = messageEvent({ top: { app_id: 'cli_ffffffffffffffff' } });
    expect(parse(other)).toEqual({ ok: false, reason: 'other_app' });
  });
});

describe('malformed', () => {
  const bad = ['../../x', 'om_1/..', 'om 1', '', 'om_1?x=y', 'é', 1, {}, 'a'.repeat(129)];
  test.each(['message_id', 'chat_id'])('%s that is not an id', (field) => {
    for (const value of [...bad, undefined, null]) {
      expect(parse(messageEvent({ message: { [field]: value } }))).toEqual({
        ok: false,
        reason: 'malformed',
      });
    }
  });

  test.each(['root_id', 'parent_id', 'thread_id'])('%s that is there and is not an id', (field) => {
    for (const value of bad.filter((one) => one !== '')) {
      expect(parse(messageEvent({ message: { [field]: value } }))).toEqual({
        ok: false,
        reason: 'malformed',
      });
    }
    expect(parse(messageEvent({ message: { [field]: undefined } })).ok).toBe(true);
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'x'],
    ['a list', []],
    ['an empty object', {}],
    ['no app id', messageEvent({ top: { app_id: undefined } })],
    ['no message', messageEvent({ top: { message: null } })],
    ['no sender', messageEvent({ top: { sender: [] } })],
    ['no sender id', messageEvent({ sender: { sender_id: {} } })],
    ['no sender type', messageEvent({ sender: { sender_type: undefined } })],
    ['no event id', messageEvent({ top: { event_id: undefined } })],
    ['no chat type', messageEvent({ message: { chat_type: undefined } })],
    [
      'no time',
      messageEvent({ message: { create_time: undefined }, top: { create_time: undefined } }),
    ],
    ['a time in words', messageEvent({ message: { create_time: 'now' } })],
    ['content that is no JSON', messageEvent({ message: { content: '{' } })],
    ['content that is an object', messageEvent({ message: { content: { text: 'x' } } })],
  ])('%s', (_what, raw) => {
    expect(parse(raw)).toEqual({ ok: false, reason: 'malformed' });
  });

  test('never throws, whatever field is missing or of another type', () => {
    const walk = (value: unknown, path: string[]): string[][] =>
      typeof value === 'object' && value !== null
        ? [path, ...Object.entries(value).flatMap(([key, inner]) => walk(inner, [...path, key]))]
        : [path];
    for (const type of Object.keys(EVENT_PARSERS)) {
      for (const path of walk(flattened(type), []).filter(({ length }) => length > 0)) {
        for (const other of [undefined, null, 0, 'x', [], {}, [null]]) {
          const raw = structuredClone(flattened(type));
          const last = path.at(-1) as string;
          let at: Record<string, unknown> = raw;
          for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
          at[last] = other;
          expect(() => parseEvent(type, raw, SELF)).not.toThrow();
          expect(() => idsOf(raw)).not.toThrow();
        }
      }
    }
  });
});

test('a recalled message', () => {
  const type = 'im.message.recalled_v1';
  expect(parseEvent(type, flattened(type), SELF)).toEqual({
    ok: true,
    event: {
      kind: 'recalled',
      appId: SELF.appId,
      eventId: 'd6ab49a8d39aa0b4a0a6e6ad6a9b4a6b',
      messageId: 'om_5ce6d572455d361153b7cb51da133945',
      chatId: 'oc_5ce6d572455d361153b7xx51da133945',
    },
  });
  expect(parseEvent(type, { ...flattened(type), message_id: '../x' }, SELF).ok).toBe(false);
});

describe('a pressed button', () => {
  const type = 'card.action.trigger';
  const pressed = (value: unknown) => {
    const raw = flattened(type);
    return parseEvent(type, { ...raw, action: { ...(raw['action'] as object), value } }, SELF);
  };

  test('as captured', () => {
    expect(parseEvent(type, flattened(type), SELF)).toEqual({
      ok: true,
      event: {
        kind: 'button',
        appId: SELF.appId,
        eventId: 'f7984f25108f8137722bb63cee927e66',
        chatId: 'oc_5ce6d572455d361153b7xx51da133945',
        messageId: 'om_574d639e4a44e4dd646eaf628e2a4e6d',
        operatorOpenId: 'ou_84aad35d084aa403a838cf73ee184671',
        value: { turn: 't1', choice: 'retry' },
      },
    });
  });

  test.each<[unknown, object]>([
    ['{"turn":"t2"}', { turn: 't2' }],
    ['plain words', { text: 'plain words' }],
    ['[1]', { text: '[1]' }],
    [undefined, {}],
  ])('value %j', (value, expected) => {
    expect(pressed(value)).toMatchObject({ ok: true, event: { value: expected } });
  });

  test.each([null, 3, ['x']])('value %j is malformed', (value) => {
    expect(pressed(value)).toEqual({ ok: false, reason: 'malformed' });
  });
});

test('ids for the log come out of what can be read, and nothing else does', () => {
  expect(idsOf(flattened(MESSAGE))).toEqual({
    eventId: '5e3702a84e847582be8db7fb73283c02',
    message: 'om_5ce6d572455d361153b7cb51da133945',
  });
  expect(idsOf({ event_id: 'a b\n', message: { message_id: 'hello there' } })).toEqual({});
});
