import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '@larksuiteoapi/node-sdk';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import { DEFAULT_SCOPES } from '../../../src/sim/world/scopes.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import type { SimApp, SimUser } from '../../../src/sim/world/model.ts';
import { codeOf, createClient } from './sdk-client.ts';

const SCOPES = [...DEFAULT_SCOPES, 'im:chat'];
const SUBSCRIPTIONS = [
  'im.chat.member.bot.added_v1',
  'im.chat.member.bot.deleted_v1',
  'im.chat.member.user.added_v1',
  'im.chat.member.user.deleted_v1',
  'im.chat.updated_v1',
  'im.chat.disbanded_v1',
];

let lark: LarkCloud;
let app: SimApp;
let other: SimApp;
let ada: SimUser;
let grace: SimUser;
let client: Client;

beforeEach(async () => {
  lark = await startLarkCloud();
  app = lark.addApp({ name: 'Bot', scopes: SCOPES, subscriptions: SUBSCRIPTIONS });
  other = lark.addApp({ name: 'Other', scopes: SCOPES, subscriptions: SUBSCRIPTIONS });
  ada = lark.addUser({ name: 'Ada' });
  grace = lark.addUser({ name: 'Grace' });
  client = createClient(lark, app);
});

afterEach(() => lark.stop());

async function create(data: object, params: object = {}): Promise<string> {
  const answer = await client.im.v1.chat.create({ data, params });
  return answer.data?.chat_id ?? '';
}

const update = (chat_id: string, data: object, as = client) =>
  as.im.v1.chat.update({ path: { chat_id }, data });
const dissolve = (chat_id: string, as = client) => as.im.v1.chat.delete({ path: { chat_id } });
const eventsOf = ({ appId }: SimApp) => lark.deliveries({ appId }).map((one) => one.eventType);

describe('a bot creates a group', () => {
  test('with an owner, people and another bot, and writes there', async () => {
    const data = {
      name: 'Orders',
      description: 'what was ordered',
      owner_id: ada.openId,
      user_id_list: [ada.openId, grace.openId],
      bot_id_list: [other.appId],
    };
    const answer = await client.im.v1.chat.create({ data, params: { user_id_type: 'open_id' } });
    const chatId = answer.data?.chat_id ?? '';
    expect(answer.data).toMatchObject({
      name: 'Orders',
      owner_id: ada.openId,
      owner_id_type: 'open_id',
      chat_mode: 'group',
      group_message_type: 'chat',
      chat_type: 'private',
      external: false,
    });
    const group = lark.findChat('Orders');
    expect([...group.members]).toEqual([ada.openId, grace.openId]);
    expect([...group.bots]).toEqual([app.appId, other.appId]);
    expect(eventsOf(other)).toEqual(['im.chat.member.bot.added_v1']);
    await client.im.v1.message.create({
      params: { receive_id_type: 'chat_id' },
      data: { receive_id: chatId, msg_type: 'text', content: '{"text":"hello all"}' },
    });
    expect(lark.shows(group).map(({ text }) => text)).toEqual(['hello all']);
  });

  test('the bot owns it if it gives no owner', async () => {
    const chatId = await create({ name: 'Mine', user_id_list: [ada.openId] });
    const { data } = await client.im.v1.chat.get({ path: { chat_id: chatId } });
    expect(data).toMatchObject({ name: 'Mine', user_count: '1', bot_count: '1' });
    expect(data).not.toHaveProperty('owner_id');
  });

  test('once for each uuid in ten hours', async () => {
    const uuid = 'b13g2t38';
    const first = await create({ name: 'Once' }, { uuid });
    expect(await create({ name: 'Once' }, { uuid })).toBe(first);
    lark.advance(10 * 3_600_000 + 1);
    // Its old token has expired.
    client = createClient(lark, app);
    expect(await create({ name: 'Once' }, { uuid })).not.toBe(first);
  });

  test('not with unknown people, with too many, or without the scope', async () => {
    const refused = (data: object, params: object = {}) =>
      codeOf(client.im.v1.chat.create({ data, params }));
    expect(await refused({ user_id_list: ['ou_nobody'] })).toBe(99992351);
    expect(await refused({ owner_id: 'on_nobody' }, { user_id_type: 'union_id' })).toBe(99992364);
    expect(await refused({ bot_id_list: ['cli_0000000000000000'] })).toBe(232021);
    const many = Array.from({ length: 51 }, () => ada.openId);
    expect(await refused({ user_id_list: many })).toBe(232001);
    expect(await refused({ edit_permission: 'nobody' })).toBe(232001);
    expect(await refused({ chat_type: 'public', name: 'x' })).toBe(232020);
    app.botEnabled = false;
    expect(await refused({ name: 'x' })).toBe(232025);
    const poor = createClient(lark, lark.addApp());
    expect(await codeOf(poor.im.v1.chat.create({ data: {} }))).toBe(99991672);
  });
});

