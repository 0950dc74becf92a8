import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '@larksuiteoapi/node-sdk';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import { DEFAULT_SCOPES } from '../../../src/sim/world/scopes.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import type { SimApp, SimChat, SimUser } from '../../../src/sim/world/model.ts';
import { codeOf, createClient } from './sdk-client.ts';

let lark: LarkCloud;
let app: SimApp;
let ada: SimUser;
let grace: SimUser;
let direct: SimChat;
let group: SimChat;
let client: Client;

beforeEach(async () => {
  lark = await startLarkCloud();
  app = lark.addApp();
  ada = lark.addUser({ name: 'Ada' });
  grace = lark.addUser({ name: 'Grace' });
  direct = lark.directChat(ada, app);
  group = lark.addGroup({ name: 'Team', members: [ada, grace], apps: [app] });
  client = createClient(lark, app);
});

afterEach(() => lark.stop());

async function send(chat: SimChat, text: string): Promise<string> {
  const { data } = await client.im.v1.message.create({
    params: { receive_id_type: 'chat_id' },
    data: { receive_id: chat.chatId, msg_type: 'text', content: JSON.stringify({ text }) },
  });
  return data?.message_id ?? '';
}

describe('several messages by id', () => {
  const mget = async (ids: readonly string[], more: object = {}) => {
    const answer = await client.request<{ data: { items: { message_id: string }[] } }>({
      method: 'GET',
      url: '/open-apis/im/v1/messages/mget',
      params: { message_ids: ids, ...more },
    });
    return answer.data.items.map((item) => item.message_id);
  };

  test('come in the requested order, without those that do not exist', async () => {
    const one = lark.say({ chat: direct, from: ada, text: 'one' }).messageId;
    const two = await send(direct, 'two');
    expect(await mget([two, 'om_unknown', one])).toEqual([two, one]);
    expect(await codeOf(mget([]))).toBe(230001);
  });

  test('a bundle comes with its parts; groups need the scope to read them', async () => {
    const bundle = lark.say({
      chat: direct,
      from: ada,
      messageType: 'merge_forward',
      content: { content: 'Merged and Forwarded Message' },
    });
    const part = lark.say({ chat: direct, from: ada, text: 'part', partOf: bundle });
    expect(await mget([bundle.messageId])).toEqual([bundle.messageId, part.messageId]);
    const heard = lark.say({ chat: group, from: ada, text: 'in the group' }).messageId;
    expect(await codeOf(mget([heard]))).toBe(230027);
  });
});

describe('forwarding', () => {
  const forward = (message_id: string, receive_id: string, params: object) =>
    client.im.v1.message.forward({
      path: { message_id },
      params: { receive_id_type: 'chat_id', ...params },
      data: { receive_id },
    });

  test('puts the same content into another chat, sent by the bot', async () => {
    const { messageId } = lark.say({ chat: direct, from: ada, text: 'please pass on' });
    const { data } = await forward(messageId, grace.openId, { receive_id_type: 'open_id' });
    expect(data).toMatchObject({ msg_type: 'text', sender: { id: app.appId } });
    expect(lark.shows(lark.directChat(grace, app))).toMatchObject([
      { text: 'please pass on', from: `app:${app.appId}` },
    ]);
    const root = lark.say({ chat: group, from: ada, text: 'topic' });
    const { threadId = '' } = lark.say({
      chat: group,
      from: ada,
      text: 'in it',
      replyTo: root,
      inThread: true,
    });
    await forward(messageId, threadId, { receive_id_type: 'thread_id' });
    expect(lark.shows(group).at(-1)).toMatchObject({ text: 'please pass on', threadId });
  });

  test('happens once for each uuid and receiver', async () => {
    const { messageId } = lark.say({ chat: direct, from: ada, text: 'please pass on' });
    const twice = [
      await forward(messageId, group.chatId, { uuid: 'u1' }),
      await forward(messageId, group.chatId, { uuid: 'u1' }),
    ];
    expect(twice[1]?.data?.message_id).toBe(twice[0]?.data?.message_id);
    await forward(messageId, direct.chatId, { uuid: 'u1' });
    expect(lark.shows(group)).toHaveLength(1);
    expect(lark.shows(direct)).toHaveLength(2);
  });

  test('is refused for recalled messages, types that can’t be forwarded, and chats without the bot', async () => {
    const message = lark.say({ chat: direct, from: ada, text: 'oops' });
    const { messageId } = message;
    const foreign = lark.addGroup({ name: 'Not ours', members: [ada] });
    expect(await codeOf(forward(messageId, foreign.chatId, {}))).toBe(230002);
    expect(await codeOf(forward(messageId, 'omt_x', { receive_id_type: 'thread_id' }))).toBe(
      230019,
    );
    expect(await codeOf(forward('om_unknown', group.chatId, {}))).toBe(230110);
    lark.recall(message);
    expect(await codeOf(forward(messageId, group.chatId, {}))).toBe(230065);
    const audio = { messageType: 'audio', content: { file_key: 'file_v3_x', duration: 1 } };
    const voice = lark.say({ chat: direct, from: ada, ...audio });
    expect(await codeOf(forward(voice.messageId, group.chatId, {}))).toBe(230061);
  });
});

