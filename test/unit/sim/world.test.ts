import { beforeEach, describe, expect, test } from 'vitest';
import type { SimChat, SimMessage, SimUser } from '../../../src/sim/world/model.ts';
import { World } from '../../../src/sim/world/world.ts';

let nowMs: number;
let world: World;
let ada: SimUser;
let group: SimChat;

beforeEach(() => {
  nowMs = 1_700_000_000_000;
  world = new World({ nowMs: () => nowMs, seed: 1 });
  ada = world.addUser({ name: 'Ada' });
  group = world.addGroup({ name: 'Team', members: [ada] });
});

function post(text: string, more: { replyTo?: SimMessage; inThread?: boolean } = {}): SimMessage {
  const sender = { kind: 'user', openId: ada.openId } as const;
  return world.post({ chat: group, sender, msgType: 'text', content: text, ...more });
}

describe('ids', () => {
  test("have the platform's formats", () => {
    const app = world.addApp();
    expect(app.appId).toMatch(/^cli_[0-9a-f]{16}$/);
    expect(app.botOpenId).toMatch(/^ou_[0-9a-f]{32}$/);
    expect(ada.openId).toMatch(/^ou_[0-9a-f]{32}$/);
    expect(ada.unionId).toMatch(/^on_[0-9a-f]{32}$/);
    expect(group.chatId).toMatch(/^oc_[0-9a-f]{32}$/);
    expect(post('x').messageId).toMatch(/^om_[0-9a-f]{32}$/);
    expect(world.ids.card()).toMatch(/^\d{1,20}$/);
    expect(world.ids.image()).toMatch(/^img_v3_/);
    expect(world.ids.file()).toMatch(/^file_v3_/);
  });

  test('are the same for the same seed, and different for another', () => {
    const [a, b, c] = [1, 1, 2].map(
      (seed) => new World({ nowMs: () => nowMs, seed }).addApp().appId,
    );
    expect(a).toBe(b);
    expect(a).not.toBe(c);
  });

  test('do not repeat', () => {
    const ids = new Set(Array.from({ length: 10_000 }, () => world.ids.message()));
    expect(ids.size).toBe(10_000);
  });
});

describe('people and chats', () => {
  test('a person is found by every id', () => {
    expect(world.findUser('open_id', ada.openId)).toBe(ada);
    expect(world.findUser('union_id', ada.unionId)).toBe(ada);
    expect(world.findUser('user_id', ada.userId)).toBe(ada);
    expect(world.findUser('email', ada.email)).toBe(ada);
    expect(world.findUser('email', ada.openId)).toBeUndefined();
  });

  test('a person and a bot have one direct chat', () => {
    const [app, other] = [world.addApp(), world.addApp()];
    const chat = world.directChat(ada, app);
    expect(world.directChat(ada, app)).toBe(chat);
    expect(world.directChat(ada, other)).not.toBe(chat);
    expect(chat).toMatchObject({ mode: 'p2p', ownerId: undefined });
  });

  test('an app id is unique, and has a format that clients accept', () => {
    world.addApp({ appId: 'cli_0123456789abcdef' });
    expect(() => world.addApp({ appId: 'cli_0123456789abcdef' })).toThrow(
      'there is already an app',
    );
    expect(() => world.addApp({ appId: 'cli_short' })).toThrow('16 hex digits');
  });
});

describe('messages', () => {
  test('a chain of replies keeps its first message as root', () => {
    const first = post('1');
    const second = post('2', { replyTo: first });
    const third = post('3', { replyTo: second });
    expect(third).toMatchObject({ parentId: second.messageId, rootId: first.messageId });
    expect(third.threadId).toBeUndefined();
  });

  test('a reply in a thread opens it under the parent, and later replies stay in it', () => {
    const first = post('1');
    const second = post('2', { replyTo: first });
    const opened = post('3', { replyTo: second, inThread: true });
    const stays = post('4', { replyTo: opened });
    const again = post('5', { replyTo: second, inThread: true });
    const { threadId = '' } = opened;
    expect(second.threadId).toBe(threadId);
    expect(first.threadId).toBeUndefined();
    for (const one of [opened, stays, again]) {
      expect(one).toMatchObject({
        threadId,
        rootId: second.messageId,
        parentId: second.messageId,
      });
    }
    expect(world.threads.get(threadId)?.messages).toEqual([second, opened, stays, again]);
  });

  test('positions increase, also within a millisecond', () => {
    const positions = [post('1'), post('2'), post('3')].map(({ position }) => position);
    expect(positions).toEqual([...positions].toSorted((a, b) => a - b));
    expect(new Set(positions).size).toBe(3);
  });

  test('edits and recalls set the time of the update', () => {
    const message = post('1');
    nowMs += 5;
    world.edit(message, { content: '2' });
    expect(message).toMatchObject({ content: '2', edits: 1, updatedAtMs: nowMs, msgType: 'text' });
    nowMs += 5;
    world.recall(message);
    expect(message).toMatchObject({ recalled: true, updatedAtMs: nowMs });
  });

  test('a full chat drops its oldest messages', () => {
    world = new World({ nowMs: () => nowMs, seed: 1, messagesPerChatMax: 100 });
    ada = world.addUser({ name: 'Ada' });
    group = world.addGroup({ name: 'Team', members: [ada] });
    const first = post('0');
    for (let at = 1; at < 1_000; at += 1) post(String(at));
    expect(group.messages.length).toBeLessThan(126);
    expect(group.messages.at(-1)?.content).toBe('999');
    expect(world.messages.size).toBe(group.messages.length);
    expect(world.messages.has(first.messageId)).toBe(false);
  });
});
