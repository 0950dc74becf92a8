/** What a test in any language can let people do: everything that one in JavaScript can. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDefaultWorld } from './default-world.ts';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import type { SimApp, SimChat } from '../../../src/sim/world/model.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import { callControl } from './control-call.ts';
import { codeOf, createClient } from './sdk-client.ts';

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const MINUTE_MS = 60_000;

let lark: LarkCloud;
let app: SimApp;
let group: SimChat;

beforeEach(async () => {
  lark = await startLarkCloud();
  ({ app, group } = createDefaultWorld(lark));
  app.scopes.add('im:message.group_msg');
});

afterEach(() => lark.stop());

const ask = (method: string, path: string, fields = {}) => callControl(lark, method, path, fields);
const post = async (path: string, fields = {}) => (await ask('POST', path, fields)).body;

/** The history of the group as the app reads it, oldest first. */
async function history() {
  const { data } = await createClient(lark, app).im.v1.message.list({
    params: { container_id_type: 'chat', container_id: group.chatId },
  });
  return data?.items ?? [];
}

describe('attachments', () => {
  const said = async (key: string) =>
    post('/say', {
      chat: 'Team',
      from: 'Ada',
      messageType: 'image',
      content: { image_key: key },
      mentions: ['Bridge'],
    });
  const downloaded = async (messageId: unknown, key: string) => {
    const file = await createClient(lark, app).im.v1.messageResource.get({
      path: { message_id: String(messageId), file_key: key },
      params: { type: 'image' },
    });
    const chunks: Uint8Array[] = [];
    for await (const chunk of file.getReadableStream()) chunks.push(chunk as Uint8Array);
    return Buffer.concat(chunks);
  };

  test('are uploaded by a person as base64 and reach the app as they were', async () => {
    const base64 = PNG.toString('base64');
    const upload = await post('/uploads', { from: 'Ada', kind: 'image', base64 });
    expect(upload).toMatchObject({ contentType: 'image/png', bytes: PNG.length });
    const key = String(upload['key']);
    const { messageId } = await said(key);
    expect(await downloaded(messageId, key)).toEqual(PNG);
  });

  test('can be the raw body, whatever its content type is', async () => {
    for (const type of ['image/png', 'application/x-www-form-urlencoded', 'application/json']) {
      const answer = await fetch(`${lark.controlUrl}/uploads?from=Ada&kind=image`, {
        method: 'POST',
        headers: { 'content-type': type },
        body: PNG,
      });
      const { key } = (await answer.json()) as { key: string };
      const { messageId } = await said(key);
      expect(await downloaded(messageId, key)).toEqual(PNG);
    }
  });

  test('have the name and type of a file', async () => {
    const upload = await post('/uploads', {
      from: 'Ada',
      kind: 'file',
      base64: 'JVBERg==',
      fileName: 'plan.pdf',
      fileType: 'pdf',
    });
    expect(upload).toMatchObject({
      fileName: 'plan.pdf',
      contentType: 'application/pdf',
      bytes: 4,
    });
  });

  test('must be base64', async () => {
    const { status, body } = await ask('POST', '/uploads', {
      from: 'Ada',
      kind: 'image',
      base64: 'no base!',
    });
    expect(status).toBe(400);
    expect(body['error']).toContain('base64 is not base64');
  });
});

