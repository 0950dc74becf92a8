import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { expect, test, vi } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { EchoRuntime } from '../../../src/agents/echo.ts';
import { Hub } from '../../../src/hub/hub.ts';
import { jsonPage, PROVISION_TOKEN, requestOf, Rig } from './rig.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { createCertificate } from '../../kit/certificate.ts';
import { clockWithShortWaits } from '../../kit/clock.ts';

test('LD-PUB-01: pages of the process are served as they are; local ones to this machine only', async () => {
  const page = { render: () => jsonPage(503, { status: 'error' }) };
  const rig = await Rig.start({ pages: { '/health': page, '/counts': { ...page, local: true } } });
  for (const path of ['/health', '/counts']) {
    const told = await rig.call('GET', path);
    expect([told.status, told.body]).toEqual([503, { status: 'error' }]);
  }
  const passedOn = await fetch(`${rig.hub.address}/counts`, {
    headers: { 'x-forwarded-for': '127.0.0.1' },
  });
  expect(passedOn.status).toBe(403);
});

test('an unknown route is answered in JSON', async () => {
  const rig = await Rig.start();
  const answer = await rig.call('GET', '/nowhere?token=secret');
  expect([answer.status, answer.body]).toEqual([404, { error: 'no such route: GET /nowhere' }]);
});

test.each([
  ['not JSON', 'application/x-json', 'hello'],
  ['half of JSON', 'application/json', '{"id":'],
  ['nothing', 'application/json', ''],
])('MOL-RES-08: a body that is %s is refused with 400', async (_name, type, body) => {
  const rig = await Rig.start();
  const bridge = await rig.bridge();
  const response = await fetch(`${rig.hub.address}/workspaces/${bridge.id}/a2a`, {
    method: 'POST',
    headers: { 'Content-Type': type, Authorization: `Bearer ${bridge.token}` },
    body,
  });
  expect(response.status).toBe(400);
  expect(await response.json()).toEqual({ error: 'invalid JSON' });
});

