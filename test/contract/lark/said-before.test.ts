/** Names, quoted messages and threads, read from the simulated cloud. */
import { describe, expect, test } from 'vitest';
import { appId, chatId, messageId, openId } from '../../../src/core/ids.ts';
import type { InboundMessage } from '../../../src/core/message.ts';
import type { SimMessage } from '../../../src/sim/world/model.ts';
import { startRig, withGateway, type Rig } from './rig.ts';

function surroundingsOf(rig: Rig) {
  const { gateway } = withGateway(rig);
  if (gateway.surroundings === undefined) throw new Error('it reads nothing');
  return { gateway, surroundings: gateway.surroundings };
}

function asInbound(said: SimMessage, chatType: 'p2p' | 'group' = 'group'): InboundMessage {
  return {
    appId: appId('cli_0123456789abcdef'),
    messageId: messageId(said.messageId),
    eventId: 'e',
    chatId: chatId(said.chatId),
    chatType,
    senderOpenId: openId('ou_1'),
    rootId: undefined,
    parentId: said.parentId === undefined ? undefined : messageId(said.parentId),
    threadId: said.threadId,
    sentAtMs: said.createdAtMs,
    parts: [{ kind: 'text', text: 'x' }],
  };
}

async function group() {
  const rig = await startRig();
  const { lark, app, ann } = rig;
  app.scopes.add('im:message.group_msg');
  const tom = lark.addUser({ name: 'Tom' });
  const chat = lark.addGroup({ name: 'Team', members: [ann, tom], apps: [app] });
  return { ...rig, rig, tom, chat };
}

describe('a quoted message', () => {
  test.each([
    ['a text', { text: 'look at this' }, 'look at this'],
    ['a picture', { messageType: 'image' }, '[image]'],
    ['a file', { messageType: 'file' }, '[file notes.txt]'],
  ])('%s', async (_what, content, text) => {
    const { rig, lark, ann, tom, chat } = await group();
    const first = lark.say({ chat, from: tom, ...content });
    const reply = lark.say({ chat, from: ann, text: 'why?', replyTo: first });
    const { surroundings } = surroundingsOf(rig);
    expect(await surroundings.quotedBy(asInbound(reply))).toEqual({
      ok: true,
      value: { messageId: first.messageId, sender: tom.openId, isBot: false, text },
    });
  });

  test('forwarded messages, with what they say', async () => {
    const { rig, lark, ann, tom, chat } = await group();
    const one = lark.say({ chat, from: tom, text: 'the point' });
    const bundle = lark.forward({ chat, from: tom, messages: [one] });
    const reply = lark.say({ chat, from: ann, text: 'why?', replyTo: bundle });
    const read = await surroundingsOf(rig).surroundings.quotedBy(asInbound(reply));
    expect(read.ok && read.value?.text).toContain('> the point');
  });

  test('that was recalled is not there', async () => {
    const { rig, lark, ann, tom, chat } = await group();
    const first = lark.say({ chat, from: tom, text: 'oops' });
    const reply = lark.say({ chat, from: ann, text: 'why?', replyTo: first });
    lark.recall(first.messageId);
    const read = await surroundingsOf(rig).surroundings.quotedBy(asInbound(reply));
    expect(read).toEqual({ ok: true, value: undefined });
  });
});

describe('a thread', () => {
  test('the last messages before this one, oldest first, without recalled ones', async () => {
    const { rig, lark, ann, tom, chat } = await group();
    const root = lark.say({ chat, from: tom, text: 'root' });
    const add = (text: string) =>
      lark.say({ chat, from: ann, text, replyTo: root, inThread: true });
    add('one');
    lark.recall(add('gone').messageId);
    add('two');
    const asked = add('asked');
    add('later');
    const { surroundings } = surroundingsOf(rig);
    const read = await surroundings.threadBefore(asInbound(asked), 20);
    expect(read.ok && read.value.map(({ text }) => text)).toEqual(['root', 'one', 'two']);
    const last = await surroundings.threadBefore(asInbound(asked), 1);
    expect(last.ok && last.value.map(({ text }) => text)).toEqual(['two']);
  });

  test('a permission that is missing is told once, and not tried again', async () => {
    const { rig, lark, app, ann, chat } = await group();
    app.scopes.delete('im:message.group_msg');
    const root = lark.say({ chat, from: ann, text: 'root' });
    const asked = lark.say({ chat, from: ann, text: 'one', replyTo: root, inThread: true });
    const { surroundings } = surroundingsOf(rig);
    const read = () => surroundings.threadBefore(asInbound(asked), 20);
    expect(await read()).toMatchObject({ ok: false, isPassing: false });
    const calls = () => lark.calls({ path: '/im/v1/messages', method: 'GET' }).length;
    const before = calls();
    expect(await read()).toMatchObject({ ok: false });
    expect(calls()).toBe(before);
    expect(rig.log.warnings()).toEqual(['said_before_not_read']);
    // Direct chats have rules of their own.
    const direct = lark.directChat(ann, app);
    const first = lark.say({ chat: direct, from: ann, text: 'mine' });
    const reply = lark.say({ chat: direct, from: ann, text: 'why?', replyTo: first });
    expect(await surroundings.quotedBy(asInbound(reply, 'p2p'))).toMatchObject({ ok: true });
  });
});

