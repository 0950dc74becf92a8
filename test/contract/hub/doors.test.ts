/** What the hub refuses before it works for it: F2, F3, F4, F12, F22 and F23 are kinds of attacks. */
import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { clockWithShortWaits } from '../../kit/clock.ts';
import { PROVISION_TOKEN, requestOf, Rig, type Account } from './rig.ts';

const KB = 1024;
const MB = 1024 * KB;

interface Head {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Told {
  readonly status: number | undefined;
  readonly body: string;
}

/** Sends the head of a request and nothing of its body, and waits for the answer. */
function toldByHead(rig: Rig, { method = 'POST', path, headers = {} }: Head): Promise<Told> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(rig.hub.address + path, {
      method,
      headers: { 'Content-Length': '10', ...headers },
    });
    request.on('response', (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => {
        resolve({ status: response.statusCode, body });
        request.destroy();
      });
    });
    request.on('error', reject);
    request.flushHeaders();
  });
}

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

/** Every route that takes a body. */
const BODY_PATHS = [
  '/registry/register',
  '/registry/heartbeat',
  '/registry/update-card',
  '/workspaces/ID/activity',
  '/workspaces/ID/activity/ack',
  '/workspaces/ID/notify',
  '/workspaces/ID/a2a',
];

describe('F2: a request is judged before the first byte of its body', () => {
  test.each(BODY_PATHS)('%s: without a token, and with a wrong one, 401', async (template) => {
    const rig = await Rig.start();
    const path = template.replace('ID', (await rig.bridge()).id);
    for (const headers of [{}, bearer('wrong')]) {
      expect((await toldByHead(rig, { path, headers })).status).toBe(401);
    }
  });

  test("the token of another workspace does not open a workspace's routes", async () => {
    const rig = await Rig.start();
    const other = await rig.addAgent('far-away', 'external');
    const at = `/workspaces/${(await rig.bridge()).id}`;
    for (const path of [`${at}/activity`, `${at}/activity/ack`, `${at}/notify`]) {
      const headers = bearer(other.token);
      expect((await toldByHead(rig, { path, headers })).status).toBe(401);
    }
  });

  test('a route that does not exist reads no body', async () => {
    const rig = await Rig.start();
    expect((await toldByHead(rig, { path: '/webhook' })).status).toBe(404);
    expect((await toldByHead(rig, { method: 'DELETE', path: '/webhook' })).status).toBe(404);
  });

  test.each([
    'text/plain',
    'Text/Plain; charset=utf-8',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
  ])('a body as %s, which any web page can send, is refused with 415', async (type) => {
    const rig = await Rig.start();
    const { id, token } = await rig.bridge();
    for (const template of BODY_PATHS) {
      const path = template.replace('ID', id);
      const headers = { ...bearer(token), 'Content-Type': type };
      const told = await toldByHead(rig, { path, headers });
      expect(told.status).toBe(415);
      expect(told.body).toContain('application/json');
    }
  });

  test.each([
    ['/workspaces/ID/a2a', MB],
    ['/workspaces/ID/notify', 64 * KB],
    ['/workspaces/ID/activity', 64 * KB],
    ['/registry/register', 64 * KB],
    ['/registry/heartbeat', 64 * KB],
    ['/registry/update-card', 64 * KB],
  ])('MOL-RES-08: %s takes at most %i bytes', async (template, bytesMax) => {
    const rig = await Rig.start();
    const { id, token } = await rig.bridge();
    const path = template.replace('ID', id);
    const headers = { ...bearer(token), 'Content-Length': String(bytesMax + 1) };
    const told = await toldByHead(rig, { path, headers });
    expect(told.status).toBe(413);
    expect(JSON.parse(told.body)).toEqual({
      error: 'request body too large',
      truncated: true,
      max_bytes: bytesMax,
    });
  });

  test('a body without a length is cut off at the bound of its route', async () => {
    const rig = await Rig.start();
    const { id, token } = await rig.bridge();
    const chunks = async function* () {
      yield Buffer.from(JSON.stringify({ message: 'x'.repeat(65 * KB) }));
    };
    const response = await fetch(`${rig.hub.address}/workspaces/${id}/notify`, {
      method: 'POST',
      headers: { ...bearer(token), 'Content-Type': 'application/json' },
      body: ReadableStream.from(chunks()),
      duplex: 'half',
    });
    expect(response.status).toBe(413);
  });

  test.each(['https://evil.example', 'http://localhost:3000', 'http://127.0.0.1:3000', 'null'])(
    'a web page of %s is refused with 403',
    async (origin) => {
      const rig = await Rig.start({ names: ['127.0.0.1', 'localhost'] });
      const { id, token } = await rig.bridge();
      const headers = { ...bearer(token), origin };
      const path = `/workspaces/${id}/notify`;
      expect((await toldByHead(rig, { path, headers })).status).toBe(403);
      expect((await toldByHead(rig, { method: 'GET', path: '/health', headers })).status).toBe(403);
    },
  );

  test('MOL-HDR-02: the own address as Origin is taken, also the one in front of a proxy', async () => {
    const rig = await Rig.start({ names: ['hub.example'] });
    const { id, token } = await rig.bridge();
    for (const origin of [rig.hub.address, 'https://hub.example']) {
      const response = await fetch(`${rig.hub.address}/workspaces/${id}/state`, {
        headers: { ...bearer(token), origin },
      });
      expect(response.status).toBe(200);
    }
  });
});