describe('messages', () => {
  test('a forwarded bundle has its parts before the app gets the event', async () => {
    const first = await post('/say', { chat: 'Team', from: 'Ada', text: 'one' });
    const second = await post('/say', { chat: 'Team', from: 'Grace', text: 'two' });
    const direct = await post('/direct-chats', { user: 'Ada', app: 'Bridge' });
    const { messageId } = await post('/forward', {
      chat: direct['chatId'],
      from: 'Ada',
      messages: [first['messageId'], second['messageId']],
    });
    const { data } = await createClient(lark, app).im.v1.message.get({
      path: { message_id: String(messageId) },
    });
    expect(data?.items?.map((item) => [item.msg_type, item.body?.content])).toEqual([
      ['merge_forward', '{"content":"Merged and Forwarded Message"}'],
      ['text', '{"text":"one"}'],
      ['text', '{"text":"two"}'],
    ]);
    expect(data?.items?.[1]?.upper_message_id).toBe(messageId);
    const told = lark.deliveries().filter((delivery) => delivery.messageId === messageId);
    expect(told).toHaveLength(1);
  });

  test('are edited by their author, and the history shows the edit', async () => {
    const { messageId } = await post('/say', { chat: 'Team', from: 'Ada', text: 'one' });
    expect(await post('/edit', { messageId, text: '{0} two', mentions: ['Bridge'] })).toEqual({
      messageId,
      edits: 1,
    });
    expect(await history()).toMatchObject([
      { updated: true, body: { content: '{"text":"@_user_1 two"}' }, mentions: [{}] },
    ]);
  });

  test("messages of apps and recalled messages can't be edited by people", async () => {
    const { messageId } = await post('/say', { chat: 'Team', from: 'Ada', text: 'one' });
    await post('/recall', { messageId });
    const refused = await ask('POST', '/edit', { messageId, text: 'two' });
    expect(refused.status).toBe(400);
    expect(refused.body['error']).toContain('is recalled');
    const own = lark.say({ chat: group, from: app, text: 'mine' });
    const other = await ask('POST', '/edit', { messageId: own.messageId, text: 'yours' });
    expect(other.body['error']).toContain('was written by an app');
  });

  test('a reaction can be removed', async () => {
    const { messageId } = await post('/say', { chat: 'Team', from: 'Ada', text: 'one' });
    const { reactionId } = await post('/react', { messageId, from: 'Grace', emoji: 'OK' });
    await post('/unreact', { messageId, reactionId });
    expect(lark.shows(group)[0]?.reactions).toEqual([]);
    expect(lark.deliveries({ eventType: 'im.message.reaction.deleted_v1' })).toHaveLength(1);
    const again = await ask('POST', '/unreact', { messageId, reactionId });
    expect(again.body['error']).toContain('has no reaction');
  });

  test('can be read', async () => {
    const { messageId } = lark.say({ chat: group, from: app, text: 'mine' });
    const readers = () => [...lark.findMessage(messageId).readAtMs.keys()];
    expect(readers()).toEqual([]);
    await post('/read', { messageId, by: 'Grace' });
    expect(readers()).toEqual([lark.findUser('Grace').openId]);
    const nobody = await ask('POST', '/read', { messageId, by: 'Nobody' });
    expect(nobody.status).toBe(400);
  });

  test('messages from the past are in their place in the history, and the event has their time', async () => {
    const early = await post('/say', { chat: 'Team', from: 'Ada', text: 'late', agoMs: 1 });
    const atMs = lark.world.nowMs() - 40 * MINUTE_MS;
    const old = await post('/say', { chat: 'Team', from: 'Ada', text: 'early', atMs });
    expect(await history()).toMatchObject([
      { message_id: old['messageId'], create_time: String(atMs) },
      { message_id: early['messageId'] },
    ]);
    expect(lark.deliveries({ eventType: 'im.message.receive_v1' })).toHaveLength(2);
    const newest = await post('/say', { chat: 'Team', from: 'Ada', text: 'now' });
    expect((await history()).at(-1)).toMatchObject({ message_id: newest['messageId'] });
  });

  test('messages from the past are in the pages of the list', async () => {
    for (const agoMs of [5, 1, 3, 2, 4]) {
      await post('/say', {
        chat: 'Team',
        from: 'Ada',
        text: String(agoMs),
        agoMs: agoMs * MINUTE_MS,
      });
    }
    const texts: (string | undefined)[] = [];
    let token: string | undefined;
    do {
      const { data } = await createClient(lark, app).im.v1.message.list({
        params: {
          container_id_type: 'chat',
          container_id: group.chatId,
          page_size: 2,
          ...(token !== undefined && { page_token: token }),
        },
      });
      texts.push(...(data?.items ?? []).map((item) => item.body?.content));
      token = data?.has_more === true ? data.page_token : undefined;
    } while (token !== undefined);
    expect(texts).toEqual([5, 4, 3, 2, 1].map((n) => `{"text":"${n}"}`));
  });

  test.each([
    [{ atMs: Number.MAX_SAFE_INTEGER }, 'atMs is not'],
    [{ atMs: 4_000_000_000_000 }, 'atMs is in the future'],
    [{ atMs: 1, agoMs: 1 }, 'give only one of'],
  ])('an impossible time is refused: %o', async (time, message) => {
    const { status, body } = await ask('POST', '/say', { chat: 'Team', from: 'Ada', ...time });
    expect(status).toBe(400);
    expect(body['error']).toContain(message);
  });

  test("a reply can't be older than its message", async () => {
    const { messageId } = await post('/say', { chat: 'Team', from: 'Ada', text: 'one' });
    const reply = { chat: 'Team', from: 'Ada', text: 'two', replyTo: messageId, agoMs: MINUTE_MS };
    expect((await ask('POST', '/say', reply)).body['error']).toContain('was written');
  });

  test('a history can be added without events for apps', async () => {
    const { messageIds } = await post('/history', {
      chat: 'Team',
      messages: [
        { from: 'Ada', text: 'any orders?', agoMs: 3 * MINUTE_MS },
        { from: 'Bridge', text: 'two', agoMs: 2 * MINUTE_MS, replyTo: '#0', inThread: true },
        { from: 'Grace', text: 'thanks', agoMs: MINUTE_MS, replyTo: '#1' },
      ],
    });
    const [root, , last] = messageIds as string[];
    const shown = lark.shows(group);
    expect(shown.map(({ text }) => text)).toEqual(['any orders?', 'two', 'thanks']);
    expect(shown[2]).toMatchObject({
      messageId: last,
      replyTo: root,
      threadId: shown[0]?.threadId,
    });
    expect(lark.deliveries()).toEqual([]);
    const wrong = await ask('POST', '/history', {
      chat: 'Team',
      messages: [{ from: 'Ada', text: 'x', replyTo: '#0' }],
    });
    expect(wrong.body['error']).toContain('messages[0]: replyTo #0 is not an earlier message');
  });
});

