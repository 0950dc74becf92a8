/** What the SDK does wrong by itself, and must not be able to do to the bridge. */
import { expect, onTestFinished, test, vi } from 'vitest';
import { appId } from '../../../src/core/ids.ts';
import { eventually, startRig, withConnection } from './rig.ts';

const RECEIVE = 'im.message.receive_v1';

test('events that come with the handshake are not lost, 15 times out of 15', async () => {
  const rig = await startRig();
  const { lark, app, ann } = rig;
  const chat = lark.directChat(ann, app);
  for (let round = 1; round <= 15; round++) {
    lark.faults.inject({ kind: 'early_frame' });
    const text = `early ${round}`;
    lark.say({ chat, from: ann, text });
    const { connection, intake } = withConnection(rig);
    await connection.start();
    await eventually(() => intake.texts).toEqual([text]);
    await lark.waitFor(() => lark.deliveries({ eventType: RECEIVE }).at(-1)?.acked);
    await connection.stop();
  }
  expect(lark.faults.counts().early_frame).toBe(15);
});

test.each(['its first ping', 'a later ping'])(
  'a link that is half open from %s on is noticed and replaced',
  async (since) => {
    const { lark, app, ann, connection, intake, log } = withConnection(
      await startRig({ clientConfig: { PingInterval: 0.05 } }),
      // Longer than the interval: the SDK would begin its wait anew at every ping.
      { timing: { pongTimeoutMs: 100, pingIntervalMinMs: 20 } },
    );
    if (since === 'its first ping') lark.faults.inject({ kind: 'half_open' });
    await connection.start();
    if (since === 'a later ping') {
      await lark.waitFor(() => lark.online(app) === 1);
      lark.faults.inject({ kind: 'half_open' });
    }
    await eventually(() => connection.status().reconnects).toBe(1);
    expect(log.lines).toContainEqual(expect.objectContaining({ event: 'lark_disconnected' }));
    lark.say({ chat: lark.directChat(ann, app), from: ann, text: 'still there?' });
    await eventually(() => intake.texts).toContain('still there?');
  },
);

test.each([
  '{}',
  '{"PingInterval":null}',
  '{"PingInterval":0}',
  '{"PingInterval":-1}',
  '{"PingInterval":1e300}',
  'x',
  '[]',
])('a pong that says %s does not lead to many pings', async (payload) => {
  const rig = await startRig({ clientConfig: { PingInterval: 0.2 } });
  const { lark, app, ann, connection } = withConnection(rig, {
    timing: { pingIntervalMinMs: 200, pingIntervalMaxMs: 200 },
  });
  const pings = () => lark.faults.counts().pong_payload ?? 0;
  lark.faults.inject({ kind: 'pong_payload', payload, times: 1_000_000 });
  await connection.start();
  await eventually(pings).toBeGreaterThanOrEqual(2);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  // The timer that was set before goes by the real clock; the next one is the first that doesn't.
  const before = pings();
  // On a busy machine a pong may have been late by the real clock.
  const { reconnects } = connection.status();
  while (pings() === before) await new Promise((resolve) => setImmediate(resolve));
  for (let interval = 0; interval < 10; interval++) {
    await vi.advanceTimersByTimeAsync(200);
    // Its ack comes behind the pings, and the pongs have come before the event.
    lark.say({ chat: lark.directChat(ann, app), from: ann, text: 'x' });
    await lark.waitFor(() => lark.deliveries({ eventType: RECEIVE })[interval]?.acked);
  }
  expect(pings() - before).toBe(11);
  expect(connection.status()).toMatchObject({ state: 'connected', reconnects });
});

test("the server's interval is kept, even where it is shorter than our wait for a pong", async () => {
  const rig = await startRig({ clientConfig: { PingInterval: 0.02 } });
  const { lark, connection } = withConnection(rig, { timing: { pingIntervalMinMs: 10 } });
  const payload = JSON.stringify(lark.cloud.clientConfig);
  lark.faults.inject({ kind: 'pong_payload', payload, times: 1_000_000 });
  await connection.start();
  await eventually(() => lark.faults.counts().pong_payload).toBeGreaterThan(3);
});

test('the bootstrap may leave out its intervals', async () => {
  const { connection } = withConnection(
    await startRig({ clientConfig: { PingInterval: Number.NaN, ReconnectNonce: Number.NaN } }),
  );
  await connection.start();
  expect(connection.status().state).toBe('connected');
});

test('a handshake that hangs is given up', async () => {
  const { lark, connection } = withConnection(await startRig(), {
    timing: { handshakeTimeoutMs: 100 },
  });
  lark.faults.inject({ kind: 'handshake_hang' });
  await connection.start();
  expect(connection.status()).toMatchObject({
    state: 'waiting',
    lastError: 'the WebSocket handshake failed',
  });
  await eventually(() => connection.status().state).toBe('connected');
});

test('an app id of a wrong form is an error', async () => {
  const { connection, lark } = withConnection(await startRig(), { appId: appId('cli_x') });
  await expect(connection.start()).rejects.toMatchObject({ code: 'config_invalid' });
  expect(lark.calls({ path: '/callback/ws/endpoint' })).toEqual([]);
});

test('the SDK writes nothing to stdout or stderr, and no ticket or secret to the log', async () => {
  const out = vi.spyOn(process.stdout, 'write');
  const err = vi.spyOn(process.stderr, 'write');
  const rig = withConnection(await startRig());
  const { lark, app, ann, connection, log } = rig;
  await connection.start();
  lark.say({ chat: lark.directChat(ann, app), from: ann, text: 'my salary' });
  await lark.waitFor(() => lark.deliveries({ eventType: RECEIVE })[0]?.acked);
  lark.kick();
  await eventually(() => connection.status().reconnects).toBe(1);
  await connection.stop();
  const written = [...out.mock.calls, ...err.mock.calls].map(([text]) => String(text)).join('');
  out.mockRestore();
  err.mockRestore();
  expect(written).not.toMatch(/ws|client|info/);
  const logged = JSON.stringify(log.lines);
  expect(logged).toContain('lark_connected');
  expect(logged).not.toMatch(/ticket|access_key|my salary/);
  expect(logged).not.toContain(app.appSecret);
});
