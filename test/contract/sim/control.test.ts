import { afterEach, beforeEach, expect, test } from 'vitest';
import { CONTROL_COMMANDS } from '../../../src/sim/control/control.ts';
import { createDefaultWorld, environmentFor } from '../../../src/sim/world/default-world.ts';
import type { LarkCloud } from '../../../src/sim/lark-cloud.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import { createClient } from './sdk-client.ts';
import { Listener } from './sdk-listener.ts';

type Json = Record<string, unknown>;

let lark: LarkCloud;

beforeEach(async () => {
  lark = await startLarkCloud();
});

afterEach(() => lark.stop());

async function ask(method: string, path: string, fields: Json = {}) {
  const query =
    method === 'GET' ? `?${new URLSearchParams(fields as Record<string, string>).toString()}` : '';
  const response = await fetch(lark.controlUrl + path + query, {
    method,
    ...(method !== 'GET' && {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(fields),
    }),
  });
  return { status: response.status, body: (await response.json()) as Json };
}

const get = async (path: string, fields: Json = {}) => (await ask('GET', path, fields)).body;
const post = async (path: string, fields: Json = {}) => (await ask('POST', path, fields)).body;

/** The default world with its bot connected; the bot answers every message with its text. */
async function connectEcho() {
  const world = createDefaultWorld(lark);
  const client = createClient(lark, world.app);
  const listener = new Listener(lark, world.app, {
    handle: async ({ event_type: type, message }) => {
      if (type !== 'im.message.receive_v1') return;
      await client.im.v1.message.reply({
        path: { message_id: message.message_id },
        data: { msg_type: 'text', content: message.content },
      });
    },
  }).start();
  await lark.waitFor(() => lark.online(world.app) === 1);
  return { ...world, close: () => listener.close() };
}

test('lists its commands', async () => {
  const { commands } = await get('');
  expect(commands).toHaveLength(CONTROL_COMMANDS.length);
  expect(commands).toContainEqual({
    method: 'POST',
    path: '/_control/say',
    fields: expect.any(String),
    answer: expect.any(String),
    doc: expect.any(String),
  });
});

test('builds a world from nothing', async () => {
  const app = await post('/apps', { name: 'Helper', appId: 'cli_0123456789abcdef' });
  expect(app).toMatchObject({ appId: 'cli_0123456789abcdef', name: 'Helper', online: 0 });
  await post('/users', { name: 'Ada' });
  const group = await post('/groups', { name: 'Team', members: ['Ada'], apps: ['Helper'] });
  const direct = await post('/direct-chats', { user: 'Ada', app: 'Helper' });
  const world = await get('/world');
  expect(world).toMatchObject({
    apps: [app],
    users: [{ name: 'Ada' }],
    chats: [group, direct],
    openBaseUrl: lark.openBaseUrl,
  });
  await ask('DELETE', '/groups/bots', { chat: 'Team', app: 'Helper', by: 'Ada' });
  expect(lark.findChat('Team').bots.size).toBe(0);
  await post('/groups/bots', { chat: 'Team', app: 'Helper', by: 'Ada' });
  await post('/dissolve', { chat: 'Team', by: 'Ada' });
  expect(lark.findChat('Team')).toMatchObject({ dissolved: true });
});

test('plays a conversation and waits for its end', async () => {
  const echo = await connectEcho();
  const said = await post('/say', {
    chat: 'Team',
    from: 'Ada',
    text: 'hello {0}',
    mentions: ['Bridge'],
  });
  const { messages } = await get('/wait', {
    chat: 'Team',
    from: `app:${echo.app.appId}`,
    replyTo: said['messageId'],
    containing: 'hello',
  });
  expect(messages).toMatchObject([{ replyTo: said['messageId'] }]);
  await post('/react', { messageId: said['messageId'], from: 'Grace', emoji: 'OK' });
  await post('/recall', { messageId: said['messageId'] });
  expect(await get('/shows', { chat: 'Team', last: '2' })).toMatchObject({
    messages: [{ recalled: true, reactions: [{ emoji: 'OK', by: 'user:Grace' }] }, {}],
  });
  await lark.waitFor(() => lark.deliveries().length === 3);
  const { deliveries } = await get('/deliveries', { eventType: 'im.message.receive_v1' });
  expect(deliveries).toMatchObject([{ messageId: said['messageId'], tries: 1 }]);
  const { calls } = await get('/calls', { path: '/reply' });
  expect(calls).toMatchObject([{ status: 200, code: 0 }]);
  echo.close();
});

