import { describe, expect, test } from 'vitest';
import { chatId, messageId } from '../../../src/core/ids.ts';
import { eventually, type Rig, startRig, withConnection, withGateway } from './rig.ts';

const LIST = '/open-apis/im/v1/messages';

async function readBack(rig: Rig, chat: { chatId: string }, sinceMs = 0) {
  return withGateway(rig).gateway.history(chatId(chat.chatId), sinceMs);
}

test('a direct chat gives the same messages as its events', async () => {
  const rig = await startRig();
  const { lark, ann, app, connection, intake } = withConnection(rig);
  const { gateway } = withGateway(rig);
  await connection.start();
  const chat = lark.directChat(ann, app);
  const asked = lark.say({ chat, from: ann, text: ' first\n\t' });
  lark.say({ chat, from: ann, messageType: 'image', content: { image_key: 'img_v3_1' } });
  await eventually(() => intake.events.length).toBe(2);
  const reply = {
    kind: 'reply',
    chatId: chatId(chat.chatId),
    replyTo: messageId(asked.messageId),
  } as const;
  const sent = await gateway.deliver(
    { ...reply, inThread: false, content: { kind: 'answer', text: 'an answer' } },
    'k',
    'answer',
  );
  if (!sent.ok) throw new Error(sent.detail);

  const messages = await gateway.history(chatId(chat.chatId), 0);
  expect(messages.map(({ inbound }) => inbound)).toEqual([
    ...intake.events.map((event) => ({
      ...(event.kind === 'message' && event.message),
      eventId: '',
      // The history says neither the union id nor the tenant of the app.
      sender: { tenant: app.tenantKey },
    })),
    undefined,
  ]);
  expect(messages[2]).toMatchObject({
    messageId: sent.id,
    own: true,
    deleted: false,
    parentId: asked.messageId,
    text: 'an answer',
  });
  expect(messages.slice(0, 2)).toMatchObject([
    { own: false, text: undefined },
    { own: false, text: undefined },
  ]);
});

test("a group is not read before the bot's id is known", async () => {
  const rig = await startRig();
  const group = rig.lark.addGroup({ name: 'G', members: [rig.ann], apps: [rig.app] });
  const nobody = { ...rig, self: { ...rig.self, botOpenId: undefined } };
  await expect(readBack(nobody, group)).rejects.toMatchObject({ code: 'unreachable' });
});

test('a group gives only messages that mention the bot', async () => {
  const rig = await startRig();
  const { lark, ann, app } = rig;
  app.scopes.add('im:message.group_msg');
  const bob = lark.addUser({ name: 'Bob' });
  const group = lark.addGroup({ name: 'G', members: [ann, bob], apps: [app] });
  lark.say({ chat: group, from: ann, text: 'to nobody' });
  lark.say({ chat: group, from: ann, text: '{0} ask {1}', mentions: [app, bob] });
  const recalled = lark.say({ chat: group, from: ann, text: '{0} oops', mentions: [app] });
  lark.recall(recalled);
  const messages = await readBack(rig, group);
  expect(messages.map(({ inbound }) => inbound?.parts)).toEqual([
    undefined,
    [{ kind: 'text', text: 'ask @Bob' }],
    undefined,
  ]);
  expect(messages.map(({ deleted }) => deleted)).toEqual([false, false, true]);
  expect(messages[1]?.inbound).toMatchObject({ chatType: 'group', senderOpenId: ann.openId });
});

test('all pages are read, oldest first, from the given time', async () => {
  const rig = await startRig();
  const { lark, ann, app } = rig;
  const chat = lark.directChat(ann, app);
  const said = Array.from({ length: 130 }, (_, n) => {
    lark.advance(100);
    return lark.say({ chat, from: ann, text: `${n}` });
  });
  const from = said[17];
  if (from === undefined) throw new Error('nothing was said');
  const messages = await readBack(rig, chat, from.createdAtMs);
  expect(messages.map((message) => message.messageId)).toEqual(
    said.slice(17).map((one) => one.messageId),
  );
  expect(lark.calls({ path: LIST })).toHaveLength(3);
});

