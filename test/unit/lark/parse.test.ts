import { describe, expect, test } from 'vitest';
import { loadSdk } from '../../../src/lark/sdk.ts';
import { EVENT_PARSERS, idsOf, parseEvent } from '../../../src/lark/inbound/parse.ts';
import type { IgnoreReason } from '../../../src/lark/inbound/parsed.ts';
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
const post = (...elements: object[]) => JSON.stringify({ title: '', content: [elements] });
const ID = 'om_5ce6d572455d361153b7cb51da133945';
const CHAT = 'oc_5ce6d572455d361153b7xx51da133945';
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
        sender: {
          unionId: 'on_8ed6aa67826108097d9ee143816345c1',
          tenant: '736588c9260f175e',
          ownTenant: '736588c9260f175e',
        },
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
    const parsed = parse(messageEvent({ message: { ...dm, content: text('hi') } }));
    expect(parsed).toMatchObject({
      ok: true,
      event: {
        message: { chatType: 'p2p', rootId: undefined, parts: [{ kind: 'text', text: 'hi' }] },
      },
    });
  });

  test.each<[string, object, IgnoreReason]>([
    ['no mention', { mentions: undefined, content: text('hi') }, 'not_addressed'],
    ['only somebody else', { mentions: [mention(1, 'Ann')] }, 'not_addressed'],
    ['everybody', { mentions: undefined, content: text('@_all hi') }, 'not_addressed'],
    [
      'everybody, as a mention',
      { mentions: [{ key: '@_all', id: {}, name: 'All' }], content: text('@_all hi') },
      'not_addressed',
    ],
    [
      'everybody, in a post',
      { message_type: 'post', mentions: [], content: post({ tag: 'at', user_id: '@_all' }) },
      'not_addressed',
    ],
    [
      'somebody else in a post',
      { message_type: 'post', mentions: [], content: post({ tag: 'at', user_id: 'ou_1' }) },
      'not_addressed',
    ],
    ['a picture', { message_type: 'image', mentions: undefined, content: '{}' }, 'not_addressed'],
    [
      'a topic group without a mention',
      { chat_type: 'topic', mentions: [], content: text('hi') },
      'not_addressed',
    ],
  ])(
    'LCM-IN-03, LCM-IN-05: a group message with %s is not for the bot',
    (_what, message, reason) => {
      expect(parse(messageEvent({ message: message as Record<string, unknown> }))).toEqual({
        ok: false,
        reason,
      });
    },
  );

  test('the bot among many mentions', () => {
    const mentions = [
      ...Array.from({ length: 11 }, (_, at) => mention(at + 1, `P${at}`)),
      mention(12, 'B', BOT),
    ];
    expect(parse(messageEvent({ message: { mentions } })).ok).toBe(true);
  });

  test("LCM-IN-04, stricter: without the bot's id a group message is not parsed", () => {
    expect(parse(flattened(MESSAGE), { ...SELF, botOpenId: undefined })).toEqual({
      ok: false,
      reason: 'bot_unknown',
    });
    const toNobody = messageEvent({ message: { mentions: undefined, content: text('hi') } });
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

  const atBot = { tag: 'at', user_id: BOT, user_name: 'Bot' };
  const zhCn = JSON.stringify({ zh_cn: { title: '', content: [[atBot]] } });

  test.each<[string, unknown, unknown]>([
    ['are absent', undefined, post({ tag: 'text', text: 'look: ' }, atBot)],
    ['are null', null, post(atBot)],
    ['are empty', [], post(atBot)],
    ['name somebody else', [mention(1, 'Ann')], post(atBot)],
    ['are absent, inside a language', undefined, zhCn],
  ])(
    'a post whose `at` element names the bot is for us though its mentions %s',
    (_how, mentions, content) => {
      const message = { message_type: 'post', mentions, content };
      expect(parse(messageEvent({ message }))).toMatchObject({ ok: true });
      // Before it knows itself, any id in a post may be its own.
      const parsed = parse(messageEvent({ message }), { ...SELF, botOpenId: undefined });
      expect(parsed).toEqual({ ok: false, reason: 'bot_unknown' });
    },
  );

  test.each<[string, object]>([
    ['a post', { message_type: 'post', content: post({ tag: 'at', user_id: '@_user_1' }) }],
    ['a text', { content: text('@_user_1 hi') }],
    ['a mention without an id', { mentions: [{ key: '@_user_1', id: {}, name: 'Bot' }] }],
  ])('Lark is asked for %s that names somebody without saying whom', (_what, change) => {
    const parsed = parse(messageEvent({ message: { mentions: [], ...change } }));
    expect(parsed).toMatchObject({
      reason: 'incomplete',
      incomplete: { messageId: ID, chatId: CHAT, chatType: 'group', named: 'unclear' },
    });
  });

  test('a post that mentions the bot is accepted as a post', () => {
    const parsed = parse(
      messageEvent({ message: { message_type: 'post', content: '{"title":"","content":[]}' } }),
    );
    expect(parsed).toMatchObject({
      ok: true,
      event: { message: { parts: [{ kind: 'text', text: '' }] } },
    });
  });

  test('a post of which only the mention of the bot is left, and one with more', () => {
    const said = (...elements: object[]) => {
      const message = { message_type: 'post', content: post(...elements) };
      return parse(messageEvent({ message: { ...message, mentions: [mention(1, 'B', BOT)] } }));
    };
    const at = { tag: 'at', user_id: '@_user_1', user_name: 'B' };
    expect(said(at)).toMatchObject({ event: { message: { parts: [{ text: '' }] } } });
    expect(said(at, { tag: 'text', text: ' go', style: ['bold'] })).toMatchObject({
      event: { message: { parts: [{ text: '**go**' }] } },
    });
  });

  test('a note of Lark itself is for nobody', () => {
    const message = { ...dm, message_type: 'system', content: '{"template":"x joined"}' };
    expect(parse(messageEvent({ message }))).toEqual({ ok: false, reason: 'system' });
    const group = { message_type: 'system', content: 'damaged' };
    expect(parse(messageEvent({ message: group }))).toEqual({ ok: false, reason: 'system' });
  });
});