describe('F23: the hub answers only to its own names', () => {
  test.each([
    'evil.example',
    'evil.example:4001',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'x',
  ])('Host %s is refused with 421 everywhere', async (host) => {
    const rig = await Rig.start();
    const headers = { Host: host };
    for (const path of ['/health', '/nowhere', '/workspaces/x/state']) {
      expect((await toldByHead(rig, { method: 'GET', path, headers })).status).toBe(421);
    }
    expect((await toldByHead(rig, { path: '/registry/register', headers })).status).toBe(421);
  });

  test.each([
    '127.0.0.1',
    'LOCALHOST:4001',
    'localhost.:80',
    '[::1]:4001',
    '192.168.1.7:4001',
    'hub.example',
    'Hub.Example:443',
  ])('Host %s is answered', async (host) => {
    const rig = await Rig.start({ names: ['hub.example'] });
    const headers = { Host: host };
    const told = await toldByHead(rig, { method: 'GET', path: '/health', headers });
    expect(told.status).toBe(200);
  });

  test('the name in an absolute address does not go around it', async () => {
    const rig = await Rig.start();
    const text = await rawAnswer(
      rig,
      'GET http://evil.example/health HTTP/1.1\r\nHost: 127.0.0.1\r\n',
    );
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
  });
});

function rawAnswer(rig: Rig, head: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(rig.hub.address).port), '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
    socket.write(`${head}Connection: close\r\n\r\n`);
  });
}

