import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import type { SimApp, SimChat, SimUser } from '../../../src/sim/world/model.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';

/** What these tests use of Satori, a client of Lark that shares no code with the official SDK. */
interface Session {
  readonly content: string;
  readonly isDirect: boolean;
  readonly channelId: string;
  readonly userId: string;
  readonly quote?: { readonly id: string; readonly content: string };
  readonly event: { readonly referrer: unknown };
}

interface Bot {
  readonly selfId: string;
  sendMessage(chatId: string, content: unknown, referrer: unknown): Promise<readonly string[]>;
  getGuildMemberList(chatId: string): Promise<{ data: { name: string }[] }>;
  getGuildList(): Promise<{ data: { id: string; name: string }[] }>;
  editMessage(chatId: string, messageId: string, content: string): Promise<void>;
  deleteMessage(chatId: string, messageId: string): Promise<void>;
}

interface Context {
  readonly bots: readonly Bot[];
  plugin(plugin: unknown, options: object): { dispose(): boolean };
  on(event: 'message', listen: (session: Session) => void): void;
  start(): Promise<void>;
  stop(): Promise<void>;
}

interface Satori {
  readonly Context: new () => Context;
  readonly HTTP: unknown;
  readonly Logger: { readonly levels: { base: number } };
  readonly h: {
    image(bytes: Buffer, type: string): unknown;
    file(bytes: Buffer, type: string, attrs: object): unknown;
  };
}

const require = createRequire(import.meta.url);
const { Context, HTTP, Logger, h } = require('@satorijs/core') as Satori;
const { LarkBot } = require('@satorijs/adapter-lark') as { LarkBot: unknown };
Logger.levels.base = 0;

let lark: LarkCloud;
let app: SimApp;
let ada: SimUser;
let direct: SimChat;
let group: SimChat;
let client: Client;

/** Satori with its Lark adapter, and the messages that it got. */
class Client {
  readonly heard: Session[] = [];
  readonly #context = new Context();
  readonly #adapter: { dispose(): boolean };

  constructor() {
    this.#context.plugin(HTTP, {});
    this.#adapter = this.#context.plugin(LarkBot, {
      protocol: 'ws',
      platform: 'feishu',
      appId: app.appId,
      appSecret: app.appSecret,
      endpoint: `${lark.openBaseUrl}/open-apis`,
      retryTimes: 100,
      retryInterval: 10,
      retryLazy: 10,
    });
    this.#context.on('message', (session) => {
      this.heard.push(session);
      lark.cloud.changes.notify();
    });
  }

  get bot(): Bot {
    const [bot] = this.#context.bots;
    if (bot === undefined) throw new Error('the adapter made no bot');
    return bot;
  }

  async start(): Promise<void> {
    await this.#context.start();
    await lark.waitFor(() => lark.online(app) === 1);
  }

  /** The next message that it got. Every message is returned once. */
  next(): Promise<Session> {
    return lark.waitFor(() => this.heard.shift());
  }

  /** Answers in the chat of the message. Returns the ids of the sent messages. */
  answer(to: Session, content: unknown): Promise<readonly string[]> {
    return this.bot.sendMessage(to.channelId, content, to.event.referrer);
  }

  async stop(): Promise<void> {
    this.#adapter.dispose();
    await this.#context.stop();
  }
}

beforeEach(async () => {
  lark = await startLarkCloud();
  app = lark.addApp({ name: 'Bot' });
  ada = lark.addUser({ name: 'Ada' });
  direct = lark.directChat(ada, app);
  group = lark.addGroup({ name: 'Team', members: [ada], apps: [app] });
  client = new Client();
  await client.start();
});

afterEach(async () => {
  await client.stop();
  await lark.stop();
});

function texts(chat: SimChat): string[] {
  return lark.shows(chat).map(({ from, text }) => `${from} ${text}`);
}