describe('messages of bots', () => {
  test.each(['bot', 'app'])(
    'CG-IN-03: another bot (%s) is one, so that it can be judged',
    (sender_type) => {
      const raw = messageEvent({ sender: { sender_type }, message: dm });
      expect(parse(raw)).toMatchObject({
        ok: true,
        event: { message: { sender: { isBot: true } } },
      });
      // It may be this bot itself.
      expect(parse(raw, { ...SELF, botOpenId: undefined })).toEqual({
        ok: false,
        reason: 'bot_unknown',
      });
    },
  );

  test.each<[string, object, IgnoreReason]>([
    [
      'another bot, as the history names it',
      { sender_type: 'app', sender_id: { open_id: 'cli_1' } },
      'bot',
    ],
    ['a kind of sender that came later', { sender_type: 'workflow' }, 'bot'],
    ['ourselves', { sender_type: 'bot', sender_id: { open_id: BOT } }, 'own'],
    ['ourselves as a user', { sender_id: { open_id: BOT } }, 'own'],
  ])('that are ignored: %s', (_who, sender, reason) => {
    expect(parse(messageEvent({ sender: sender as Record<string, unknown>, message: dm }))).toEqual(
      { ok: false, reason },
    );
  });

  test('an event of another app', () => {
    const other = messageEvent({ top: { app_id: 'cli_ffffffffffffffff' } });
    expect(parse(other)).toEqual({ ok: false, reason: 'other_app' });
  });
});