describe('the latest messages', () => {
  async function talk() {
    const given = await group();
    const { rig, lark, ann, tom, chat } = given;
    const add = (text: string) => lark.say({ chat, from: ann, text });
    const one = add('one');
    const two = lark.say({ chat, from: tom, text: 'two' });
    lark.recall(add('gone').messageId);
    const inThread = lark.say({ chat, from: tom, text: 'aside', replyTo: one, inThread: true });
    const three = add('three');
    const { surroundings } = surroundingsOf(rig);
    const latest = async (at: SimMessage, count: number, before?: string) => {
      const query = { count, ...(before !== undefined && { before }) };
      const read = await surroundings.latest(asInbound(at), query);
      return read.ok ? read.value.map(({ text }) => text) : read.reason;
    };
    return { ...given, one, two, three, inThread, latest, surroundings };
  }

  test('of a chat, oldest first, with their times, without recalled ones and without threads', async () => {
    const { three, tom, two, latest, surroundings } = await talk();
    expect(await latest(three, 50)).toEqual(['one', 'two', 'three']);
    expect(await latest(three, 2)).toEqual(['two', 'three']);
    const read = await surroundings.latest(asInbound(three), { count: 2 });
    expect(read.ok && read.value[0]).toEqual({
      messageId: two.messageId,
      sender: tom.openId,
      isBot: false,
      text: 'two',
      sentAtMs: two.createdAtMs,
    });
  });

  test('before a message, also within the same second', async () => {
    const { two, three, latest } = await talk();
    expect(await latest(three, 50, three.messageId)).toEqual(['one', 'two']);
    expect(await latest(three, 1, three.messageId)).toEqual(['two']);
    expect(await latest(three, 50, two.messageId)).toEqual(['one']);
  });

  test('of a thread are those of the thread alone', async () => {
    const { one, inThread, latest } = await talk();
    expect(await latest(inThread, 50)).toEqual(['one', 'aside']);
    expect(await latest(inThread, 50, inThread.messageId)).toEqual(['one']);
    expect(await latest(inThread, 50, one.messageId)).toEqual([]);
  });

  test.each(['om_nobody', '../im/v1/chats', 'oc_1/../../x', ''])(
    'before %j, which is no message of the chat, there are none',
    async (before) => {
      const { lark, three, latest } = await talk();
      const calls = () => lark.calls({ path: '/chats', method: 'GET' }).length;
      expect(await latest(three, 50, before)).toBe('there is no such message in this chat');
      expect(calls()).toBe(0);
    },
  );

  test('before a message of another chat there are none', async () => {
    const { lark, app, ann, tom, three, latest } = await talk();
    const other = lark.addGroup({ name: 'Other', members: [ann, tom], apps: [app] });
    const { messageId: before } = lark.say({ chat: other, from: tom, text: 'elsewhere' });
    expect(await latest(three, 50, before)).toBe('there is no such message in this chat');
  });
});

