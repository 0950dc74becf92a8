import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import { Misuse } from '../../../src/sim/world/misuse.ts';
import type { SimApp, SimChat, SimUser } from '../../../src/sim/world/model.ts';
import { Listener, type Heard } from './sdk-listener.ts';
import { createClient } from './sdk-client.ts';

const SUBSCRIPTIONS = [
  'im.message.message_read_v1',
  'im.chat.member.user.added_v1',
  'im.chat.member.user.deleted_v1',
  'im.chat.member.user.withdrawn_v1',
  'im.chat.updated_v1',
  'im.chat.disbanded_v1',
  'im.chat.access_event.bot_p2p_chat_entered_v1',
  'p2p_chat_create',
];

let lark: LarkCloud;
let app: SimApp;
let ada: SimUser;
let grace: SimUser;
let group: SimChat;
let listener: Listener;

beforeEach(async () => {
  lark = await startLarkCloud();
  app = lark.addApp({ subscriptions: SUBSCRIPTIONS });
  ada = lark.addUser({ name: 'Ada' });
  grace = lark.addUser({ name: 'Grace' });
  group = lark.addGroup({ name: 'Team', members: [ada], apps: [app] });
  listener = new Listener(lark, app).start();
  await lark.waitFor(() => lark.online(app) === 1);
});

afterEach(async () => {
  listener.close();
  await lark.stop();
});

/** The only event of this type, once it has come. */
function heard(type: string): Promise<Heard> {
  return listener.until(() => {
    const all = listener.heard.filter((event) => (event.event_type ?? event['type']) === type);
    expect(all.length).toBeLessThanOrEqual(1);
    return all[0];
  });
}

const idsOf = ({ openId, unionId }: SimUser) => ({ open_id: openId, union_id: unionId });

describe('people who join and leave', () => {
  test('give events with their names', async () => {
    lark.addMember(group, grace, ada);
    const users = [{ name: 'Grace', tenant_key: grace.tenantKey, user_id: idsOf(grace) }];
    expect(await heard('im.chat.member.user.added_v1')).toMatchObject({
      chat_id: group.chatId,
      operator_id: idsOf(ada),
      name: 'Team',
      external: false,
      users,
    });
    lark.removeMember(group, grace);
    expect(await heard('im.chat.member.user.deleted_v1')).toMatchObject({
      operator_id: idsOf(grace),
      users,
    });
    lark.addMember(group, 'Grace', 'Ada');
    lark.removeMember(group, 'Grace', 'Ada', 'withdrawn');
    expect(await heard('im.chat.member.user.withdrawn_v1')).toMatchObject({
      operator_id: idsOf(ada),
      users,
    });
  });

  test('nobody can join twice, or leave a group without being in it; if the owner leaves, another member owns it', () => {
    expect(() => lark.addMember(group, ada)).toThrow(Misuse);
    expect(() => lark.removeMember(group, grace)).toThrow(Misuse);
    expect(() => lark.addMember(lark.directChat(ada, app), grace)).toThrow(Misuse);
    lark.addMember(group, grace);
    lark.removeMember(group, ada);
    expect(group.ownerId).toBe(grace.openId);
  });
});

describe('a group that changes', () => {
  test('gives an event with only the old and new values that differ', async () => {
    lark.renameChat(group, 'Crew');
    const event = await heard('im.chat.updated_v1');
    expect(event).toMatchObject({ chat_id: group.chatId, operator_id: idsOf(ada) });
    const names = (name: string) => ({ zh_cn: name, en_us: name, ja_jp: name });
    expect(event['before_change']).toEqual({ name: 'Team', i18n_names: names('Team') });
    expect(event['after_change']).toEqual({ name: 'Crew', i18n_names: names('Crew') });
  });

  test('gives an event with all ids of a new owner, and none if nothing changed', async () => {
    lark.addMember(group, grace);
    lark.changeGroup(group, { name: 'Team' }, ada);
    lark.changeGroup(group, { owner: grace }, ada);
    const event = await heard('im.chat.updated_v1');
    expect(event['after_change']).toEqual({ owner_id: idsOf(grace) });
  });

  test('a dissolved group gives an event', async () => {
    lark.dissolve(group, ada);
    expect(await heard('im.chat.disbanded_v1')).toMatchObject({ chat_id: group.chatId });
  });
});

describe('messages that are read', () => {
  test('give one event to the app that sent them', async () => {
    const direct = lark.directChat(ada, app);
    const { im } = createClient(lark, app);
    const send = async (text: string) => {
      const { data } = await im.v1.message.create({
        params: { receive_id_type: 'chat_id' },
        data: { receive_id: direct.chatId, msg_type: 'text', content: JSON.stringify({ text }) },
      });
      return data?.message_id ?? '';
    };
    const sent = [await send('one'), await send('two')];
    lark.read(sent[1] ?? '', ada);
    lark.read(sent[1] ?? '', ada);
    expect(await heard('im.message.message_read_v1')).toMatchObject({
      message_id_list: sent,
      reader: { reader_id: idsOf(ada), tenant_key: ada.tenantKey },
    });
    expect(() => lark.read(sent[0] ?? '', grace)).toThrow(Misuse);
  });
});

describe('a direct chat', () => {
  test('the first opening gives a p2p_chat_create event of version 1, and every opening an entered event', async () => {
    const { chatId } = lark.openDirectChat(ada, app);
    // For events of version 1, the SDK uses the type of their envelope.
    const created = await heard('event_callback');
    expect(created).toMatchObject({
      app_id: app.appId,
      chat_id: chatId,
      operator: { open_id: ada.openId },
      user: { name: 'Ada', open_id: ada.openId },
      tenant_key: app.tenantKey,
    });
    expect(created['uuid']).toMatch(/^[0-9a-f]{32}$/);
    expect(await heard('im.chat.access_event.bot_p2p_chat_entered_v1')).toMatchObject({
      chat_id: chatId,
    });
    lark.openDirectChat(ada, app);
    const types = () => lark.deliveries({ appId: app.appId }).map(({ eventType }) => eventType);
    expect(types().filter((type) => type === 'p2p_chat_create')).toHaveLength(1);
  });
});

test('an app does not get events that it has not subscribed to', () => {
  const other = lark.addApp();
  group.bots.add(other.appId);
  lark.addMember(group, grace);
  lark.renameChat(group, 'Crew');
  expect(lark.deliveries({ appId: other.appId })).toEqual([]);
});

describe('a person of another tenant', () => {
  test('makes a group external, and has an own tenant key in events, in the history and in a press', async () => {
    lark.changeApp(app, {
      subscriptions: [...SUBSCRIPTIONS, 'im.message.receive_v1'],
      addScopes: ['im:message.group_msg'],
    });
    const client = createClient(lark, app);
    const chat = () => client.im.v1.chat.get({ path: { chat_id: group.chatId } });
    expect((await chat()).data).toMatchObject({ external: false });
    const guest = lark.addUser({ name: 'Guest', tenantKey: '0123456789abcdef' });
    lark.addMember(group, guest, ada);
    expect((await chat()).data).toMatchObject({ external: true, tenant_key: app.tenantKey });
    const said = lark.say({ chat: group, from: guest, text: '{0} hello', mentions: [app] });
    expect(await heard('im.message.receive_v1')).toMatchObject({
      tenant_key: app.tenantKey,
      sender: { tenant_key: guest.tenantKey, sender_type: 'user' },
    });
    const read = await client.im.v1.message.get({ path: { message_id: said.messageId } });
    expect(read.data?.items?.[0]?.sender).toMatchObject({ tenant_key: guest.tenantKey });
  });
});
