import type { Client } from '@larksuiteoapi/node-sdk';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import type { SimApp, SimChat, SimUser } from '../../../src/sim/world/model.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import { codeOf, createClient, refusalOf } from './sdk-client.ts';

let lark: LarkCloud;
let app: SimApp;
let ada: SimUser;
let direct: SimChat;
let group: SimChat;
let client: Client;

beforeEach(async () => {
  lark = await startLarkCloud({ rateLimits: false });
  app = lark.addApp({ name: 'Helper' });
  ada = lark.addUser({ name: 'Ada' });
  direct = lark.directChat(ada, app);
  group = lark.addGroup({ name: 'Team', members: [ada], apps: [app] });
  client = createClient(lark, app);
});

afterEach(() => lark.stop());

const text = (words: string) => JSON.stringify({ text: words });

function send(content: string, options: { chat?: SimChat; type?: string; uuid?: string } = {}) {
  const { chat = direct, type = 'text', uuid } = options;
  return client.im.v1.message.create({
    params: { receive_id_type: 'chat_id' },
    data: { receive_id: chat.chatId, msg_type: type, content, ...(uuid && { uuid }) },
  });
}

function reply(messageId: string, data: { inThread?: boolean; uuid?: string } = {}) {
  return client.im.v1.message.reply({
    path: { message_id: messageId },
    data: {
      msg_type: 'text',
      content: text('answer'),
      ...(data.inThread !== undefined && { reply_in_thread: data.inThread }),
      ...(data.uuid && { uuid: data.uuid }),
    },
  });
}

const idOf = async (call: ReturnType<typeof send>) => (await call).data?.message_id ?? '';
const say = (chat = direct) => lark.say({ chat, from: ada, text: 'question' });

describe('create', () => {
  test('returns the message object', async () => {
    const { code, data } = await send(text('hi'));
    expect(code).toBe(0);
    expect(data).toMatchObject({
      message_id: expect.stringMatching(/^om_[0-9a-f]{32}$/),
      msg_type: 'text',
      deleted: false,
      updated: false,
      chat_id: direct.chatId,
      sender: { id: app.appId, id_type: 'app_id', sender_type: 'app' },
      body: { content: text('hi') },
    });
    expect(data).not.toHaveProperty('thread_id');
    expect(lark.shows(direct)).toMatchObject([{ from: `app:${app.appId}`, text: 'hi' }]);
  });

  test.each([
    ['open_id', () => ada.openId],
    ['union_id', () => ada.unionId],
    ['user_id', () => ada.userId],
    ['email', () => ada.email],
  ] as const)('finds a person by %s', async (type, id) => {
    const { data } = await client.im.v1.message.create({
      params: { receive_id_type: type },
      data: { receive_id: id(), msg_type: 'text', content: text('hi') },
    });
    expect(data?.chat_id).toBe(direct.chatId);
  });

  test('converts tags to mentions', async () => {
    const { data } = await send(text(`<at user_id="${ada.openId}">Ada</at> and you`), {
      chat: group,
    });
    expect(data).toMatchObject({
      body: { content: text('@_user_1 and you') },
      mentions: [{ key: '@_user_1', id: ada.openId, id_type: 'open_id', name: 'Ada' }],
    });
    expect(lark.shows(group)[0]?.text).toBe('@Ada and you');
  });

  test('converts Markdown in posts for people and the history', async () => {
    const md = 'Hello\n\n```ts\nconst a = 1;\n```\nBye';
    const post = { zh_cn: { title: '', content: [[{ tag: 'md', text: md }]] } };
    const { data } = await send(JSON.stringify(post), { type: 'post' });
    const shown = JSON.parse(data?.body?.content ?? '') as { content: { tag: string }[][] };
    expect(shown.content.flat().map(({ tag }) => tag)).toEqual([
      'text',
      'text',
      'code_block',
      'text',
    ]);
    expect(lark.shows(direct)[0]?.text).toBe('Hello\n\nconst a = 1;\nBye');
  });

  test('sends files that the app has uploaded, with the matching type', async () => {
    const owner = { kind: 'app', appId: app.appId } as const;
    const bytes = Buffer.from('x');
    const pdf = lark.addUpload({ kind: 'file', owner, bytes, fileType: 'pdf', fileName: 'a.pdf' });
    const foreign = lark.addUpload({
      kind: 'file',
      owner: { kind: 'user', openId: ada.openId },
      bytes,
    });
    const file = (key: string) => JSON.stringify({ file_key: key });
    await send(file(pdf.key), { type: 'file' });
    expect(lark.shows(direct)[0]?.text).toBe('[file a.pdf]');
    expect(await codeOf(send(file(pdf.key), { type: 'audio' }))).toBe(230055);
    expect(await codeOf(send(file(foreign.key), { type: 'file' }))).toBe(230017);
    expect(await codeOf(send(file('file_v3_none'), { type: 'file' }))).toBe(230001);
  });

  test.each([
    ['no JSON', 'text', '{', 230001],
    ['an empty text', 'text', '{"text":""}', 230001],
    ['an unknown type', 'hologram', '{}', 230001],
    ['a post without locale', 'post', '{}', 230001],
    ['a post with an unknown tag', 'post', '{"en_us":{"content":[[{"tag":"b"}]]}}', 230001],
    ['a card that is no JSON', 'interactive', '{', 230099],
    ['a card entity that is not there', 'interactive', '{"type":"card","data":{}}', 230099],
    ['a text over 150 KB', 'text', text('x'.repeat(150 * 1024)), 230025],
    [
      'a post over 30 KB',
      'post',
      JSON.stringify({ en_us: { content: [[{ tag: 'md', text: 'x'.repeat(30 * 1024) }]] } }),
      230025,
    ],
  ])('refuses %s', async (_what, type, content, code) => {
    expect(await codeOf(send(content, { type }))).toBe(code);
    expect(lark.shows(direct)).toEqual([]);
  });

  test('accepts a text of almost 150 KB', async () => {
    expect((await send(text('x'.repeat(149 * 1024)))).code).toBe(0);
  });

  test('refuses chats without the bot, dissolved chats and unknown chats', async () => {
    const elsewhere = lark.addGroup({ name: 'Elsewhere', members: [ada] });
    expect(await codeOf(send(text('hi'), { chat: elsewhere }))).toBe(230002);
    lark.dissolve(group, ada);
    expect(await codeOf(send(text('hi'), { chat: group }))).toBe(232009);
    expect(await codeOf(send(text('hi'), { chat: { ...group, chatId: 'oc_none' } }))).toBe(230034);
    app.botEnabled = false;
    expect(await codeOf(send(text('hi')))).toBe(230006);
  });

  test('refuses calls that the app has no scope for, and names the scopes', async () => {
    app.scopes.delete('im:message:send_as_bot');
    expect(await refusalOf(send(text('hi')))).toMatchObject({
      code: 99991672,
      error: {
        permission_violations: expect.arrayContaining([
          { type: 'action_scope_required', subject: 'im:message:send_as_bot' },
        ]),
      },
    });
  });

  test('refuses calls without required fields', async () => {
    const bad = client.im.v1.message.create({
      params: { receive_id_type: 'nickname' as 'open_id' },
      data: { receive_id: 'x', msg_type: 'text', content: text('x') },
    });
    expect(await refusalOf(bad)).toMatchObject({
      code: 99992402,
      error: { log_id: expect.any(String), field_violations: [{ field: 'receive_id_type' }] },
    });
  });
});

