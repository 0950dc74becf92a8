import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '@larksuiteoapi/node-sdk';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import type { SimApp, SimUser } from '../../../src/sim/world/model.ts';
import { DEFAULT_SCOPES } from '../../../src/sim/world/scopes.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import { codeOf, createClient } from './sdk-client.ts';

let lark: LarkCloud;
let app: SimApp;
let ada: SimUser;
let grace: SimUser;
let client: Client;

beforeEach(async () => {
  lark = await startLarkCloud();
  app = lark.addApp();
  ada = lark.addUser({ name: 'Ada' });
  grace = lark.addUser({ name: 'Grace' });
  client = createClient(lark, app);
});

afterEach(() => lark.stop());

describe('contact v3', () => {
  const get = (user_id: string, user_id_type: 'open_id' | 'union_id' | 'user_id' = 'open_id') =>
    client.contact.v3.user.get({ path: { user_id }, params: { user_id_type } });

  const batch = (user_ids: string[]) => client.contact.v3.user.basicBatch({ data: { user_ids } });

  test('without contact scopes an app gets no user, but gets names from basic_batch', async () => {
    expect(await codeOf(get(ada.openId))).toBe(99991672);
    const { data } = await batch([ada.openId, 'ou_unknown', grace.openId]);
    expect(data?.users?.map(({ user_id, name }) => [user_id, name])).toEqual([
      [ada.openId, 'Ada'],
      [grace.openId, 'Grace'],
    ]);
    expect(data?.users?.[0]?.i18n_name?.en_us).toBe('Ada');
  });

  test('each field needs its scope', async () => {
    app.scopes.add('contact:contact.base:readonly');
    const bare = await get(ada.openId);
    expect(bare.data?.user).toMatchObject({ open_id: ada.openId, union_id: ada.unionId });
    expect(bare.data?.user).not.toHaveProperty('name');
    expect(bare.data?.user).not.toHaveProperty('user_id');
    app.scopes.add('contact:user.base:readonly');
    app.scopes.add('contact:user.employee_id:readonly');
    const full = await get(ada.unionId, 'union_id');
    expect(full.data?.user).toMatchObject({ name: 'Ada', user_id: ada.userId });
    expect(await codeOf(get('ou_unknown'))).toBe(41050);
    expect(await codeOf(get(ada.email, 'email' as 'open_id'))).toBe(40001);
  });

  test('basic_batch takes 1 to 10 ids, 5 times a second', async () => {
    expect(await codeOf(batch([]))).toBe(40001);
    expect(await codeOf(batch(Array.from({ length: 11 }, () => ada.openId)))).toBe(40001);
    for (let at = 0; at < 3; at += 1) await batch([ada.openId]);
    expect(await codeOf(batch([ada.openId]))).toBe(99991400);
    lark.advance(1_000);
    await batch([ada.openId]);
  });
});