describe('who has read a message', () => {
  const readers = async (message_id: string) => {
    const { data } = await client.im.v1.message.readUsers({
      path: { message_id },
      params: { user_id_type: 'open_id' },
    });
    return data?.items?.map((item) => item.user_id);
  };

  test('can be read by its sender for seven days', async () => {
    const first = await send(group, 'one');
    const second = await send(group, 'two');
    lark.read(second, ada);
    lark.read(first, grace);
    expect(await readers(first)).toEqual([ada.openId, grace.openId]);
    expect(await readers(second)).toEqual([ada.openId]);
    const { messageId } = lark.say({ chat: group, from: ada, text: 'not yours' });
    expect(await codeOf(readers(messageId))).toBe(230012);
    lark.advance(7 * 24 * 3_600_000 + 1);
    client = createClient(lark, app);
    expect(await codeOf(readers(second))).toBe(230033);
  });
});

describe('pins', () => {
  const list = async () => {
    const { data } = await client.im.v1.pin.list({ params: { chat_id: group.chatId } });
    return data?.items?.map((item) => item.message_id);
  };

  test('are set, listed newest first, and removed', async () => {
    const one = lark.say({ chat: group, from: ada, text: 'one' }).messageId;
    const two = await send(group, 'two');
    const { data } = await client.im.v1.pin.create({ data: { message_id: one } });
    expect(data?.pin).toMatchObject({
      message_id: one,
      chat_id: group.chatId,
      operator_id: app.appId,
      operator_id_type: 'app_id',
    });
    lark.advance(1_000);
    await client.im.v1.pin.create({ data: { message_id: two } });
    const again = await client.im.v1.pin.create({ data: { message_id: one } });
    expect(again.data?.pin?.create_time).toBe(data?.pin?.create_time);
    expect(await list()).toEqual([two, one]);
    await client.im.v1.pin.delete({ path: { message_id: two } });
    expect(await list()).toEqual([one]);
  });

  test('of recalled messages, or in chats without the bot, are refused', async () => {
    const message = lark.say({ chat: group, from: ada, text: 'oops' });
    const pin = (message_id: string) => codeOf(client.im.v1.pin.create({ data: { message_id } }));
    lark.recall(message);
    expect(await pin(message.messageId)).toBe(230011);
    const foreign = lark.addGroup({ name: 'Not ours', members: [ada] });
    expect(await pin(lark.say({ chat: foreign, from: ada, text: 'x' }).messageId)).toBe(230002);
  });
});

describe('a card that only one person sees', () => {
  const CARD = { schema: '2.0', body: { elements: [{ tag: 'markdown', content: 'for you' }] } };
  const post = (url: string, data: object) =>
    client.request<{ data: { message_id: string } }>({
      method: 'POST',
      url: `/open-apis/ephemeral/v1/${url}`,
      data,
    });
  const show = async (more: object = {}) => {
    const fields = { chat_id: group.chatId, open_id: ada.openId, msg_type: 'interactive' };
    return (await post('send', { ...fields, card: CARD, ...more })).data.message_id;
  };

  test('is shown to that person, is not in the history, and can be deleted', async () => {
    app.scopes.add('im:message.group_msg');
    const messageId = await show();
    expect(lark.findMessage(messageId).visibleTo).toBe(ada.openId);
    expect(lark.shows(group)).toMatchObject([{ type: 'interactive', text: 'for you' }]);
    const { data } = await client.im.v1.message.list({
      params: { container_id_type: 'chat', container_id: group.chatId },
    });
    expect(data?.items).toEqual([]);
    await post('delete', { message_id: messageId });
    expect(lark.shows(group)).toMatchObject([{ recalled: true }]);
  });

  test('can be pressed', async () => {
    const outcome = lark.pressButton({ messageId: await show(), from: ada, value: { yes: 1 } });
    // No bot answers here. The test is that the app gets the callback.
    lark.advance(3_000);
    expect(await outcome).toMatchObject({ ok: false, code: 200341 });
    expect(lark.deliveries({ eventType: 'card.action.trigger' })).toHaveLength(1);
  });

  test("is only for groups and their members, and other messages can't be deleted so", async () => {
    expect(await codeOf(show({ chat_id: direct.chatId }))).toBe(230001);
    const stranger = lark.addUser({ name: 'Stranger' });
    expect(await codeOf(show({ open_id: stranger.openId }))).toBe(230001);
    expect(await codeOf(show({ msg_type: 'text' }))).toBe(230001);
    expect(await codeOf(post('delete', { message_id: await send(group, 'x') }))).toBe(230001);
  });
});