describe('F3: what the hub takes can be read again', () => {
  const nested = (depth: number): unknown =>
    JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`) as unknown;

  test('an a2a with metadata 4,113 deep is refused with words, and the inbox stays readable', async () => {
    const rig = await Rig.start();
    const bridge = await rig.bridge();
    const agent = await rig.addAgent('far-away', 'external');
    // As text: not every Node can write it out.
    const deep = `${'['.repeat(4_112)}${']'.repeat(4_112)}`;
    const body = JSON.stringify(requestOf({ metadata: { a: 'DEEP' } })).replace('"DEEP"', deep);
    const sent = await rig.call('POST', `/workspaces/${agent.id}/a2a`, {
      token: bridge.token,
      as: bridge.id,
      body,
    });
    expect(sent.status).toBe(400);
    expect(sent.body.error).toContain('deep');
    expect((await rig.inbox(agent)).status).toBe(200);
  });

  test.each([
    [
      '/registry/update-card',
      (id: string) => ({ workspace_id: id, agent_card: { a: nested(200) } }),
    ],
    ['/registry/heartbeat', (id: string) => ({ workspace_id: id, agent_card: { a: nested(200) } })],
    [
      '/registry/register',
      (id: string) => ({ id, delivery_mode: 'poll', agent_card: { a: nested(200) } }),
    ],
    ['/workspaces/ID/activity', () => ({ activity_type: 'agent_log', tool_trace: nested(200) })],
    ['/workspaces/ID/notify', () => ({ message: 'x', more: nested(200) })],
    ['/workspaces/ID/a2a', () => ({ ...requestOf({}), id: null, more: nested(200) })],
  ])('%s: too deep is refused with 400', async (template, bodyOf) => {
    const rig = await Rig.start();
    const { id, token } = await rig.bridge();
    const answer = await rig.call('POST', template.replace('ID', id), { token, body: bodyOf(id) });
    expect(answer.status).toBe(400);
    expect(answer.body.error).toContain('deep');
  });

  test('too many values are refused with 400', async () => {
    const rig = await Rig.start();
    const { id, token } = await rig.bridge();
    const body = `[${'[],'.repeat(110_000)}[]]`;
    const answer = await rig.call('POST', `/workspaces/${id}/a2a`, { token, body });
    expect(answer.status).toBe(400);
    expect(answer.body.error).toContain('values');
  });

  test('brackets and quotes in a text do not count', async () => {
    const rig = await Rig.start();
    const { id, token } = await rig.bridge();
    const message = `${'[{"\\,'.repeat(5000)}\\`;
    const answer = await rig.call('POST', `/workspaces/${id}/notify`, { token, body: { message } });
    expect(answer.status).toBe(200);
  });
});

describe('F4: agent cards and metadata are small', () => {
  const big = { name: 'x', more: 'y'.repeat(16 * KB) };

  test.each([
    ['/registry/update-card', (id: string) => ({ workspace_id: id, agent_card: big })],
    ['/registry/heartbeat', (id: string) => ({ workspace_id: id, agent_card: big })],
    ['/registry/register', (id: string) => ({ id, delivery_mode: 'poll', agent_card: big })],
    ['/workspaces/ID/a2a', () => ({ ...requestOf({ metadata: big }) })],
  ])('%s: more than 16 KB is refused with 413', async (template, bodyOf) => {
    const rig = await Rig.start();
    const { id, token } = await rig.bridge();
    const answer = await rig.call('POST', template.replace('ID', id), { token, body: bodyOf(id) });
    expect(answer.status).toBe(413);
    expect(answer.body.max_bytes).toBe(16 * KB);
  });

  test('a new workspace with a large card is not registered', async () => {
    const rig = await Rig.start();
    const body = { id: randomUUID(), delivery_mode: 'poll', agent_card: big };
    const answer = await rig.call('POST', '/registry/register', { token: PROVISION_TOKEN, body });
    expect(answer.status).toBe(413);
  });

  test('who calls is found out without a look at any card', async () => {
    const rig = await Rig.start();
    const bridge = await rig.bridge();
    // Not JSON: whoever parses it throws.
    await rig.db.write(() => rig.db.run("UPDATE hub_workspaces SET agent_card = '{'"));
    const state = await rig.call('GET', `/workspaces/${bridge.id}/state`, bridge);
    expect(state.status).toBe(200);
  });

  test('a card that an earlier version stored, and that is too large, is not shown', async () => {
    const rig = await Rig.start();
    const bridge = await rig.bridge();
    const agent = await rig.addAgent('far-away', 'external');
    const card = `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
    await rig.db.write(() =>
      rig.db.run('UPDATE hub_workspaces SET agent_card = ? WHERE id = ?', card, agent.id),
    );
    const peers = await rig.call('GET', `/registry/${bridge.id}/peers`, bridge);
    expect(peers.status).toBe(200);
    expect((await rig.call('GET', `/registry/discover/${agent.id}`, bridge)).body).toMatchObject({
      name: 'far-away',
      agent_card: { name: 'far-away', skills: [] },
    });
  });
});

