import { createMemoryState } from '@chat-adapter/state-memory';
import { createLarkAdapter } from '@larksuite/vercel-chat-adapter';
import { Chat, type Message, type Thread } from 'chat';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import type { SimApp, SimChat, SimUser } from '../../../src/sim/world/model.ts';
import { sdk } from './sdk-client.ts';

/** Vercel's Chat SDK with its Lark adapter, unchanged: only the address is ours. */

interface Heard {
  readonly kind: 'direct' | 'mention' | 'followed';
  readonly thread: Thread;
  readonly message: Message;
}

let lark: LarkCloud;
let app: SimApp;
let ada: SimUser;
let direct: SimChat;
let group: SimChat;
let bot: Chat;
let heard: Heard[];

beforeEach(async () => {
  lark = await startLarkCloud();
  app = lark.addApp({ name: 'Bot' });
  ada = lark.addUser({ name: 'Ada' });
  direct = lark.directChat(ada, app);
  group = lark.addGroup({ name: 'Team', members: [ada], apps: [app] });
  heard = [];
  const adapter = createLarkAdapter({
    appId: app.appId,
    appSecret: app.appSecret,
    channelFactory: (options) => sdk.createLarkChannel({ ...options, domain: lark.openBaseUrl }),
  });
  bot = new Chat({
    userName: 'bot',
    adapters: { lark: adapter },
    state: createMemoryState(),
    logger: 'silent',
  });
  const hear = (kind: Heard['kind']) => (thread: Thread, message: Message) => {
    heard.push({ kind, thread, message });
    lark.cloud.changes.notify();
  };
  bot.onDirectMessage(hear('direct'));
  bot.onNewMention(hear('mention'));
  bot.onSubscribedMessage(hear('followed'));
  await bot.initialize();
  await lark.waitFor(() => lark.online(app) === 1);
});

afterEach(async () => {
  await bot.shutdown();
  await lark.stop();
});

const next = () => lark.waitFor(() => heard.shift());

describe('@larksuite/vercel-chat-adapter, unchanged', () => {
  test('gets a direct message, and answers it', async () => {
    const asked = lark.say({ chat: direct, from: ada, text: 'hello' });
    const { kind, thread, message } = await next();
    expect([kind, message.text, message.author.userId]).toEqual(['direct', 'hello', ada.openId]);
    await thread.post('hello yourself');
    expect(lark.shows(direct).at(-1)).toMatchObject({
      text: 'hello yourself',
      from: `app:${app.appId}`,
      replyTo: asked.messageId,
    });
  });

  test('gets a mention, and no messages that are not for the bot', async () => {
    lark.say({ chat: group, from: ada, text: 'just talking' });
    const asked = lark.say({ chat: group, from: ada, text: '{0} all well?', mentions: [app] });
    const { kind, thread, message } = await next();
    expect([kind, message.text]).toEqual(['mention', 'all well?']);
    await thread.post({ markdown: 'all **well**' });
    expect(lark.shows(group).at(-1)).toMatchObject({ type: 'post', replyTo: asked.messageId });
    expect(heard).toEqual([]);
  });

  test('answers in the thread of the question, and gets what follows in it', async () => {
    const root = lark.say({ chat: group, from: ada, text: 'start' });
    const inThread = { chat: group, from: ada, replyTo: root, inThread: true, mentions: [app] };
    const { threadId } = lark.say({ ...inThread, text: '{0} first' });
    const { thread } = await next();
    await thread.subscribe();
    await thread.post('in here');
    expect(lark.shows(group).at(-1)).toMatchObject({ text: 'in here', threadId });
    lark.say({ ...inThread, text: '{0} second' });
    expect(await next()).toMatchObject({ kind: 'followed', message: { text: 'second' } });
  });

  test('edits, recalls and reacts', async () => {
    lark.say({ chat: direct, from: ada, text: 'hi' });
    const { thread } = await next();
    const sent = await thread.post('frist');
    await sent.addReaction('OK');
    await sent.edit('first');
    expect(lark.shows(direct).at(-1)).toMatchObject({
      text: 'first',
      edits: 1,
      reactions: [{ emoji: 'OK' }],
    });
    await sent.delete();
    expect(lark.shows(direct).at(-1)?.recalled).toBe(true);
  });

  test('streams an answer', async () => {
    lark.say({ chat: direct, from: ada, text: 'tell me' });
    const { thread } = await next();
    await thread.post(
      (async function* () {
        yield 'once ';
        yield 'upon a time';
      })(),
    );
    expect(lark.shows(direct).at(-1)).toMatchObject({
      type: 'interactive',
      text: 'once upon a time',
    });
  });

  test('reads earlier messages', async () => {
    lark.say({ chat: direct, from: ada, text: 'one' });
    lark.say({ chat: direct, from: ada, text: 'two' });
    const { thread } = await next();
    const { messages } = await thread.adapter.fetchMessages(thread.id);
    expect(messages.map(({ text }) => text)).toEqual(['two', 'one']);
  });
});