describe('uuid', () => {
  test('for an hour the same uuid returns the first message, whatever the content is', async () => {
    const first = await idOf(send(text('one'), { uuid: 'u1' }));
    expect(await idOf(send(text('two'), { uuid: 'u1' }))).toBe(first);
    lark.advance(3_599_000);
    expect(await idOf(send(text('one'), { uuid: 'u1' }))).toBe(first);
    expect(lark.shows(direct)).toHaveLength(1);
    lark.advance(2_000);
    expect(await idOf(send(text('one'), { uuid: 'u1' }))).not.toBe(first);
    expect(lark.shows(direct)).toHaveLength(2);
  });

  test('counts for replies too, and for each app by itself', async () => {
    const question = say(group);
    const first = await idOf(reply(question.messageId, { uuid: 'u1' }));
    expect(await idOf(reply(question.messageId, { uuid: 'u1' }))).toBe(first);
    const other = lark.addApp();
    group.bots.add(other.appId);
    const { data } = await createClient(lark, other).im.v1.message.reply({
      path: { message_id: question.messageId },
      data: { msg_type: 'text', content: text('me too'), uuid: 'u1' },
    });
    expect(data?.message_id).not.toBe(first);
  });

  test('230049 while the first call with it is not finished', async () => {
    lark.faults.inject({ kind: 'response_slow', path: '/im/v1/messages', delayMs: 200 });
    const slow = send(text('hi'), { uuid: 'u1' });
    await lark.waitFor(() => lark.faults.counts().response_slow);
    expect(await codeOf(send(text('hi'), { uuid: 'u1' }))).toBe(230049);
    const messageId = await idOf(slow);
    expect(await idOf(send(text('hi'), { uuid: 'u1' }))).toBe(messageId);
    expect(lark.shows(direct)).toHaveLength(1);
  });

  test('at most 50 characters', async () => {
    expect(await codeOf(send(text('hi'), { uuid: 'x'.repeat(51) }))).toBe(99992402);
  });

  test('is in the record of the call', async () => {
    await send(text('hi'), { uuid: 'u1' });
    expect(lark.calls({ path: '/im/v1/messages' })).toMatchObject([
      { method: 'POST', status: 200, code: 0, appId: app.appId, uuid: 'u1' },
    ]);
  });
});