describe('a bot changes a group', () => {
  test('it can change everything in its own group, and every app in it gets an event', async () => {
    const chatId = await create({ name: 'Mine', user_id_list: [ada.openId] });
    await update(chatId, { name: 'Ours', description: 'd', owner_id: ada.openId });
    const { data } = await client.im.v1.chat.get({ path: { chat_id: chatId } });
    expect(data).toMatchObject({ name: 'Ours', description: 'd', owner_id: ada.openId });
    expect(eventsOf(app)).toEqual(['im.chat.updated_v1']);
  });

  test('in a group of others it can change name and description, if the group allows it to everybody', async () => {
    const group = lark.addGroup({ name: 'Team', members: [ada], apps: [app] });
    await update(group.chatId, { name: 'Crew' });
    expect(group.name).toBe('Crew');
    expect(await codeOf(update(group.chatId, { at_all_permission: 'only_owner' }))).toBe(232016);
    group.settings.set('edit_permission', 'only_owner');
    expect(await codeOf(update(group.chatId, { name: 'Team' }))).toBe(232002);
    group.botManagers.add(app.appId);
    await update(group.chatId, { at_all_permission: 'only_owner' });
    const { data } = await client.im.v1.chat.get({ path: { chat_id: group.chatId } });
    expect(data?.at_all_permission).toBe('only_owner');
  });

  test('the new owner must be in the group', async () => {
    const chatId = await create({ name: 'Mine' });
    expect(await codeOf(update(chatId, { owner_id: 'ou_nobody' }))).toBe(232035);
    expect(await codeOf(update(chatId, { owner_id: ada.openId }))).toBe(232012);
    expect(await codeOf(update('oc_unknown', { name: 'x' }))).toBe(232006);
    expect(await codeOf(update(lark.directChat(ada, app).chatId, { name: 'x' }))).toBe(232008);
    expect(await codeOf(update(chatId, { name: 'x' }, createClient(lark, other)))).toBe(232011);
  });
});

describe('a bot dissolves a group', () => {
  test('if it owns the group, or created it and may act as the owner', async () => {
    const own = await create({ name: 'Mine', bot_id_list: [other.appId] });
    await dissolve(own);
    expect(lark.findChat('Mine').dissolved).toBe(true);
    expect(eventsOf(other)).toContain('im.chat.disbanded_v1');
    expect(await codeOf(dissolve(own))).toBe(232009);
    const given = await create({ name: 'Given', owner_id: ada.openId });
    expect(await codeOf(dissolve(given))).toBe(232017);
    app.scopes.add('im:chat:operate_as_owner');
    await dissolve(given);
  });
});