describe('incomplete', () => {
  const bad = ['../../x', 'om_1/..', 'om 1', '', 'om_1?x=y', 'é', 1, {}, 'a'.repeat(129)];
  const incomplete = (over: object = {}) => ({
    ok: false,
    reason: 'incomplete',
    incomplete: expect.objectContaining({
      appId: SELF.appId,
      messageId: ID,
      chatId: CHAT,
      named: 'bot',
      toldAtMs: 1774004563541,
      ...over,
    }),
  });

  test('without a valid message id the message is malformed', () => {
    for (const value of [...bad, undefined, null]) {
      expect(parse(messageEvent({ message: { message_id: value } }))).toEqual({
        ok: false,
        reason: 'malformed',
      });
    }
  });

  test('an event without a chat id is incomplete', () => {
    for (const value of [...bad, undefined, null]) {
      const parsed = parse(messageEvent({ message: { chat_id: value } }));
      expect(parsed).toEqual(incomplete({ chatId: undefined }));
    }
  });

  test.each(['root_id', 'parent_id', 'thread_id'])('%s that is not an id', (field) => {
    for (const value of bad.filter((one) => one !== '')) {
      expect(parse(messageEvent({ message: { [field]: value } }))).toEqual(incomplete());
    }
    expect(parse(messageEvent({ message: { [field]: undefined } })).ok).toBe(true);
  });

  test.each<[string, unknown]>([
    ['no sender', messageEvent({ top: { sender: [] } })],
    ['no sender id', messageEvent({ sender: { sender_id: {} } })],
    ['no open id', messageEvent({ sender: { sender_id: { union_id: 'on_1' } } })],
    ['no sender type', messageEvent({ sender: { sender_type: undefined } })],
    ['an empty sender type', messageEvent({ sender: { sender_type: '' } })],
    ['no event id', messageEvent({ top: { event_id: undefined } })],
    ['no chat type', messageEvent({ message: { chat_type: undefined } })],
    ['no message type', messageEvent({ message: { message_type: undefined } })],
    ['no content', messageEvent({ message: { content: undefined } })],
    ['content null', messageEvent({ message: { content: null } })],
    ['empty content', messageEvent({ message: { content: '' } })],
    ['content that is no JSON', messageEvent({ message: { content: '{' } })],
    ['content without a text', messageEvent({ message: { content: '{}' } })],
    ['content that is an object', messageEvent({ message: { content: { text: 'x' } } })],
  ])('%s', (_what, raw) => {
    expect(parse(raw)).toEqual(incomplete());
  });

  test('an event without a valid time is incomplete', () => {
    for (const create_time of [undefined, 'now', '12', null, '17740045632101234']) {
      const raw = messageEvent({ message: { create_time }, top: { create_time } });
      expect(parse(raw)).toEqual(incomplete({ toldAtMs: undefined }));
    }
  });

  test.each<[string, unknown, unknown, number]>([
    ['seconds', '1774004563', '1774004564', 1774004563000],
    ['seconds as a number', 1774004563, undefined, 1774004563000],
    ['words, but the event says when', 'now', '1774004563541', 1774004563541],
    ['nothing, but the event says when', undefined, 1774004563541, 1774004563541],
  ])('a time in %s', (_what, ofMessage, ofEvent, sentAtMs) => {
    const top = { create_time: ofEvent };
    const parsed = parse(messageEvent({ message: { create_time: ofMessage }, top }));
    expect(parsed).toMatchObject({ ok: true, event: { message: { sentAtMs } } });
  });

  test('an event without an app id came on our own connection', () => {
    expect(parse(messageEvent({ top: { app_id: undefined } })).ok).toBe(true);
  });

  test('says whom the message names, if the event says so', () => {
    const named = (message: object) => {
      const parsed = parse(messageEvent({ message: { root_id: 1, ...message } }));
      return !parsed.ok && parsed.reason === 'incomplete' ? parsed.incomplete.named : parsed;
    };
    expect(named({ ...dm, root_id: 1 })).toBe('bot');
    expect(named({ mentions: [mention(1, 'Ann')] })).toBe('others');
    expect(named({ mentions: undefined, content: null })).toBe('unclear');
    expect(named({ mentions: [mention(1, 'Ann')], content: null })).toBe('others');
  });

  test('messages of other bots are ignored, even if they are damaged', () => {
    const raw = messageEvent({ sender: { sender_type: 'bot' }, message: { content: null } });
    expect(parse(raw)).toEqual({ ok: false, reason: 'bot' });
  });
});