test('presses buttons, opens chats, chooses from the menu', async () => {
  const echo = await connectEcho();
  const { data } = await createClient(lark, echo.app).im.v1.message.create({
    params: { receive_id_type: 'chat_id' },
    data: {
      receive_id: echo.group.chatId,
      msg_type: 'interactive',
      content: '{"schema":"2.0","body":{"elements":[]}}',
    },
  });
  const messageId = data?.message_id;
  expect(await post('/press', { messageId, from: 'Ada', value: { a: 1 } })).toEqual({ ok: true });
  await post('/menu', { app: 'Bridge', from: 'Ada', eventKey: 'help' });
  await post('/open-direct-chat', { user: 'Ada', app: 'Bridge' });
  await lark.waitFor(() => lark.deliveries().filter(({ acked }) => acked).length === 3);
  echo.close();
});

test('makes weather and moves time', async () => {
  const echo = await connectEcho();
  await post('/faults', { kind: 'event_drop', times: 2 });
  expect(await get('/faults')).toMatchObject({ waiting: [{ kind: 'event_drop', times: 2 }] });
  await post('/say', { chat: 'Team', from: 'Ada', text: 'x', mentions: ['Bridge'] });
  expect(await post('/redeliver', { app: 'Bridge' })).toEqual({ count: 1 });
  expect(await get('/faults')).toMatchObject({ waiting: [], counts: { event_drop: 2 } });
  await post('/advance', { ms: 300_000 });
  await lark.waitFor(() => lark.deliveries()[0]?.acked);
  await ask('PUT', '/faults', { rates: { kick: 0.5 } });
  expect(await get('/faults')).toMatchObject({ plan: { rates: { kick: 0.5 } } });
  await ask('DELETE', '/faults');
  expect(await get('/faults')).toMatchObject({ plan: { rates: {} } });
  await post('/strangers', { app: 'Bridge', count: 3 });
  await post('/revoke-tokens', { app: 'Bridge' });
  expect(await post('/kick', { app: 'Bridge', code: 1001 })).toEqual({ count: 1 });
  echo.close();
});

test('decides about device grants', async () => {
  const begin = await fetch(`${lark.accountsBaseUrl}/oauth/v1/app/registration`, {
    method: 'POST',
    body: new URLSearchParams({
      action: 'begin',
      archetype: 'PersonalAgent',
      auth_method: 'client_secret',
    }),
  });
  const { user_code: userCode } = (await begin.json()) as { user_code: string };
  expect(await get('/scans')).toEqual({ userCodes: [userCode] });
  const app = await post('/scans', { userCode, approve: true, brand: 'lark' });
  expect(app).toMatchObject({ brand: 'lark', appId: expect.stringMatching(/^cli_/) });
  expect(await get('/scans')).toEqual({ userCodes: [] });
});

test.each([
  ['POST', '/say', { chat: 'Nowhere', from: 'Ada', text: 'x' }, 'there is no chat "Nowhere"'],
  ['POST', '/say', { from: 'Ada' }, 'chat is missing'],
  ['POST', '/say', { chat: 'Team', from: 'Ada', mentions: 'all' }, 'mentions is not a list'],
  ['POST', '/faults', { kind: 'flood' }, 'kind is none of'],
  ['POST', '/faults', { kind: 'kick', code: 'x' }, 'code of kick is not a number'],
  ['POST', '/advance', { ms: -1 }, 'forward only'],
  ['POST', '/apps', { appId: 'mine' }, 'an app id is cli_ and 16 hex digits'],
  ['POST', '/scans', { userCode: 'NONE', approve: true }, 'unknown'],
  ['GET', '/wait', { chat: 'Team', timeoutMs: '10' }, 'after 10 ms the chat shows 0 of 1'],
])('%s %s says what is wrong with %o', async (method, path, fields, message) => {
  createDefaultWorld(lark);
  const { status, body } = await ask(method, path, fields);
  expect(status).toBe(400);
  expect(body['error']).toContain(message);
});

test('the default world comes with the environment of a bridge', () => {
  const { app, users, group } = createDefaultWorld(lark, { appId: 'cli_0123456789abcdef' });
  expect(environmentFor(lark, app)).toEqual({
    LARK_APP_ID: 'cli_0123456789abcdef',
    LARK_APP_SECRET: app.appSecret,
    LARK_OPEN_BASE_URL: lark.openBaseUrl,
    LARK_ACCOUNTS_BASE_URL: lark.accountsBaseUrl,
  });
  expect(users.map(({ name }) => name)).toEqual(['Ada', 'Grace']);
  expect([...group.members]).toEqual(users.map(({ openId }) => openId));
});