describe('names', () => {
  const MEMBERS = '/members';
  const CONTACT = '/contact/v3/users/basic_batch';

  test('of a group: its name and those of its members take a call each, once', async () => {
    const { rig, lark, ann, tom, chat } = await group();
    const { surroundings } = surroundingsOf(rig);
    const where = { chatId: chatId(chat.chatId), chatType: 'group' } as const;
    await Promise.all([
      surroundings.findNames(where, [ann.openId]),
      surroundings.findNames(where, [tom.openId]),
    ]);
    await surroundings.findNames(where, [ann.openId, tom.openId]);
    expect([ann.openId, tom.openId, chat.chatId].map((id) => surroundings.nameOf(id))).toEqual([
      'Ann',
      'Tom',
      'Team',
    ]);
    expect(lark.calls({ path: MEMBERS })).toHaveLength(1);
    expect(lark.calls({ path: CONTACT })).toHaveLength(0);
  });

  test('come from the same call as the people whom an answer can call', async () => {
    const { rig, lark, ann, tom, chat } = await group();
    const { gateway, surroundings } = surroundingsOf(rig);
    const id = chatId(chat.chatId);
    const [people] = await Promise.all([
      gateway.membersOf?.(id),
      surroundings.findNames({ chatId: id, chatType: 'group' }, [ann.openId]),
    ]);
    expect(people).toEqual([ann, tom].map(({ openId: one, name }) => ({ openId: one, name })));
    expect(await gateway.membersOf?.(id)).toEqual(people);
    expect(lark.calls({ path: MEMBERS })).toHaveLength(1);
  });

  test('of a group that is too large to be read whole are those read, and nobody can be called', async () => {
    const { rig, lark, chat, ann } = await group();
    for (let at = 0; at < 1_000; at += 1) lark.addMember(chat, lark.addUser({ name: `P${at}` }));
    const { gateway, surroundings } = surroundingsOf(rig);
    const id = chatId(chat.chatId);
    expect(await gateway.membersOf?.(id)).toBeUndefined();
    await surroundings.findNames({ chatId: id, chatType: 'group' }, [ann.openId]);
    expect(surroundings.nameOf(ann.openId)).toBe('Ann');
    expect(lark.calls({ path: MEMBERS })).toHaveLength(10);
    expect(lark.calls({ path: CONTACT })).toHaveLength(0);
  });

  test('of a person in a direct chat come from the contact list', async () => {
    const rig = await startRig();
    const chat = rig.lark.directChat(rig.ann, rig.app);
    const { surroundings } = surroundingsOf(rig);
    const where = { chatId: chatId(chat.chatId), chatType: 'p2p' } as const;
    await surroundings.findNames(where, [rig.ann.openId, 'ou_nobody']);
    await surroundings.findNames(where, [rig.ann.openId, 'ou_nobody']);
    expect(surroundings.nameOf(rig.ann.openId)).toBe('Ann');
    expect(surroundings.nameOf('ou_nobody')).toBeUndefined();
    expect(rig.lark.calls({ path: CONTACT })).toHaveLength(1);
  });

  test('that a mention or an event says cost no call', async () => {
    const { rig, lark, ann, tom, chat } = await group();
    const first = lark.say({ chat, from: ann, text: 'ask {0}', mentions: [tom] });
    const reply = lark.say({ chat, from: ann, text: 'why?', replyTo: first });
    const { gateway, surroundings } = surroundingsOf(rig);
    await surroundings.quotedBy(asInbound(reply));
    gateway.noteName(openId(ann.openId), 'Ann');
    await gateway.botInfo();
    expect([tom.openId, ann.openId, rig.app.appId].map((id) => surroundings.nameOf(id))).toEqual([
      'Tom',
      'Ann',
      'Bridge',
    ]);
    expect(lark.calls({ path: MEMBERS })).toHaveLength(0);
  });

  test('without any permission there are none, the log says so once, and Lark is not asked again', async () => {
    const { rig, lark, app, ann, chat } = await group();
    app.scopes.clear();
    const { gateway, surroundings } = surroundingsOf(rig);
    const where = { chatId: chatId(chat.chatId), chatType: 'group' } as const;
    await surroundings.findNames(where, [ann.openId]);
    const calls = lark.calls({}).length;
    await surroundings.findNames({ ...where, chatId: chatId('oc_2') }, ['ou_2']);
    expect(surroundings.nameOf(ann.openId)).toBeUndefined();
    expect(await gateway.membersOf?.(where.chatId)).toBeUndefined();
    expect(lark.calls({})).toHaveLength(calls);
    const told = rig.log.lines.filter(({ event }) => event === 'names_not_shown');
    expect(told.map(({ source }) => String(source)).toSorted((a, b) => a.localeCompare(b))).toEqual(
      ['chat_get', 'chat_members', 'contact_basic'],
    );
  });

  test('are harmless on one line', async () => {
    const { rig, lark, chat } = await group();
    const name = '<at id=all></at> {0}\u202E\nadmin\u0007';
    const eve = lark.addUser({ name });
    lark.addMember(chat, eve);
    const { surroundings } = surroundingsOf(rig);
    const where = { chatId: chatId(chat.chatId), chatType: 'group' } as const;
    await surroundings.findNames(where, [eve.openId]);
    expect(surroundings.nameOf(eve.openId)).toBe('＜at id=all＞＜/at＞ ｛0｝ admin');
  });
});