describe('malformed', () => {
  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'x'],
    ['a list', []],
    ['an empty object', {}],
    ['no message', messageEvent({ top: { message: null } })],
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

describe('an edited message', () => {
  const type = 'im.message.updated_v1';
  const edited = (message: object = {}, top: object = {}) => {
    const raw = flattened(type);
    const changed = { ...(raw['message'] as object), ...message };
    return parseEvent(type, { ...raw, ...top, message: changed }, SELF);
  };

  test('says what it says now, and when it was changed', () => {
    expect(edited()).toMatchObject({
      ok: true,
      event: {
        kind: 'edited',
        editedAtMs: 1774004623210,
        message: {
          messageId: ID,
          sentAtMs: 1774004563210,
          parts: [{ text: 'hello again' }],
          edited: { atMs: 1774004623210 },
        },
      },
    });
  });

  test.each<[string, object, string]>([
    ['the mention is gone', { mentions: undefined, content: text('hello') }, 'not_addressed'],
    ['nobody knows whom it names', { mentions: [] }, 'malformed'],
    ['it has no content', { content: null }, 'malformed'],
    ['it does not say when', { update_time: 'now' }, 'malformed'],
    ['it has no id', { message_id: '../x' }, 'malformed'],
  ])('is ignored if %s', (_why, message, reason) => {
    expect(edited(message)).toEqual({ ok: false, reason });
  });

  test('of another bot or app is none of ours', () => {
    expect(edited({}, { sender: { sender_type: 'bot' } })).toEqual({ ok: false, reason: 'bot' });
    const other = { app_id: 'cli_ffffffffffffffff' };
    expect(edited({}, other)).toEqual({ ok: false, reason: 'other_app' });
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
      by: 'message_owner',
    },
  });
  expect(parseEvent(type, { ...flattened(type), message_id: '../x' }, SELF).ok).toBe(false);
  for (const recall_type of [undefined, 7, '', 'a\nb', 'x'.repeat(41)]) {
    expect(parseEvent(type, { ...flattened(type), recall_type }, SELF)).toMatchObject({
      ok: true,
      event: expect.not.objectContaining({ by: expect.anything() as unknown }) as unknown,
    });
  }
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
        operator: {
          unionId: 'on_8ed6aa67826108097d9ee143816345c1',
          tenant: '736588c9260f175e',
          ownTenant: '736588c9260f175e',
        },
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

test('the log gets valid ids of an event, and nothing else', () => {
  expect(idsOf(flattened(MESSAGE))).toEqual({
    event_id: '5e3702a84e847582be8db7fb73283c02',
    message: 'om_5ce6d572455d361153b7cb51da133945',
  });
  expect(idsOf({ event_id: 'a b\n', message: { message_id: 'hello there' } })).toEqual({});
});

describe('whom a message mentions', () => {
  const parsed = (raw: unknown) => {
    const result = parse(raw);
    return result.ok && result.event.kind === 'message'
      ? result.event.message.mentioned
      : undefined;
  };

  test('stays known by id and name, without the bot', () => {
    const mentions = [mention(1, 'Bot', BOT), mention(2, 'Tom', 'ou_tom')];
    const event = messageEvent({
      message: { content: text('@_user_1 /allow @_user_2'), mentions },
    });
    expect(parsed(event)).toEqual([{ openId: 'ou_tom', name: 'Tom' }]);
  });

  test('is nobody for everybody and for who has no id', () => {
    const mentions = [mention(1, 'Bot', BOT), { key: '@_all', id: {}, name: 'all' }];
    expect(
      parsed(messageEvent({ message: { content: text('@_user_1 @_all'), mentions } })),
    ).toBeUndefined();
  });

  test('is found in a post that names an id itself', () => {
    const content = post(
      { tag: 'at', user_id: BOT, user_name: 'Bot' },
      { tag: 'text', text: ' /block ' },
      { tag: 'at', user_id: 'ou_tom', user_name: 'Tom' },
      { tag: 'at', user_id: '@_user_7', user_name: 'Nobody' },
    );
    const event = messageEvent({ message: { message_type: 'post', content, mentions: [] } });
    expect(parsed(event)).toEqual([{ openId: 'ou_tom', name: 'Tom' }]);
  });
});

describe("an entry of the bot's menu", () => {
  const MENU = 'application.bot.menu_v6';
  const chosen = {
    event_id: 'e1',
    event_key: 'stop',
    operator: { operator_id: { open_id: 'ou_1' } },
  };

  test('names the person and the key', () => {
    expect(parseEvent(MENU, chosen, SELF)).toEqual({
      ok: true,
      event: {
        kind: 'menu',
        appId: SELF.appId,
        eventId: 'e1',
        operatorOpenId: 'ou_1',
        eventKey: 'stop',
      },
    });
  });

  test.each([
    { ...chosen, event_key: '' },
    { ...chosen, event_key: 'a b' },
    { ...chosen, event_key: 7 },
    { ...chosen, event_id: undefined },
    { ...chosen, operator: {} },
    { ...chosen, operator: { operator_id: { open_id: '../x' } } },
  ])('with a part missing is malformed: %j', (raw) => {
    expect(parseEvent(MENU, raw, SELF)).toEqual({ ok: false, reason: 'malformed' });
  });
});