describe('other calls that bots make at their start', () => {
  test('an app access token works like a tenant access token', async () => {
    const { appId, appSecret } = app;
    const answer = await fetch(`${lark.openBaseUrl}/open-apis/auth/v3/app_access_token/internal`, {
      method: 'POST',
      body: JSON.stringify({ app_id: appId, app_secret: appSecret }),
    });
    const token = (await answer.json()) as Record<string, string>;
    expect(token).toMatchObject({ code: 0, expire: 7_200 });
    const authorization = `Bearer ${token['app_access_token']}`;
    const info = await fetch(`${lark.openBaseUrl}/open-apis/bot/v3/info`, {
      headers: { authorization },
    });
    expect(info.status).toBe(200);
  });

  test('the scopes that it has', async () => {
    const { data } = await client.application.v6.scope.list();
    expect(data?.scopes?.map(({ scope_name }) => scope_name)).toEqual([...DEFAULT_SCOPES]);
    expect(data?.scopes?.every(({ grant_status }) => grant_status === 1)).toBe(true);
    expect(await codeOf(client.application.v6.scope.apply())).toBe(212002);
  });

  test("the app's own entry, by its id or as me, with its owner", async () => {
    app.scopes.add('application:application:self_manage');
    app.description = 'helps';
    const get = async (app_id: string, params: object = {}) => {
      const answer = await client.application.v6.application.get({
        path: { app_id },
        params: { lang: 'en_us', ...params },
      });
      return answer.data?.app;
    };
    const own = await get(app.appId);
    expect(own).toMatchObject({
      app_id: app.appId,
      app_name: 'Bot',
      description: 'helps',
      creator_id: ada.openId,
      owner: { type: 2, owner_id: ada.openId },
    });
    expect((await fetch(own?.avatar_url ?? '')).status).toBe(200);
    expect(await get('me')).toEqual(own);
    app.ownerOpenId = grace.openId;
    expect((await get('me', { user_id_type: 'union_id' }))?.owner?.owner_id).toBe(grace.unionId);
    expect(await codeOf(get(lark.addApp().appId))).toBe(210508);
  });

  test('the names of other bots', async () => {
    const get = () =>
      client.request<{ data: object }>({
        method: 'GET',
        url: '/open-apis/bot/v3/bots/basic_batch',
        params: { bot_ids: [app.botOpenId, 'ou_nobody'] },
      });
    expect(await codeOf(get())).toBe(99991672);
    app.scopes.add('application:bot.basic_info:read');
    expect((await get()).data).toMatchObject({
      bots: { [app.botOpenId]: { bot_id: app.botOpenId, name: 'Bot' } },
      failed_bots: { ou_nobody: { code: 20002 } },
    });
  });

  test('people, by email, by ids and by department', async () => {
    app.scopes.add('contact:contact:readonly_as_app').add('contact:user.id:readonly');
    const { user } = client.contact.v3;
    const byEmail = await user.batchGetId({
      params: { user_id_type: 'open_id' },
      data: { emails: [ada.email, 'nobody@example.com'], mobiles: ['+8613000000000'] },
    });
    expect(byEmail.data?.user_list).toEqual([
      { user_id: ada.openId, email: ada.email },
      { email: 'nobody@example.com' },
      { mobile: '+8613000000000' },
    ]);
    const batch = await user.batch({ params: { user_ids: [grace.openId, 'ou_nobody'] } });
    expect(batch.data?.items?.map(({ name }) => name)).toEqual(['Grace']);
    const params = { department_id: '0', page_size: 1 };
    const first = await user.findByDepartment({ params });
    expect(first.data).toMatchObject({ has_more: true, items: [{ name: 'Ada' }] });
    const all = await user.list({ params: { department_id: '0' } });
    expect(all.data?.items?.map(({ name }) => name)).toEqual(['Ada', 'Grace']);
    const elsewhere = user.findByDepartment({ params: { department_id: 'od_x' } });
    expect(await codeOf(elsewhere)).toBe(40001);
  });

  test('the owner of an app that was created by QR code is the person who scanned it', async () => {
    const begin = { action: 'begin', archetype: 'PersonalAgent', auth_method: 'client_secret' };
    await fetch(`${lark.accountsBaseUrl}/oauth/v1/app/registration`, {
      method: 'POST',
      body: new URLSearchParams(begin),
    });
    const [userCode = ''] = lark.accounts.waiting();
    const created = lark.scan({ userCode, approve: true, as: grace });
    expect(created?.ownerOpenId).toBe(grace.openId);
  });
});
