import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CardActionEvent, LarkChannel, NormalizedMessage } from '@larksuiteoapi/node-sdk';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import type { SimApp, SimChat, SimUser } from '../../../src/sim/world/model.ts';
import { sdk, silentLogger } from './sdk-client.ts';

/** The SDK's own high-level client, unchanged. */

let lark: LarkCloud;
let app: SimApp;
let ada: SimUser;
let direct: SimChat;
let group: SimChat;
let channel: LarkChannel;
let heard: NormalizedMessage[];

beforeEach(async () => {
  lark = await startLarkCloud();
  app = lark.addApp({ name: 'Bot' });
  ada = lark.addUser({ name: 'Ada' });
  direct = lark.directChat(ada, app);
  group = lark.addGroup({ name: 'Team', members: [ada], apps: [app] });
  heard = [];
  channel = sdk.createLarkChannel({
    appId: app.appId,
    appSecret: app.appSecret,
    domain: lark.openBaseUrl,
    transport: 'websocket',
    logger: silentLogger,
    // By default it holds every text back for 600 ms, to join several of them.
    safety: { batch: { text: { delayMs: 0 } } },
  });
  channel.on('message', (message) => {
    heard.push(message);
    lark.cloud.changes.notify();
  });
  await channel.connect();
});

afterEach(async () => {
  await channel.disconnect();
  await lark.stop();
});

const next = () => lark.waitFor(() => heard.shift());

const PNG = Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010806000000', 'hex');

describe('LarkChannel, unchanged', () => {
  test('knows its own name, gets a direct message and a mention, and answers each', async () => {
    expect(channel.botIdentity).toMatchObject({ openId: app.botOpenId, name: 'Bot' });
    lark.say({ chat: direct, from: ada, text: 'hello' });
    const message = await next();
    expect(message).toMatchObject({ content: 'hello', chatType: 'p2p', senderId: ada.openId });
    await channel.send(message.chatId, { text: 'hello yourself' });
    const asked = lark.say({ chat: group, from: ada, text: '{0} all well?', mentions: [app] });
    const mention = await next();
    expect(mention).toMatchObject({ content: 'all well?', mentionedBot: true, chatType: 'group' });
    await channel.send(
      mention.chatId,
      { markdown: '**all** well' },
      { replyTo: mention.messageId },
    );
    expect(lark.shows(direct).at(-1)?.text).toBe('hello yourself');
    const answer = lark.shows(group).at(-1);
    expect(answer).toMatchObject({ from: `app:${app.appId}`, replyTo: asked.messageId });
    expect(answer?.text).toContain('well');
  });

  test('gets no messages that are not for the bot', async () => {
    lark.say({ chat: group, from: ada, text: 'just talking' });
    lark.say({ chat: direct, from: ada, text: 'for you' });
    expect((await next()).content).toBe('for you');
    expect(heard).toEqual([]);
  });

  test('answers in the thread of the question', async () => {
    const root = lark.say({ chat: group, from: ada, text: 'start' });
    const question = { chat: group, from: ada, mentions: [app], text: '{0} more' };
    const { threadId } = lark.say({ ...question, replyTo: root, inThread: true });
    const { messageId, chatId } = await next();
    await channel.send(chatId, { text: 'in here' }, { replyTo: messageId, replyInThread: true });
    expect(lark.shows(group).at(-1)).toMatchObject({ text: 'in here', threadId });
  });

  test('sends pictures and files, and downloads its own', async () => {
    await channel.send(direct.chatId, { image: { source: PNG } });
    await channel.send(direct.chatId, {
      file: { source: Buffer.from('notes'), fileName: 'notes.txt' },
    });
    expect(lark.shows(direct).map(({ type }) => type)).toEqual(['image', 'file']);
    const [image, file] = [...lark.world.uploads.values()];
    expect(await channel.downloadResource(image?.key ?? '', 'image')).toEqual(PNG);
    const notes = await channel.downloadResource(file?.key ?? '', 'file');
    expect(notes.toString()).toBe('notes');
  });

  test("gets a person's picture only through the message, as on the platform", async () => {
    const owner = { kind: 'user', openId: ada.openId } as const;
    const { key } = lark.addUpload({ kind: 'image', owner, bytes: PNG });
    const content = { image_key: key };
    lark.say({ chat: direct, from: ada, messageType: 'image', content });
    const { messageId, resources } = await next();
    expect(resources).toMatchObject([{ type: 'image', fileKey: key }]);
    await expect(channel.downloadResource(key, 'image')).rejects.toThrow();
    expect(lark.calls({ path: '/images/' }).at(-1)?.code).toBe(234008);
    const resource = await channel.rawClient.im.v1.messageResource.get({
      path: { message_id: messageId, file_key: key },
      params: { type: 'image' },
    });
    const chunks: Buffer[] = [];
    for await (const chunk of resource.getReadableStream()) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks)).toEqual(PNG);
  });

  test('edits, reacts, recalls, and lists its chats', async () => {
    const { messageId } = await channel.send(direct.chatId, { text: 'frist' });
    await channel.editMessage(messageId, 'first');
    await channel.addReaction(messageId, 'OK');
    expect(lark.shows(direct).at(-1)).toMatchObject({
      text: 'first',
      edits: 1,
      reactions: [{ emoji: 'OK' }],
    });
    expect(await channel.removeReactionByEmoji(messageId, 'OK')).toBe(true);
    await channel.recallMessage(messageId);
    expect(lark.shows(direct).at(-1)).toMatchObject({ recalled: true, reactions: [] });
    expect(await channel.getChatMode(group.chatId)).toBe('group');
    expect(await channel.getChatInfo(group.chatId)).toMatchObject({ name: 'Team' });
  });

  test('streams an answer into a card, and gets a press of its button', async () => {
    await channel.stream(direct.chatId, {
      markdown: async (controller) => {
        await controller.setContent('one');
        await controller.setContent('one, two');
      },
    });
    expect(lark.shows(direct).at(-1)).toMatchObject({ type: 'interactive', text: 'one, two' });
    const pressed = new Promise<CardActionEvent>((resolve) => channel.on('cardAction', resolve));
    const button = {
      tag: 'button',
      text: { tag: 'plain_text', content: 'Go' },
      behaviors: [{ type: 'callback', value: { go: 1 } }],
    };
    const card = { schema: '2.0', body: { elements: [button] } };
    const { messageId } = await channel.send(direct.chatId, { card });
    expect(await lark.pressButton({ messageId, from: ada, value: { go: 1 } })).toEqual({
      ok: true,
    });
    expect(await pressed).toMatchObject({ messageId, action: { value: { go: 1 } } });
  });
});