describe('a thread', () => {
  async function withThread() {
    const rig = await startRig();
    const { lark, ann, app } = rig;
    app.scopes.add('im:message.group_msg');
    const group = lark.addGroup({ name: 'G', members: [ann], apps: [app] });
    const root = lark.say({ chat: group, from: ann, text: 'a topic' });
    const say = (text: string) => {
      lark.advance(1_000);
      const more = { mentions: [app], replyTo: root, inThread: true };
      return lark.say({ chat: group, from: ann, text: `{0} ${text}`, ...more });
    };
    return { rig, lark, group, root, say };
  }

  test("its messages are not in the chat, and are found by the thread's id, oldest first", async () => {
    const { rig, group, root, say } = await withThread();
    const said = ['one', 'two'].map(say);
    const inChat = await readBack(rig, group);
    expect(inChat.map((message) => message.messageId)).toEqual([root.messageId]);
    // The chat's history tells that there is a thread.
    expect(inChat[0]?.threadId).toBe(said[0]?.threadId);
    const { gateway } = withGateway(rig);
    const inThread = await gateway.history(chatId(group.chatId), 0, said[0]?.threadId);
    expect(inThread.map((message) => message.messageId)).toEqual(
      [root, ...said].map((message) => message.messageId),
    );
    expect(inThread[2]?.inbound).toMatchObject({
      chatId: group.chatId,
      chatType: 'group',
      threadId: said[0]?.threadId,
      parts: [{ kind: 'text', text: 'two' }],
    });
  });

  test('a long one is read from its end, back to the given time', async () => {
    const { rig, lark, group, say } = await withThread();
    const said = Array.from({ length: 170 }, (_, at) => say(`${at}`));
    const from = said[110];
    if (from?.threadId === undefined) throw new Error('nothing was said');
    const { gateway } = withGateway(rig);
    const inThread = await gateway.history(chatId(group.chatId), from.createdAtMs, from.threadId);
    expect(inThread.map((message) => message.messageId)).toEqual(
      said.slice(110).map((message) => message.messageId),
    );
    expect(lark.calls({ path: LIST })).toHaveLength(2);
  });

  test('a thread that does not exist is an error that names the cause', async () => {
    const { rig, group } = await withThread();
    const { gateway } = withGateway(rig);
    const reading = gateway.history(chatId(group.chatId), 0, 'omt_none');
    await expect(reading).rejects.toMatchObject({ code: 'failed' });
  });
});

test('the kind of a chat is asked for once', async () => {
  const rig = withGateway(await startRig());
  const chat = rig.lark.directChat(rig.ann, rig.app);
  for (let n = 0; n < 3; n++) await rig.gateway.history(chatId(chat.chatId), 0);
  expect(rig.lark.calls({ path: '/open-apis/im/v1/chats/' })).toHaveLength(1);
});

test('refusals are errors that name the cause', async () => {
  const rig = withGateway(await startRig());
  const { lark, ann, app, gateway } = rig;
  const group = lark.addGroup({ name: 'G', members: [ann], apps: [app] });
  lark.faults.inject({
    kind: 'business_error',
    code: 230027,
    msg: 'Lack of permission',
    path: LIST,
  });
  await expect(gateway.history(chatId(group.chatId), 0)).rejects.toMatchObject({
    code: 'access_denied',
  });
  lark.faults.inject({ kind: 'html_502', path: LIST });
  await expect(gateway.history(chatId(group.chatId), 0)).rejects.toMatchObject({
    code: 'unreachable',
  });
  lark.removeBot(group, app, ann);
  await expect(gateway.history(chatId(group.chatId), 0)).rejects.toMatchObject({
    code: 'access_denied',
  });
  await expect(gateway.history(chatId('../x'), 0)).rejects.toMatchObject({ code: 'failed' });
});

test('an edited message says what it says now, and when it was changed', async () => {
  const rig = await startRig();
  const chat = rig.lark.directChat(rig.ann, rig.app);
  const said = rig.lark.say({ chat, from: rig.ann, text: 'first' });
  rig.lark.edit(said.messageId, { text: 'second' });
  const [read] = await readBack(rig, chat);
  expect(read?.inbound).toMatchObject({
    parts: [{ kind: 'text', text: 'second' }],
    edited: { atMs: said.updatedAtMs },
  });
});