describe('members', () => {
  const add = (chat_id: string, id_list: string[], params: object = {}) =>
    client.im.v1.chatMembers.create({ path: { chat_id }, params, data: { id_list } });
  const remove = (chat_id: string, id_list: string[], params: object = {}) =>
    client.im.v1.chatMembers.delete({ path: { chat_id }, params, data: { id_list } });

  test('people are added and removed, and apps get events', async () => {
    const chatId = await create({ name: 'Mine' });
    await add(chatId, [ada.userId, grace.userId], { member_id_type: 'user_id' });
    expect([...lark.findChat('Mine').members]).toEqual([ada.openId, grace.openId]);
    const { data } = await remove(chatId, [grace.openId, 'ou_nobody']);
    expect(data?.invalid_id_list).toEqual(['ou_nobody']);
    expect([...lark.findChat('Mine').members]).toEqual([ada.openId]);
    expect(eventsOf(app)).toEqual([
      'im.chat.member.user.added_v1',
      'im.chat.member.user.deleted_v1',
    ]);
  });

  test('bots are added and removed', async () => {
    const chatId = await create({ name: 'Mine' });
    await add(chatId, [other.appId], { member_id_type: 'app_id' });
    const bots = await client.request<{ data: { items: object[] } }>({
      method: 'GET',
      url: `/open-apis/im/v1/chats/${chatId}/members/bots`,
    });
    expect(bots.data.items).toMatchObject([
      { bot_id: app.botOpenId, bot_name: 'Bot' },
      { bot_id: other.botOpenId, bot_name: 'Other' },
    ]);
    const isIn = async (as: Client) =>
      (await as.im.v1.chatMembers.isInChat({ path: { chat_id: chatId } })).data?.is_in_chat;
    const otherClient = createClient(lark, other);
    expect([await isIn(client), await isIn(otherClient)]).toEqual([true, true]);
    await remove(chatId, [other.appId], { member_id_type: 'app_id' });
    expect(await isIn(otherClient)).toBe(false);
    expect(eventsOf(other)).toEqual([
      'im.chat.member.bot.added_v1',
      'im.chat.member.bot.deleted_v1',
    ]);
  });

  test('unknown ids stop the call, if it does not ask to add the others', async () => {
    const chatId = await create({ name: 'Mine' });
    expect(await codeOf(add(chatId, [ada.openId, 'ou_nobody']))).toBe(99992351);
    expect(lark.findChat('Mine').members.size).toBe(0);
    const { data } = await add(chatId, [ada.openId, 'ou_nobody'], { succeed_type: 1 });
    expect(data).toMatchObject({ not_existed_id_list: ['ou_nobody'], invalid_id_list: [] });
    expect(lark.findChat('Mine').members.size).toBe(1);
    expect(await codeOf(add(chatId, []))).toBe(232027);
  });

  test('only a manager can remove others, nobody can remove the owner, and a bot may always leave', async () => {
    const group = lark.addGroup({ name: 'Team', members: [ada, grace], apps: [app] });
    expect(await codeOf(remove(group.chatId, [grace.openId]))).toBe(232014);
    group.botManagers.add(app.appId);
    expect(await codeOf(remove(group.chatId, [ada.openId]))).toBe(232076);
    await remove(group.chatId, [app.appId], { member_id_type: 'app_id' });
    expect(group.bots.size).toBe(0);
  });
});

describe('finding chats', () => {
  test("by name: the bot's groups and public ones", async () => {
    lark.addGroup({ name: 'Order desk', members: [ada], apps: [app] });
    lark.addGroup({ name: 'Secret orders', members: [ada] });
    lark.addGroup({ name: 'All orders', members: [ada] }).settings.set('chat_type', 'public');
    const search = async (query: string) => {
      const { data } = await client.im.v1.chat.search({ params: { query } });
      return data?.items?.map(({ name }) => name);
    };
    expect(await search('order')).toEqual(['Order desk', 'All orders']);
    expect(await search('')).toEqual([]);
  });

  test('by ids, also direct chats', async () => {
    const group = lark.addGroup({ name: 'Team', members: [ada], apps: [app] });
    const direct = lark.directChat(grace, app);
    const foreign = lark.addGroup({ name: 'Not ours', members: [ada] });
    const post = (url: string, data: object) =>
      client.request<{ data: Record<string, object[]> }>({ method: 'POST', url, data });
    const chat_ids = [group, direct, foreign].map(({ chatId }) => chatId);
    const chats = await post('/open-apis/im/v1/chats/batch_query', { chat_ids });
    expect(chats.data['items']).toMatchObject([
      { chat_id: group.chatId, name: 'Team', chat_mode: 'group' },
      { chat_id: direct.chatId, chat_mode: 'p2p', p2p_target_id: grace.openId },
    ]);
    const chatter_ids = [ada.openId, grace.openId];
    const found = await post('/open-apis/im/v1/chat_p2p/batch_query', { chatter_ids });
    expect(found.data['p2p_chats']).toEqual([{ chat_id: direct.chatId, chatter_id: grace.openId }]);
  });

  test('a link to share', async () => {
    const group = lark.addGroup({ name: 'Team', members: [ada], apps: [app] });
    const link = (chat_id: string, data: object = {}) =>
      client.im.v1.chat.link({ path: { chat_id }, data });
    const { data } = await link(group.chatId, { validity_period: 'week' });
    expect(data?.share_link).toContain('link_token=');
    const days = (Number(data?.expire_time) * 1_000 - lark.cloud.clock.nowMs()) / 86_400_000;
    expect(Math.round(days)).toBe(7);
    expect((await link(group.chatId, { validity_period: 'permanently' })).data).toMatchObject({
      is_permanent: true,
    });
    expect(await codeOf(link(lark.directChat(ada, app).chatId))).toBe(232062);
    expect(await codeOf(link(group.chatId, { validity_period: 'a day' }))).toBe(232001);
  });
});
