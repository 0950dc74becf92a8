import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import type { SimApp, SimChat, SimUser } from '../../../src/sim/world/model.ts';
import { SAMPLE_TYPES } from '../../../src/sim/control/sample-content.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import { createClient } from './sdk-client.ts';
import { Listener } from './sdk-listener.ts';

let lark: LarkCloud;
let app: SimApp;
let other: SimApp;
let ada: SimUser;
let tom: SimUser;
let direct: SimChat;
let group: SimChat;
let listener: Listener;

beforeEach(async () => {
  lark = await startLarkCloud();
  app = lark.addApp({ name: 'Helper' });
  other = lark.addApp({ name: 'Other' });
  ada = lark.addUser({ name: 'Ada' });
  tom = lark.addUser({ name: 'Tom' });
  direct = lark.directChat(ada, app);
  group = lark.addGroup({ name: 'Team', members: [ada, tom], apps: [app, other] });
  listener = new Listener(lark, app).start();
  await lark.waitFor(() => lark.online(app) === 1);
});

afterEach(async () => {
  listener.close();
  await lark.stop();
});

/** Deliveries to the first app so far, by type. */
const told = () => lark.deliveries({ appId: app.appId }).map(({ eventType }) => eventType);
const heard = (count: number) => lark.waitFor(() => listener.heard.length === count);

describe('im.message.receive_v1', () => {
  test("has the platform's form, flattened by the official client", async () => {
    const message = lark.say({ chat: group, from: ada, text: '{0} ask {1}', mentions: [app, tom] });
    await heard(1);
    expect(listener.heard[0]).toMatchObject({
      schema: '2.0',
      event_type: 'im.message.receive_v1',
      app_id: app.appId,
      tenant_key: lark.world.tenantKey,
      sender: {
        sender_id: { open_id: ada.openId, union_id: ada.unionId },
        sender_type: 'user',
        tenant_key: lark.world.tenantKey,
      },
      message: {
        message_id: message.messageId,
        chat_id: group.chatId,
        chat_type: 'group',
        message_type: 'text',
        content: '{"text":"@_user_1 ask @_user_2"}',
        create_time: String(message.createdAtMs),
        mentions: [
          {
            key: '@_user_1',
            id: { open_id: app.botOpenId, union_id: app.botUnionId, user_id: '' },
            mentioned_type: 'bot',
            name: 'Helper',
          },
          {
            key: '@_user_2',
            id: { open_id: tom.openId },
            mentioned_type: 'user',
            name: 'Tom',
          },
        ],
      },
    });
    const { message: body, sender } = listener.heard[0]!;
    expect(body).not.toHaveProperty('root_id');
    expect(body).not.toHaveProperty('thread_id');
    expect((sender as { sender_id: object }).sender_id).not.toHaveProperty('user_id');
    expect(lark.shows(group)[0]?.text).toBe('@Helper ask @Tom');
  });

  test('has the user_id for apps with the scope for it', async () => {
    app.scopes.add('contact:user.employee_id:readonly');
    lark.say({ chat: direct, from: ada, text: 'hi' });
    await heard(1);
    expect(listener.heard[0]).toMatchObject({ sender: { sender_id: { user_id: ada.userId } } });
  });

  test('comes for all direct messages, and in groups only if the bot is mentioned', () => {
    lark.say({ chat: direct, from: ada, text: 'hi' });
    lark.say({ chat: group, from: ada, text: 'nobody' });
    lark.say({ chat: group, from: ada, text: 'hi', mentions: [tom] });
    lark.say({ chat: group, from: ada, text: 'hi', mentions: ['all'] });
    lark.say({ chat: group, from: ada, text: 'hi', mentions: [other] });
    expect(told()).toHaveLength(1);
    lark.say({ chat: group, from: ada, text: 'hi', mentions: [app] });
    expect(told()).toHaveLength(2);
  });

  test('comes for all messages of a group with the sensitive scope', () => {
    app.scopes.add('im:message.group_msg');
    const message = lark.say({ chat: group, from: ada, text: 'hi', mentions: ['all'] });
    expect(told()).toHaveLength(1);
    expect(message.content).toBe('{"text":"@_all hi"}');
    expect(message.mentions).toEqual([]);
  });

  test('comes for messages of another bot only with the scope for it', async () => {
    lark.say({ chat: group, from: other, text: 'hi', mentions: [app] });
    expect(told()).toEqual([]);
    app.scopes.add('im:message.group_at_msg.include_bot:readonly');
    lark.say({ chat: group, from: other, text: 'hi', mentions: [app] });
    await heard(1);
    expect(listener.heard[0]).toMatchObject({
      sender: { sender_type: 'bot', sender_id: { open_id: other.botOpenId } },
    });
  });

  test('a reply has parent and root; in a thread both are its root', async () => {
    const first = lark.say({ chat: direct, from: ada, text: 'one' });
    const reply = lark.say({ chat: direct, from: ada, text: 'two', replyTo: first });
    const deeper = lark.say({ chat: direct, from: ada, text: 'three', replyTo: reply });
    expect(deeper).toMatchObject({ parentId: reply.messageId, rootId: first.messageId });
    const inThread = lark.say({
      chat: direct,
      from: ada,
      text: 'four',
      replyTo: deeper,
      inThread: true,
    });
    const stays = lark.say({ chat: direct, from: ada, text: 'five', replyTo: inThread });
    expect(stays).toMatchObject({
      threadId: inThread.threadId,
      parentId: deeper.messageId,
      rootId: deeper.messageId,
    });
    expect(inThread.threadId).toMatch(/^omt_/);
    await heard(5);
    expect(listener.heard[4]?.message).toMatchObject({
      thread_id: stays.threadId,
      parent_id: deeper.messageId,
      root_id: deeper.messageId,
    });
  });

  test('in a topic group every message opens a thread, and replies stay in it', () => {
    const topic = lark.addGroup({ name: 'Topics', members: [ada], apps: [app], mode: 'topic' });
    const root = lark.say({ chat: topic, from: ada, text: 'one' });
    const reply = lark.say({ chat: topic, from: ada, text: 'two', replyTo: root });
    const another = lark.say({ chat: topic, from: ada, text: 'three' });
    expect(root.threadId).toMatch(/^omt_/);
    expect(root.rootId).toBeUndefined();
    expect(reply.threadId).toBe(root.threadId);
    expect(another.threadId).not.toBe(root.threadId);
  });

  test('a post has placeholders and no locale', async () => {
    const content = {
      title: 'Plan',
      content: [
        [
          { tag: 'at', user_id: app.botOpenId },
          { tag: 'text', text: ' go' },
        ],
      ],
    };
    lark.say({ chat: group, from: ada, messageType: 'post', content });
    await heard(1);
    expect(JSON.parse(listener.heard[0]?.message.content ?? '')).toEqual({
      title: 'Plan',
      content: [
        [
          { tag: 'at', user_id: '@_user_1', user_name: 'Helper', style: [] },
          { tag: 'text', text: ' go' },
        ],
      ],
    });
    expect(lark.shows(group)[0]?.text).toBe('Plan\n@Helper go');
  });

  test('attached files have their key', async () => {
    const upload = lark.addUpload({
      kind: 'file',
      owner: { kind: 'user', openId: ada.openId },
      bytes: Buffer.from('notes'),
      fileName: 'notes.txt',
    });
    const content = { file_key: upload.key, file_name: 'notes.txt' };
    lark.say({ chat: direct, from: ada, messageType: 'file', content });
    await heard(1);
    expect(JSON.parse(listener.heard[0]?.message.content ?? '')).toEqual(content);
    expect(lark.shows(direct)[0]).toMatchObject({ type: 'file', text: '[file notes.txt]' });
  });

  test('refuses people who are not in the chat', () => {
    const eve = lark.addUser({ name: 'Eve' });
    expect(() => lark.say({ chat: group, from: eve, text: 'hi' })).toThrow('Eve is not in');
    const said = lark.say({ chat: direct, from: ada, text: 'hi' });
    expect(() => lark.say({ chat: group, from: ada, text: 'x', replyTo: said })).toThrow(
      'is in another chat',
    );
    expect(() => lark.say({ chat: group, from: ada, messageType: 'hologram' })).toThrow(
      'needs content',
    );
    expect(() => lark.say({ chat: 'Nowhere', from: ada, text: 'hi' })).toThrow('there is no chat');
    lark.dissolve(group, ada);
    expect(() => lark.say({ chat: group, from: ada, text: 'hi' })).toThrow('is dissolved');
  });
});