describe('an independent client, unchanged', () => {
  test('connects, gets a direct message and a mention, and answers each in its chat', async () => {
    expect(client.bot.selfId).toBe(app.botOpenId);
    lark.say({ chat: direct, from: ada, text: 'hello' });
    const message = await client.next();
    expect(message).toMatchObject({
      content: 'hello',
      isDirect: true,
      userId: ada.openId,
      channelId: direct.chatId,
    });
    await client.answer(message, 'hello yourself');
    lark.say({ chat: group, from: ada, text: '{0} all well?', mentions: [app] });
    const mention = await client.next();
    expect(mention).toMatchObject({ isDirect: false, channelId: group.chatId });
    expect(mention.content).toContain(`<at id="${app.botOpenId}" name="Bot"/> all well?`);
    await client.answer(mention, 'all well');
    expect(texts(direct)).toEqual(['user:Ada hello', `app:${app.appId} hello yourself`]);
    expect(texts(group)).toEqual(['user:Ada @Bot all well?', `app:${app.appId} all well`]);
    expect(lark.deliveries({ appId: app.appId }).map(({ acked, tries }) => [acked, tries])).toEqual(
      [
        [true, 1],
        [true, 1],
      ],
    );
  });

  test('mentions people by name', async () => {
    lark.say({ chat: group, from: ada, text: '{0} who am I?', mentions: [app] });
    await client.answer(await client.next(), `you are <at id="${ada.openId}"/>`);
    expect(texts(group).at(-1)).toBe(`app:${app.appId} you are @Ada`);
  });

  test('gets no messages that are not for the bot', async () => {
    lark.say({ chat: group, from: ada, text: 'just talking' });
    lark.say({ chat: direct, from: ada, text: 'for you' });
    expect((await client.next()).content).toBe('for you');
    expect(client.heard).toEqual([]);
  });

  test('answers in the thread of the question, and reads the quoted message', async () => {
    // To read messages of a group, the app needs the sensitive scope.
    app.scopes.add('im:message.group_msg');
    const first = lark.say({ chat: group, from: ada, text: '{0} start', mentions: [app] });
    await client.next();
    const inThread = { replyTo: first, inThread: true, mentions: [app] };
    const question = lark.say({ chat: group, from: ada, text: '{0} more', ...inThread });
    const heard = await client.next();
    expect(heard.quote).toMatchObject({ id: first.messageId });
    await client.answer(heard, 'in here');
    const answer = lark.shows(group).at(-1);
    expect(answer).toMatchObject({ text: 'in here', threadId: question.threadId });
  });

  test('sends pictures and files', async () => {
    lark.say({ chat: direct, from: ada, text: 'show me' });
    const session = await client.next();
    const png = Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010806000000', 'hex');
    await client.answer(session, h.image(png, 'image/png'));
    await client.answer(
      session,
      h.file(Buffer.from('notes'), 'text/plain', { title: 'notes.txt' }),
    );
    expect(lark.shows(direct).map(({ type }) => type)).toEqual(['text', 'post', 'file']);
    const uploads = [...lark.world.uploads.values()];
    expect(uploads.map(({ kind }) => kind)).toEqual(['image', 'file']);
    expect(uploads[0]?.bytes).toEqual(png);
    expect(uploads[1]?.bytes.toString()).toBe('notes');
  });

  test('edits and recalls its own messages', async () => {
    lark.say({ chat: direct, from: ada, text: 'hi' });
    const session = await client.next();
    const [messageId = ''] = await client.answer(session, 'frist');
    await client.bot.editMessage(direct.chatId, messageId, 'first');
    expect(lark.shows(direct).at(-1)).toMatchObject({ text: 'first', edits: 1 });
    await client.bot.deleteMessage(direct.chatId, messageId);
    expect(lark.shows(direct).at(-1)?.recalled).toBe(true);
  });

  test('lists its groups and their members', async () => {
    expect((await client.bot.getGuildList()).data).toMatchObject([
      { id: group.chatId, name: 'Team' },
    ]);
    expect((await client.bot.getGuildMemberList(group.chatId)).data).toMatchObject([
      { name: 'Ada' },
    ]);
  });

  test('reconnects after the connection was closed, and gets the messages from the time between', async () => {
    expect(lark.kick()).toBe(1);
    lark.say({ chat: direct, from: ada, text: 'still there?' });
    const bootstraps = () => lark.calls({ path: '/callback/ws/endpoint' }).length;
    await lark.waitFor(() => bootstraps() === 2 && lark.online(app) === 1);
    // The frame may be lost with the old connection. The platform sends it again later.
    lark.redeliverNow(app);
    const heard = await client.next();
    await client.answer(heard, 'still here');
    expect(texts(direct)).toEqual(['user:Ada still there?', `app:${app.appId} still here`]);
  });
});