describe('chats', () => {
  const get = (chat_id: string, as = client) => as.im.v1.chat.get({ path: { chat_id } });

  test('a group shows its name, mode, owner and counts', async () => {
    const group = lark.addGroup({
      name: 'Team',
      description: 'us',
      members: [ada, grace],
      apps: [app],
    });
    expect((await get(group.chatId)).data).toMatchObject({
      name: 'Team',
      description: 'us',
      chat_mode: 'group',
      group_message_type: 'chat',
      chat_type: 'private',
      owner_id: ada.openId,
      owner_id_type: 'open_id',
      external: false,
      user_count: '2',
      bot_count: '1',
      chat_status: 'normal',
    });
    lark.dissolve(group, ada);
    expect((await get(group.chatId)).data?.chat_status).toBe('dissolved');
  });

  test('a direct chat and a topic group differ in their mode', async () => {
    const direct = (await get(lark.directChat(ada, app).chatId)).data;
    expect(direct).toMatchObject({ chat_mode: 'p2p', user_count: '1', bot_count: '1' });
    expect(direct).not.toHaveProperty('name');
    expect(direct).not.toHaveProperty('owner_id');
    const topics = lark.addGroup({ name: 'Topics', members: [ada], apps: [app], mode: 'topic' });
    expect((await get(topics.chatId)).data?.chat_mode).toBe('topic');
  });

  test('a bot outside a chat sees an outline of a group, and nothing of a direct chat', async () => {
    const group = lark.addGroup({ name: 'Team', members: [ada], apps: [app] });
    const stranger = createClient(lark, lark.addApp());
    const { data } = await get(group.chatId, stranger);
    expect(data).toMatchObject({ name: 'Team', user_count: '1' });
    expect(data).not.toHaveProperty('chat_mode');
    expect(await codeOf(get(lark.directChat(ada, app).chatId, stranger))).toBe(232011);
    expect(await codeOf(get('oc_unknown'))).toBe(232006);
  });

  test('the list has the bot’s groups, page by page, without direct chats', async () => {
    lark.directChat(ada, app);
    lark.addGroup({ name: 'Not ours', members: [ada] });
    const names = Array.from({ length: 5 }, (_, at) => `Group ${at}`);
    const groups = names.map((name) => lark.addGroup({ name, members: [ada], apps: [app] }));
    const seen: (string | undefined)[] = [];
    let page_token = '';
    for (let pages = 0; pages < 3; pages += 1) {
      const params = { page_size: 2, ...(page_token && { page_token }) };
      const { data } = await client.im.v1.chat.list({ params });
      seen.push(...(data?.items ?? []).map((item) => item.name));
      expect(data?.has_more).toBe(pages < 2);
      page_token = data?.page_token ?? '';
    }
    expect(seen).toEqual(names);
    const [, second] = groups;
    if (second !== undefined) lark.say({ chat: second, from: ada, text: 'hi' });
    const active = await client.im.v1.chat.list({ params: { sort_type: 'ByActiveTimeDesc' } });
    expect(active.data?.items?.[0]?.name).toBe('Group 1');
  });

  test('members are people, with the requested type of id', async () => {
    const group = lark.addGroup({ name: 'Team', members: [ada, grace], apps: [app] });
    const list = (params: object = {}, as = client) =>
      as.im.v1.chatMembers.get({ path: { chat_id: group.chatId }, params });
    const { data } = await list({ member_id_type: 'union_id', page_size: 1 });
    expect(data).toMatchObject({ has_more: true, member_total: 2 });
    expect(data?.items).toEqual([
      {
        member_id_type: 'union_id',
        member_id: ada.unionId,
        name: 'Ada',
        tenant_key: ada.tenantKey,
      },
    ]);
    expect(await codeOf(list({}, createClient(lark, lark.addApp())))).toBe(232011);
    expect(await codeOf(list({ page_size: 101 }))).toBe(232001);
    expect(await codeOf(list({ page_token: 'nonsense' }))).toBe(232001);
    expect(await codeOf(list({ member_id_type: 'email' }))).toBe(232001);
    lark.dissolve(group, ada);
    expect(await codeOf(list())).toBe(232009);
  });

  test('without a scope for chats every call is refused', async () => {
    const scopes = DEFAULT_SCOPES.filter((scope) => !scope.startsWith('im:chat'));
    const poor = createClient(lark, lark.addApp({ scopes }));
    expect(await codeOf(poor.im.v1.chat.list())).toBe(99991672);
  });
});

describe('avatars', () => {
  test('the address of an avatar returns a picture', async () => {
    const group = lark.addGroup({ name: 'Team', members: [ada], apps: [app] });
    app.scopes.add('contact:contact.base:readonly').add('contact:user.base:readonly');
    const info = await client.request<{ bot: { avatar_url: string } }>({
      url: '/open-apis/bot/v3/info',
      method: 'GET',
    });
    const user = await client.contact.v3.user.get({ path: { user_id: ada.openId } });
    const chat = await client.im.v1.chat.get({ path: { chat_id: group.chatId } });
    const urls = [
      info.bot.avatar_url,
      user.data?.user?.avatar?.avatar_72 ?? '',
      chat.data?.avatar ?? '',
    ];
    expect(new Set(urls).size).toBe(3);
    for (const url of urls) {
      const answer = await fetch(url);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'image/png']);
      const head = Buffer.from(await answer.arrayBuffer()).subarray(0, 4);
      expect(head.toString('latin1')).toBe('\x89PNG');
    }
  });
});