describe('every message type', () => {
  test.each(SAMPLE_TYPES)(
    '%s needs no content: there is a sample, as event and in history',
    async (type) => {
      const said = lark.say({ chat: direct, from: ada, messageType: type });
      await heard(1);
      expect(listener.heard[0]).toMatchObject({
        message: { message_type: type, content: said.content, chat_type: 'p2p' },
      });
      const { data } = await createClient(lark, app).im.v1.message.get({
        path: { message_id: said.messageId },
      });
      expect(data?.items?.[0]).toMatchObject({ msg_type: type, body: { content: said.content } });
    },
  );

  test.each(['image', 'file', 'audio', 'media'])(
    'what the sample of %s names can be downloaded',
    async (messageType) => {
      const { messageId, content } = lark.say({ chat: direct, from: ada, messageType });
      const { image_key, file_key } = JSON.parse(content) as Record<string, string>;
      const got = await createClient(lark, app).im.v1.messageResource.get({
        path: { message_id: messageId, file_key: file_key ?? image_key ?? '' },
        params: { type: file_key === undefined ? 'image' : 'file' },
      });
      expect(Number(got.headers['content-length'])).toBeGreaterThan(0);
    },
  );

  test('the documentation names them all', () => {
    const path = new URL('../../../docs/simulator.md', import.meta.url);
    const line = /^Types with a sample: (.*)\.$/m.exec(readFileSync(path, 'utf8'))?.[1];
    expect(line).toBe(SAMPLE_TYPES.map((type) => `\`${type}\``).join(', '));
  });
});