describe('reply', () => {
  test('has parent and root, and opens a thread only if asked', async () => {
    const question = say();
    const { data } = await reply(question.messageId, { inThread: false });
    expect(data).toMatchObject({
      root_id: question.messageId,
      parent_id: question.messageId,
    });
    expect(data).not.toHaveProperty('thread_id');
    expect(lark.shows(direct).at(-1)?.replyTo).toBe(question.messageId);
  });

  test('opens a thread under the question, and stays in it', async () => {
    const question = say(group);
    const { data } = await reply(question.messageId, { inThread: true });
    expect(data?.thread_id).toMatch(/^omt_/);
    expect(question.threadId).toBe(data?.thread_id);
    const again = await reply(data?.message_id ?? '');
    expect(again.data).toMatchObject({
      thread_id: data?.thread_id,
      root_id: question.messageId,
      parent_id: question.messageId,
    });
  });

  test('is refused for recalled, unknown and malformed messages', async () => {
    const question = say();
    lark.recall(question);
    expect(await codeOf(reply(question.messageId))).toBe(230011);
    expect(await codeOf(reply(`om_${'0'.repeat(32)}`))).toBe(230110);
    expect(await codeOf(reply('7'))).toBe(230001);
  });
});

describe('get and recall', () => {
  test('get returns the message, recalled or not', async () => {
    const question = say();
    const get = () => client.im.v1.message.get({ path: { message_id: question.messageId } });
    expect((await get()).data?.items).toMatchObject([
      {
        message_id: question.messageId,
        sender: { id: ada.openId, id_type: 'open_id', sender_type: 'user' },
        body: { content: text('question') },
        deleted: false,
      },
    ]);
    lark.recall(question);
    expect((await get()).data?.items).toMatchObject([
      { deleted: true, body: { content: 'This message was recalled' } },
    ]);
  });

  test('get in a group needs the sensitive scope', async () => {
    const question = say(group);
    const get = () => client.im.v1.message.get({ path: { message_id: question.messageId } });
    expect(await codeOf(get())).toBe(230027);
    app.scopes.add('im:message.group_msg');
    expect((await get()).code).toBe(0);
  });

  test('get returns a forwarded bundle with its parts', async () => {
    const bundle = lark.say({
      chat: direct,
      from: ada,
      messageType: 'merge_forward',
      content: { content: 'Merged and Forwarded Message' },
    });
    const part = lark.say({ chat: direct, from: ada, text: 'inner', partOf: bundle });
    const { data } = await client.im.v1.message.get({ path: { message_id: bundle.messageId } });
    expect(data?.items).toMatchObject([
      { message_id: bundle.messageId, msg_type: 'merge_forward' },
      { message_id: part.messageId, upper_message_id: bundle.messageId },
    ]);
    expect(lark.deliveries()).toHaveLength(1);
  });

  test('get returns only the text of cards, or the cards as they were sent', async () => {
    const card = {
      schema: '2.0',
      body: { elements: [{ tag: 'markdown', content: 'Hi **you**' }] },
    };
    const messageId = await idOf(send(JSON.stringify(card), { type: 'interactive' }));
    const get = (params: object) =>
      client.im.v1.message.get({ path: { message_id: messageId }, params });
    const content = async (params: object) =>
      JSON.parse((await get(params)).data?.items?.[0]?.body?.content ?? '') as unknown;
    expect(await content({})).toEqual({
      title: null,
      elements: [[{ tag: 'text', text: 'Hi **you**' }]],
    });
    expect(await content({ card_msg_content_type: 'user_card_content' })).toEqual(card);
  });

  test('an app can recall its own messages, once, for a day', async () => {
    const recall = (messageId: string) =>
      client.im.v1.message.delete({ path: { message_id: messageId } });
    const messageId = await idOf(send(text('oops')));
    expect((await recall(messageId)).code).toBe(0);
    expect(lark.shows(direct)).toMatchObject([{ recalled: true, text: '' }]);
    expect(await codeOf(recall(messageId))).toBe(230011);
    expect(await codeOf(recall(say().messageId))).toBe(230026);
    const old = await idOf(send(text('old')));
    lark.advance(25 * 3_600_000);
    client = createClient(lark, app);
    expect(await codeOf(recall(old))).toBe(230009);
  });
});
