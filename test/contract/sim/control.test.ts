import { afterEach, beforeEach, expect, test } from 'vitest';
import { CONTROL_COMMANDS } from '../../../src/sim/control/control-api.ts';
import { createDefaultWorld, environmentFor } from './default-world.ts';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import { callControl } from './control-call.ts';
import { createClient } from './sdk-client.ts';
import { Listener } from './sdk-listener.ts';

type Json = Record<string, unknown>;

let lark: LarkCloud;

beforeEach(async () => {
  lark = await startLarkCloud();
});

afterEach(() => lark.stop());

const ask = (method: string, path: string, fields: Json = {}) =>
  callControl(lark, method, path, fields);
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

test('lists every command with its fields, and every route of the API', async () => {
  const { commands, routes } = await get('');
  expect(commands).toHaveLength(CONTROL_COMMANDS.length);
  expect(commands).toContainEqual({
    method: 'POST',
    path: '/_control/say',
    fields: expect.arrayContaining([
      { name: 'chat', type: 'string', optional: false },
      { name: 'replyTo', type: 'string', optional: true },
      { name: 'inThread', type: 'true or false', optional: true },
    ]),
    answer: expect.any(String),
    doc: expect.any(String),
  });
  expect(routes).toContain('POST /open-apis/im/v1/messages/:message_id/reply');
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

test('makes a conversation and waits for its end', async () => {
  const echo = await connectEcho();
  expect(await get('/online', { app: 'Bridge' })).toEqual({ online: 1 });
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

test('presses buttons, opens chats, selects from the menu', async () => {
  const echo = await connectEcho();
  const { data } = await createClient(lark, echo.app).im.v1.message.create({
    params: { receive_id_type: 'chat_id' },
    data: {
      receive_id: echo.group.chatId,
      msg_type: 'interactive',
      content: JSON.stringify({
        elements: [{ tag: 'action', actions: [{ tag: 'button', value: { a: 1 } }] }],
      }),
    },
  });
  const messageId = data?.message_id;
  expect(await post('/press', { messageId, from: 'Ada', value: { a: 1 } })).toEqual({ ok: true });
  await post('/menu', { app: 'Bridge', from: 'Ada', eventKey: 'help' });
  await post('/open-direct-chat', { user: 'Ada', app: 'Bridge' });
  await lark.waitFor(() => lark.deliveries().filter(({ acked }) => acked).length === 3);
  echo.close();
});

test('makes faults and moves the time', async () => {
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

test('approves and denies device grants', async () => {
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
  ['POST', '/advance', { ms: -1 }, 'ms is not a number from 0'],
  [
    'POST',
    '/say',
    { chat: 'Team', from: 'Ada', reply_to: 'x' },
    'reply_to is unknown; known: chat,',
  ],
  ['POST', '/say', { text: 1, in: 2 }, 'in is unknown; known: '],
  ['POST', '/say', { text: 1, in: 2 }, 'chat is missing; from is missing; text is not a string'],
  ['POST', '/say', { chat: 'Team', from: 'Ada', inThread: true }, 'replyTo is missing'],
  ['GET', '/shows', { chat: 'Team', limit: '3' }, 'limit is unknown; known: chat, last'],
  ['GET', '/shows', { chat: 'Team', last: '0' }, 'last is not a whole number from 1'],
  ['GET', '/world', { all: 'yes' }, 'all is unknown; known: none'],
  ['POST', '/kick', { code: 1006 }, '1006 is not a close code'],
  ['POST', '/strangers', { app: 'Bridge', count: -1 }, 'count is not a whole number'],
  ['POST', '/faults', { kind: 'kick', often: 2 }, 'often is unknown'],
  ['POST', '/scans', { url: 'nonsense', approve: true }, 'url is not a URL'],
  ['POST', '/groups/bots', { chat: 'p2p', app: 'Bridge', by: 'Ada' }, 'there is no chat "p2p"'],
  ['POST', '/apps', { appId: 'mine' }, 'an app id is cli_ and 16 hex digits'],
  ['POST', '/scans', { userCode: 'NONE', approve: true }, 'unknown'],
  ['GET', '/online', { app: 'Bridge', timeoutMs: '10' }, 'Bridge has 0 of 1 connections'],
  [
    'GET',
    '/wait',
    { chat: 'Team', timeoutMs: '10' },
    'after 10 ms the chat shows 0 of 1 such messages; it is empty',
  ],
])('%s %s says what is wrong with %o', async (method, path, fields, message) => {
  createDefaultWorld(lark);
  const { status, body } = await ask(method, path, fields);
  expect(status).toBe(400);
  expect(body['error']).toContain(message);
});

test('a wait that ends in vain quotes what the chat shows instead', async () => {
  const { group, users } = createDefaultWorld(lark);
  const [ada] = users;
  for (let at = 0; at < 7; at += 1) lark.say({ chat: group, from: ada, text: `word ${at}` });
  const { body } = await ask('GET', '/wait', { chat: 'Team', containing: 'Two', timeoutMs: 10 });
  expect(body['error']).toMatch(
    /shows 0 of 1 such messages; its newest messages: om_\w+ of user:Ada "word 2", .*"word 6"$/,
  );
});

test('a press that fails says why in words', async () => {
  const { app, group } = createDefaultWorld(lark);
  lark.changeApp(app, { subscriptions: [] });
  const card = { elements: [{ tag: 'button', text: { tag: 'plain_text', content: 'Go' } }] };
  const sent = await createClient(lark, app).im.v1.message.create({
    params: { receive_id_type: 'chat_id' },
    data: { receive_id: group.chatId, msg_type: 'interactive', content: JSON.stringify(card) },
  });
  const messageId = sent.data?.message_id;
  expect(await post('/press', { messageId, from: 'Ada', label: 'Go' })).toEqual({
    ok: false,
    code: 200340,
    reason: 'The app has not subscribed to presses (card.action.trigger).',
  });
});

test.each([
  ['GET', '/say', 'there is no GET /_control/say (there is POST /_control/say)'],
  ['POST', '/sya', 'there is no POST /_control/sya; GET /_control lists every call'],
  ['DELETE', '', 'there is no DELETE /_control'],
])('%s %s is not a call: 404, with the list of calls', async (method, path, message) => {
  const { status, body } = await ask(method, path);
  expect(status).toBe(404);
  expect(body['error']).toContain(message);
  expect(body['known']).toContain('POST /_control/say');
});

test('a body that is not a JSON object is refused, whatever its content type is', async () => {
  for (const body of ['[]', 'chat', '"x"']) {
    const answer = await fetch(`${lark.controlUrl}/users`, { method: 'POST', body });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({ error: 'POST /users: the body is not a JSON object' });
  }
  const broken = await fetch(`${lark.controlUrl}/users`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: '{"name":"Ada",}',
  });
  expect([broken.status, await broken.json()]).toEqual([
    400,
    { error: expect.stringMatching(/not a JSON object: .*position 14/) as string },
  ]);
  // Python's urllib and curl send it like this by default.
  const answer = await fetch(`${lark.controlUrl}/users`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: '{"name":"Ada","email":null}',
  });
  expect(await answer.json()).toMatchObject({ name: 'Ada' });
});

test('the environment of a bridge fits the cloud', () => {
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