describe('groups and apps', () => {
  test('people join and leave, and a group is renamed', async () => {
    await post('/users', { name: 'Tom' });
    await post('/groups/members', { chat: 'Team', user: 'Tom' });
    await ask('DELETE', '/groups/members', { chat: 'Team', user: 'Ada' });
    const renamed = await ask('PUT', '/groups', { chat: 'Team', name: 'Crew' });
    expect(renamed.body).toMatchObject({ name: 'Crew', members: ['Grace', 'Tom'] });
    const gone = await ask('POST', '/say', { chat: 'Crew', from: 'Ada', text: 'hi' });
    expect(gone.body['error']).toContain('Ada is not in');
    const twice = await ask('POST', '/groups/members', { chat: 'Crew', user: 'Tom' });
    expect(twice.body['error']).toContain('already');
  });

  test('the fields of a call without a body may be in the query', async () => {
    const answer = await fetch(`${lark.controlUrl}/groups/members?chat=Team&user=Grace`, {
      method: 'DELETE',
    });
    expect(answer.status).toBe(200);
    expect(group.members.size).toBe(1);
  });

  test('nobody can join or leave a direct chat', async () => {
    const { chatId } = await post('/direct-chats', { user: 'Ada', app: 'Bridge' });
    for (const [method, path, fields] of [
      ['POST', '/groups/members', { user: 'Grace' }],
      ['POST', '/groups/bots', { app: 'Bridge', by: 'Ada' }],
      ['POST', '/dissolve', { by: 'Ada' }],
      ['PUT', '/groups', { name: 'x' }],
    ] as const) {
      const { status, body } = await ask(method, path, { chat: chatId, ...fields });
      expect(status).toBe(400);
      expect(body['error']).toContain('is a direct chat');
    }
  });

  test('scopes, events and the bot of an app can be changed', async () => {
    const changed = await ask('PUT', '/apps', {
      app: 'Bridge',
      addScopes: ['contact:contact.base:readonly'],
      removeScopes: ['im:resource'],
      subscriptions: [],
      bot: false,
    });
    expect(changed.body).toMatchObject({ bot: false, subscriptions: [] });
    expect(changed.body['scopes']).toContain('contact:contact.base:readonly');
    expect(changed.body['scopes']).not.toContain('im:resource');
    const send = createClient(lark, app).im.v1.message.create({
      params: { receive_id_type: 'chat_id' },
      data: { receive_id: group.chatId, msg_type: 'text', content: '{"text":"hi"}' },
    });
    expect(await codeOf(send)).toBe(230006);
    const { body } = await ask('PUT', '/apps', {
      app: 'Bridge',
      scopes: ['im:message'],
      bot: true,
    });
    expect(body).toMatchObject({ scopes: ['im:message'], bot: true });
  });

  test('the list of the world has emails and subscriptions', async () => {
    await post('/users', { name: 'Tom', email: 'tom@example.com' });
    const { body } = await ask('GET', '/world');
    expect(body['users']).toContainEqual(expect.objectContaining({ email: 'tom@example.com' }));
    expect(body['apps']).toMatchObject([
      { subscriptions: expect.arrayContaining(['im.message.receive_v1']) as string[] },
    ]);
    const twice = await ask('POST', '/users', { name: 'Tim', email: 'tom@example.com' });
    expect(twice.body['error']).toContain('has the email');
  });
});