describe('F12: bodies that are not finished', () => {
  const begin = (rig: Rig, { id, token }: Account, bytes: number) => {
    const request = httpRequest(`${rig.hub.address}/workspaces/${id}/a2a`, {
      method: 'POST',
      headers: { ...bearer(token), 'Content-Length': String(bytes) },
    });
    const status = new Promise<number | undefined>((resolve) => {
      request.on('response', (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.on('error', () => resolve(undefined));
    });
    request.write('{');
    return { request, status };
  };

  test('one token holds at most 2 MB of them; others are not kept out; a gone one frees its share', async () => {
    const rig = await Rig.start();
    const bridge = await rig.bridge();
    const agent = await rig.addAgent('far-away', 'external');
    const first = Array.from({ length: 2 }, () => begin(rig, bridge, MB));
    // One that is refused: by then the others are counted, or they come after it and one of them is.
    const extra = begin(rig, bridge, MB);
    const refused = await Promise.race([...first, extra].map(({ status }) => status));
    expect(refused).toBe(503);
    expect((await rig.send(agent, bridge.id)).status).toBe(200);
    for (const { request } of [...first, extra]) request.destroy();
    await expect.poll(async () => (await rig.send(bridge, agent.id)).status).toBe(200);
    const whole = await rig.send(bridge, agent.id, { text: 'x'.repeat(1000 * KB) });
    expect(whole.status).toBe(200);
  });

  test('a caller that goes before its body is whole is no error of the hub', async () => {
    const rig = await Rig.start();
    const bridge = await rig.bridge();
    const { request } = begin(rig, bridge, 1000);
    await expect.poll(() => request.socket?.bytesWritten ?? 0).toBeGreaterThan(0);
    await rig.call('GET', '/health');
    request.destroy();
    await expect.poll(() => rig.log.events()).toContain('hub_request_cut_off');
    expect(rig.log.warnings()).toEqual([]);
  });
});

test('F13: one token moves 256 KB a second, 2 MB at once, and others are not kept out', async () => {
  let nowMs = 0;
  const rig = await Rig.start({ clock: clockWithShortWaits(() => nowMs) });
  const bridge = await rig.bridge();
  const agent = await rig.addAgent('far-away', 'external');
  const text = 'x'.repeat(1000 * KB);
  const statusOf = async () => (await rig.send(bridge, agent.id, { text })).status;
  const statuses = [];
  for (let call = 0; call < 4; call += 1) statuses.push(await statusOf());
  // What is begun within the limit is taken whole.
  expect(statuses).toEqual([200, 200, 200, 429]);
  expect((await rig.inbox(agent)).status).toBe(200);
  nowMs += 12_000;
  expect(await statusOf()).toBe(200);
  // What was fetched counts an eighth: a page has up to 1 MB.
  const pages = [];
  for (let call = 0; call < 90 && pages.at(-1)?.status !== 429; call += 1) {
    pages.push(await rig.inbox(agent));
  }
  expect(pages.length).toBeGreaterThan(10);
  expect(pages.at(-1)?.status).toBe(429);
  expect(Number(pages.at(-1)?.headers.get('retry-after'))).toBeGreaterThan(0);
});

test('F13: a body that does not say how long it is counts as the longest of its route', async () => {
  const rig = await Rig.start({ clock: clockWithShortWaits(() => 0) });
  const { id, token } = await rig.bridge();
  const statusOf = async () => {
    const body = new Blob(['{"jsonrpc":"2.0"}']).stream();
    const response = await fetch(`${rig.hub.address}/workspaces/${id}/a2a`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body,
      duplex: 'half',
    });
    await response.text();
    return response.status;
  };
  expect([await statusOf(), await statusOf(), await statusOf()]).toEqual([400, 400, 429]);
});

test('F22: pages for monitors have a rate limit of their own', async () => {
  let nowMs = 0;
  const rig = await Rig.start({ rateLimit: 3, clock: clockWithShortWaits(() => nowMs) });
  const bridge = await rig.bridge();
  const statusOf = async (path: string) => (await rig.call('GET', path, bridge)).status;
  const statuses = [];
  for (let call = 0; call < 25; call += 1) statuses.push(await statusOf(`/health?n=${call}`));
  expect(statuses.filter((status) => status === 200)).toHaveLength(20);
  expect(statuses.at(-1)).toBe(429);
  expect(await statusOf(`/workspaces/${bridge.id}/state`)).toBe(200);
  nowMs += 1000;
  expect(await statusOf('/health')).toBe(200);
});