test.each([[undefined], [''], ['application/octet-stream'], ['!']])(
  'a JSON body is read although its content type is %j',
  async (type) => {
    const rig = await Rig.start();
    const bridge = await rig.bridge();
    const response = await fetch(`${rig.hub.address}/registry/heartbeat`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${bridge.token}`,
        ...(type === undefined ? {} : { 'Content-Type': type }),
      },
      // Bytes, because a string would bring a content type of its own.
      body: Buffer.from(JSON.stringify({ workspace_id: bridge.id })),
    });
    expect(response.status).toBe(200);
  },
);

test('MOL-A2A-07: more than 1 MB is refused, just below is taken', async () => {
  const rig = await Rig.start();
  const bridge = await rig.bridge();
  const agent = await rig.addAgent('far-away', 'external');
  const overheadBytes = JSON.stringify(requestOf({ text: '' })).length;
  const bytesMax = 1024 * 1024;
  const fits = await rig.send(bridge, agent.id, { text: 'x'.repeat(bytesMax - overheadBytes) });
  expect(fits.status).toBe(200);
  const tooMuch = await rig.send(bridge, agent.id, {
    text: 'x'.repeat(bytesMax - overheadBytes + 1),
  });
  expect(tooMuch.status).toBe(413);
  expect(tooMuch.body).toEqual({
    error: 'request body too large',
    truncated: true,
    max_bytes: bytesMax,
  });
});

test('a bug is answered with 500; its cause is only in the log', async () => {
  const rig = await Rig.start();
  const bridge = await rig.bridge();
  vi.spyOn(rig.db, 'all').mockImplementationOnce(() => {
    throw new TypeError('the inner secret');
  });
  const answer = await rig.call('GET', `/registry/${bridge.id}/peers`, { token: bridge.token });
  expect([answer.status, answer.body]).toEqual([500, { error: 'internal error' }]);
  const logged = rig.log.lines.find(({ event }) => event === 'hub_request_failed');
  expect(logged).toMatchObject({ error: 'the inner secret', route: '/registry/:id/peers' });
  expect(JSON.stringify(logged)).not.toContain(bridge.token);
});

test('browsers of other origins are refused unless they are allowed', async () => {
  const origin = 'https://console.example';
  const preflight = async (rig: Rig) =>
    fetch(`${rig.hub.address}/workspaces/x/a2a`, { method: 'OPTIONS', headers: { origin } });
  const closed = await Rig.start();
  const refused = await preflight(closed);
  expect(refused.headers.get('access-control-allow-origin')).toBeNull();
  expect(refused.status).toBe(403);

  const open = await Rig.start({ corsOrigin: `https://other.example, ${origin}` });
  const allowed = await preflight(open);
  expect(allowed.status).toBe(204);
  expect(allowed.headers.get('access-control-allow-origin')).toBe(origin);
  expect(allowed.headers.get('access-control-allow-headers')).toContain('X-Workspace-ID');
  const health = await fetch(`${open.hub.address}/health`, { headers: { origin: 'https://x' } });
  expect(health.headers.get('access-control-allow-origin')).toBeNull();
});

test('the rate limit refuses with 429; health is let through', async () => {
  let nowMs = 0;
  const rig = await Rig.start({
    rateLimit: 3,
    clock: clockWithShortWaits(() => nowMs),
  });
  const agent = await rig.addAgent('far-away', 'external');
  const ask = (account: { id: string; token: string }) =>
    rig.call('GET', `/workspaces/${account.id}/state`, { token: account.token });
  const statuses = [];
  for (let call = 0; call < 4; call += 1) statuses.push((await ask(agent)).status);
  expect(statuses).toEqual([200, 200, 200, 429]);
  const refused = await ask(agent);
  expect(refused.body).toEqual({ error: 'rate limit exceeded', retry_after: 1 });
  expect(refused.headers.get('retry-after')).toBe('1');
  expect((await rig.call('GET', '/health')).status).toBe(200);
  nowMs += 1000;
  expect((await ask(agent)).status).toBe(200);
});

test('a port that is taken is an error with a way out', async () => {
  const rig = await Rig.start();
  const { port } = new URL(rig.hub.address);
  const second = new Hub({
    host: '127.0.0.1',
    port: Number(port),
    log: silentLog,
    clock: systemClock,
    store: rig.store,
    createRuntime: () => new EchoRuntime(),
    provisionToken: async (generate) => generate(),
    turnTimeoutMs: 1000,
    maxRunning: 1,
    onInterrupted: 'rerun',
  });
  const error: unknown = await second.start().catch((thrown: unknown) => thrown);
  await second.stop();
  expect(error).toBeInstanceOf(BridgeError);
  expect(error).toMatchObject({
    code: 'port_in_use',
    next: expect.stringContaining('LARK_PORT') as string,
  });
});

test('MOL-CC-04: there is no webhook for Lark: its challenge is not answered', async () => {
  const rig = await Rig.start();
  const challenge = { type: 'url_verification', challenge: 'echo-this', token: 'any' };
  for (const path of ['/', '/webhook', '/webhook/event', '/webhooks/lark']) {
    const response = await fetch(`${rig.hub.address}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(challenge),
    });
    expect(response.status).toBe(404);
    expect(await response.text()).not.toContain('echo-this');
  }
});

test('with a certificate the hub speaks TLS', async () => {
  const tls = createCertificate('localhost');
  const rig = await Rig.start({ tls });
  expect(rig.hub.address).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const options = { ca: tls.certPem, servername: 'localhost' };
    httpsRequest(`${rig.hub.address}/health`, options, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
  expect(status).toBe(200);
});

test('a caller that stays connected does not delay the stop', async () => {
  const rig = await Rig.start();
  const { port } = new URL(rig.hub.address);
  const socket = connect(Number(port), '127.0.0.1');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write(
    'POST /registry/register HTTP/1.1\r\nHost: localhost\r\n' +
      `Authorization: Bearer ${PROVISION_TOKEN}\r\nContent-Length: 10\r\n\r\n{`,
  );
  await rig.call('GET', '/health');
  await rig.hub.stop();
  await closed;
});
