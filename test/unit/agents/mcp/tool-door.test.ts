/** Who gets to the tools, and what happens to those who may not. */
import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { createTools, createTurn, post, reachOf, said, use, type Reach } from './tool-rig.ts';

const PING = { jsonrpc: '2.0', id: 1, method: 'ping' };

async function open() {
  const tools = createTools();
  const session = tools.open();
  return { ...tools, session, reach: await reachOf(session) };
}

/** With headers that `fetch` does not send. */
function raw(
  { url }: Pick<Reach, 'url'>,
  { method = 'POST', path, headers = {} }: { method?: string; path?: string; headers?: object },
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const options = { method, headers: { ...headers }, ...(path !== undefined && { path }) };
    const sent = request(url, options, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', reject);
    sent.end(method === 'POST' ? JSON.stringify(PING) : undefined);
  });
}

describe('only the holder of a token of an open session gets in', () => {
  test.each([
    ['none', {}],
    ['another one', { authorization: `Bearer ${'0'.repeat(64)}` }],
    ['an empty one', { authorization: 'Bearer ' }],
    ['another scheme', { authorization: 'Basic eA==' }],
  ])('%s: 401', async (_what, headers) => {
    const { reach } = await open();
    expect(await raw(reach, { headers })).toBe(401);
  });

  test('the token of a session that is closed: 401', async () => {
    const { reach, session, open: another } = await open();
    another();
    expect((await post(reach, PING)).status).toBe(200);
    session.close();
    expect((await post(reach, PING)).status).toBe(401);
  });

  test('it is in no log', async () => {
    const { reach, log } = await open();
    await post(reach, PING);
    await post({ ...reach, token: `${reach.token}x` }, PING);
    expect(JSON.stringify(log.lines)).not.toContain(reach.token);
  });
});

test('two sessions at once: each gets the answers to its own questions', async () => {
  const tools = createTools();
  const both = [0, 1].map(() => ({ session: tools.open(), ...createTurn() }));
  const answers = both.map(async ({ session, turn }) => {
    session.attach(turn);
    return use(await reachOf(session), 'ask_person', { question: 'Go on?' });
  });
  for (const [at, { asked }] of both.entries()) {
    await expect.poll(() => asked.length).toBe(1);
    asked[0]?.answer(said(`answer ${at}`));
  }
  expect(await Promise.all(answers)).toMatchObject([{ text: 'answer 0' }, { text: 'answer 1' }]);
});

test('closing a session ends its open calls', async () => {
  const { reach, session } = await open();
  const { turn, asked } = createTurn();
  session.attach(turn);
  const answer = use(reach, 'ask_person', { question: 'Go on?' });
  const ended = expect(answer).rejects.toThrow();
  await expect.poll(() => asked.length).toBe(1);
  session.close();
  await ended;
});

test('nobody listens after the last session is closed, and the next one is served again', async () => {
  const tools = createTools();
  const first = tools.open();
  const reach = await reachOf(first);
  first.close();
  await expect(post(reach, PING)).rejects.toThrow();
  expect((await post(await reachOf(tools.open()), PING)).status).toBe(200);
});

describe('the machine', () => {
  test('it is called by an address, and by no name of a web page', async () => {
    const { reach } = await open();
    const authorization = `Bearer ${reach.token}`;
    expect(new URL(reach.url).hostname).toBe('127.0.0.1');
    const host = 'evil.example';
    expect(await raw(reach, { headers: { authorization, host } })).toBe(421);
  });

  test('no web page may call it, whatever it is, and no answer is for pages', async () => {
    const { reach } = await open();
    for (const origin of ['null', 'http://localhost:3000', new URL(reach.url).origin]) {
      const response = await post(reach, PING, { headers: { origin } });
      expect(response.status).toBe(403);
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
    }
    expect(await raw(reach, { method: 'OPTIONS' })).toBe(405);
  });

  test.each(['GET', 'DELETE', 'PUT'])('%s: 405, without a stream', async (method) => {
    const { reach } = await open();
    const headers = { authorization: `Bearer ${reach.token}`, accept: 'text/event-stream' };
    const response = await fetch(reach.url, { method, headers });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
    await response.body?.cancel();
  });

  test('another path: 404', async () => {
    const { reach } = await open();
    const headers = { authorization: `Bearer ${reach.token}` };
    expect(await raw(reach, { path: '/mcp/../x', headers })).toBe(404);
  });
});

describe('hostile bodies', () => {
  test.each([
    ['no JSON', '{bad', 400],
    ['nothing', '', 400],
    ['a number', '7', 400],
    ['no message', '{"jsonrpc":"1.0","id":1,"method":"ping"}', 400],
    ['an id that is an object', '{"jsonrpc":"2.0","id":{},"method":"ping"}', 400],
    ['too many at once', JSON.stringify(Array.from({ length: 1_000 }, () => PING)), 400],
    ['deep nesting', `${'['.repeat(30_000)}${']'.repeat(30_000)}`, 400],
    [
      'polluted',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"__proto__":{"x":1}}}',
      200,
    ],
  ])('%s', async (_what, body, status) => {
    const { reach } = await open();
    const response = await post(reach, body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { message: expect.any(String) } });
    expect((await post(reach, PING)).status).toBe(200);
  });

  test('more than 64 KB: 413, whether its length was said or not', async () => {
    const { reach } = await open();
    const large = JSON.stringify({ ...PING, params: { x: 'x'.repeat(64 * 1024) } });
    expect((await post(reach, large)).status).toBe(413);
    const status = await new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${reach.token}`, 'transfer-encoding': 'chunked' };
      const sent = request(reach.url, { method: 'POST', headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on('error', reject);
      sent.end(large);
    });
    expect(status).toBe(413);
  });

  test('no more than 32 calls of a session wait at once, and others go on', async () => {
    const { reach, session, open: another } = await open();
    const { turn, asked } = createTurn();
    session.attach(turn);
    const calls = Array.from({ length: 32 }, (_, at) =>
      use(reach, 'ask_person', { question: `question ${at % 8}` }),
    );
    await expect.poll(async () => (await post(reach, PING)).status).toBe(429);
    expect(asked).toHaveLength(8);
    expect((await post(await reachOf(another()), PING)).status).toBe(200);
    for (const { answer } of asked) answer(said('yes'));
    await Promise.all(calls);
    expect((await post(reach, PING)).status).toBe(200);
  });
});