describe('im.message.updated_v1', () => {
  test('an app that subscribes to it hears of an edit, in the form of a new message', async () => {
    app.subscriptions.add('im.message.updated_v1');
    const said = lark.say({ chat: direct, from: ada, text: 'one' });
    lark.advance(1_000);
    lark.edit(said, { text: 'two' });
    await heard(2);
    expect(said.updatedAtMs).toBeGreaterThanOrEqual(said.createdAtMs + 1_000);
    expect(listener.heard[1]).toMatchObject({
      event_type: 'im.message.updated_v1',
      sender: { sender_id: { open_id: ada.openId } },
      message: {
        message_id: said.messageId,
        content: '{"text":"two"}',
        create_time: String(said.createdAtMs),
        update_time: String(said.updatedAtMs),
      },
    });
  });

  test('an edit that adds the mention of the bot is heard, and others are not told', async () => {
    app.subscriptions.add('im.message.updated_v1');
    const said = lark.say({ chat: group, from: ada, text: 'one' });
    lark.edit(said, { text: 'two' });
    lark.edit(said, { text: '{0} two', mentions: [app] });
    await heard(1);
    expect(told()).toEqual(['im.message.updated_v1']);
  });

  test('without the subscription nothing is heard', async () => {
    lark.edit(lark.say({ chat: direct, from: ada, text: 'one' }), { text: 'two' });
    await heard(1);
    expect(told()).toEqual(['im.message.receive_v1']);
  });
});

describe('a forwarded bundle', () => {
  test('has the parts of the bundles in it, with their authors and times', async () => {
    const first = lark.say({ chat: direct, from: ada, text: 'first', silent: true });
    lark.advance(60_000);
    const inner = lark.forward({ chat: direct, from: ada, messages: [first] });
    const outer = lark.forward({ chat: direct, from: ada, messages: [first, inner] });
    const { data } = await createClient(lark, app).im.v1.message.get({
      path: { message_id: outer.messageId },
    });
    const items = data?.items ?? [];
    expect(items.map(({ msg_type }) => msg_type)).toEqual([
      'merge_forward',
      'text',
      'merge_forward',
      'text',
    ]);
    const [, copy, bundle, innermost] = items;
    expect(copy).toMatchObject({
      upper_message_id: outer.messageId,
      create_time: String(first.createdAtMs),
      sender: { id: ada.openId },
    });
    expect(bundle?.upper_message_id).toBe(outer.messageId);
    expect(innermost?.upper_message_id).toBe(bundle?.message_id);
  });
});

describe('other events', () => {
  test('recalls, reactions, membership, menu and a dissolved group', async () => {
    const message = lark.say({ chat: group, from: ada, text: 'hi', mentions: [app] });
    const reaction = lark.react({ messageId: message, from: tom, emoji: 'OK' });
    lark.unreact(message, reaction);
    lark.recall(message);
    lark.openDirectChat(ada, app);
    lark.chooseMenu(app, ada, 'help');
    lark.removeBot(group, app, ada);
    lark.addBot(group, app, ada);
    lark.dissolve(group, ada);
    await heard(9);
    expect(told()).toEqual([
      'im.message.receive_v1',
      'im.message.reaction.created_v1',
      'im.message.reaction.deleted_v1',
      'im.message.recalled_v1',
      'im.chat.access_event.bot_p2p_chat_entered_v1',
      'application.bot.menu_v6',
      'im.chat.member.bot.deleted_v1',
      'im.chat.member.bot.added_v1',
      'im.chat.disbanded_v1',
    ]);
    const byType = new Map(listener.heard.map((one) => [one.event_type, one]));
    expect(byType.get('im.message.reaction.created_v1')).toMatchObject({
      message_id: message.messageId,
      reaction_type: { emoji_type: 'OK' },
      operator_type: 'user',
      user_id: { open_id: tom.openId },
    });
    expect(byType.get('im.message.recalled_v1')).toMatchObject({
      message_id: message.messageId,
      chat_id: group.chatId,
      recall_type: 'message_owner',
    });
    expect(byType.get('im.chat.member.bot.added_v1')).toMatchObject({
      chat_id: group.chatId,
      operator_id: { open_id: ada.openId },
      name: 'Team',
      external: false,
    });
    expect(byType.get('application.bot.menu_v6')).toMatchObject({
      event_key: 'help',
      operator: { operator_name: 'Ada', operator_id: { open_id: ada.openId } },
    });
    expect(byType.get('im.chat.access_event.bot_p2p_chat_entered_v1')).toMatchObject({
      chat_id: direct.chatId,
    });
  });

  test('a recall by somebody else has the type group_owner', async () => {
    const message = lark.say({ chat: group, from: tom, text: 'hi' });
    lark.recall(message, ada);
    await heard(1);
    expect(listener.heard[0]).toMatchObject({ recall_type: 'group_owner' });
    expect(lark.shows(group)[0]).toMatchObject({ recalled: true, text: '' });
  });
});
