import { expect, test } from 'vitest';
import { chatId, messageId } from '../../../src/core/ids.ts';
import { eventually, type Rig, startRig, withConnection, withGateway } from './rig.ts';

const LIST = '/open-apis/im/v1/messages';

async function readBack(rig: Rig, chat: { chatId: string }, sinceMs = 0) {
  return withGateway(rig).gateway.history(chatId(chat.chatId), sinceMs);
}

test('a direct chat: what the live events would have given', async () => {
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
    { ...reply, inThread: false, content: { kind: 'text', text: 'an answer' } },
    'k',
    'answer',
  );
  if (!sent.ok) throw new Error(sent.detail);

  const messages = await gateway.history(chatId(chat.chatId), 0);
  expect(messages.map(({ inbound }) => inbound)).toEqual([
    ...intake.events.map((event) => ({
      ...(event.kind === 'message' && event.message),
      eventId: '',
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

test('a group is not read before the bot knows itself', async () => {
  const rig = await startRig();
  const group = rig.lark.addGroup({ name: 'G', members: [rig.ann], apps: [rig.app] });
  const nobody = { ...rig, self: { ...rig.self, botOpenId: undefined } };
  await expect(readBack(nobody, group)).rejects.toMatchObject({ code: 'unreachable' });
});

test('a group: only what mentions the bot would have come', async () => {
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

test('page after page, oldest first, from the moment asked for', async () => {
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

test('the kind of a chat is asked for once', async () => {
  const rig = withGateway(await startRig());
  const chat = rig.lark.directChat(rig.ann, rig.app);
  for (let n = 0; n < 3; n++) await rig.gateway.history(chatId(chat.chatId), 0);
  expect(rig.lark.calls({ path: '/open-apis/im/v1/chats/' })).toHaveLength(1);
});

test('refusals are errors with a name', async () => {
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
