import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import type { SimApp, SimChat, SimUser } from '../../../src/sim/world/model.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import { bootstrap, RawSocket } from './raw-socket.ts';
import { Listener, type ListenerOptions } from './sdk-listener.ts';

let lark: LarkCloud;
let app: SimApp;
let ada: SimUser;
let chat: SimChat;
let listeners: Listener[];

beforeEach(async () => {
  const clientConfig = { ReconnectNonce: 0, ReconnectInterval: 0.01, PingInterval: 0.05 };
  lark = await startLarkCloud({ clientConfig });
  app = lark.addApp();
  ada = lark.addUser({ name: 'Ada' });
  chat = lark.directChat(ada, app);
  listeners = [];
});

afterEach(async () => {
  for (const listener of listeners) listener.close();
  await lark.stop();
});

function start(options: ListenerOptions = {}): Listener {
  const listener = new Listener(lark, app, options).start();
  listeners.push(listener);
  return listener;
}

/** A client that has connected once, so that it has the short intervals of this cloud. */
async function connect(options: ListenerOptions = {}): Promise<Listener> {
  const listener = start(options);
  await lark.waitFor(() => listener.news.includes('ready') && lark.online(app) === 1);
  return listener;
}

const bootstraps = () => lark.calls({ path: '/callback/ws/endpoint' });

describe('a failing bootstrap', () => {
  test.each([1, 403, 514, 1000040350, 1000040351])(
    'code %i with data {} stops the official client forever',
    async (code) => {
      lark.faults.inject({ kind: 'bootstrap_refused', code, msg: 'no' });
      const listener = start();
      await lark.waitFor(() => listener.news.length > 0);
      expect(listener.news).toEqual([expect.stringContaining('error')]);
      expect(listener.client.getConnectionStatus().state).toBe('failed');
      expect(bootstraps()).toHaveLength(1);
      expect(lark.faults.counts()).toEqual({ bootstrap_refused: 1 });
    },
  );

  test.each([
    ['code 1000040343 with data {}', { kind: 'bootstrap_refused', code: 1000040343 }],
    ['code 514 with data null', { kind: 'bootstrap_refused', code: 514, data: 'null' }],
    ['code 403 without data', { kind: 'bootstrap_refused', code: 403, data: 'absent' }],
    ['HTTP 500', { kind: 'bootstrap_http' }],
    ['HTTP 429', { kind: 'bootstrap_http', status: 429 }],
    ['a refused upgrade: 403', { kind: 'handshake_refused' }],
    [
      'a refused upgrade: 514, too many connections',
      { kind: 'handshake_refused', status: 514, code: 1000040350 },
    ],
  ] as const)('%s is retried by the official client', async (_what, fault) => {
    const listener = await connect();
    lark.faults.inject({ ...fault, times: 2 });
    lark.kick();
    await lark.waitFor(() => listener.news.includes('reconnected'));
    expect(lark.faults.counts()).toEqual({ [fault.kind]: 2 });
    expect(bootstraps()).toHaveLength(4);
  });

  test('data can be an object, null or absent', async () => {
    const answers = [];
    for (const data of ['object', 'null', 'absent'] as const) {
      lark.faults.inject({ kind: 'bootstrap_refused', code: 403, msg: 'forbidden', data });
      answers.push(await bootstrap(lark, {}));
    }
    expect(answers).toEqual([
      { code: 403, msg: 'forbidden', data: {} },
      { code: 403, msg: 'forbidden', data: null },
      { code: 403, msg: 'forbidden' },
    ]);
  });

  test('a bootstrap that hangs keeps the client waiting', async () => {
    lark.faults.inject({ kind: 'bootstrap_hang' });
    const call = bootstrap(lark, {}).catch(() => 'cut');
    await expect.poll(() => lark.faults.counts()).toEqual({ bootstrap_hang: 1 });
    await lark.stop();
    expect(await call).toBe('cut');
  });

  test('the client gives up a handshake that hangs after its time limit', async () => {
    const listener = await connect({ handshakeTimeoutMs: 50 });
    lark.faults.inject({ kind: 'handshake_hang' });
    lark.kick();
    await lark.waitFor(() => listener.news.includes('reconnected'));
    expect(lark.faults.counts()).toEqual({ handshake_hang: 1 });
  });
});

describe('a failing connection', () => {
  test('closed right after the upgrade: the client reconnects', async () => {
    lark.faults.inject({ kind: 'kick_after_upgrade' });
    const listener = await connectLate();
    expect(listener.news.at(-1)).toBe('reconnected');
    expect(lark.faults.counts()).toEqual({ kick_after_upgrade: 1 });
  });

  test('closed at a ping: the client reconnects', async () => {
    const listener = await connect();
    lark.faults.inject({ kind: 'kick' });
    await lark.waitFor(() => listener.news.includes('reconnected'));
    await lark.waitFor(() => lark.online(app) === 1);
  });

  test('half open: the client notices it only with pingTimeout', async () => {
    const listener = await connect({ pingTimeout: 0.03 });
    lark.faults.inject({ kind: 'half_open' });
    await lark.waitFor(() => listener.news.includes('reconnected'));
    listener.close();
    await lark.waitFor(() => lark.cloud.connections.count(app.appId) === 0);

    const trusting = await connect();
    lark.faults.inject({ kind: 'half_open' });
    await lark.waitFor(() => lark.faults.counts().half_open === 2);
    lark.say({ chat, from: ada, text: 'anybody there?' });
    lark.advance(3_000);
    expect(lark.deliveries().at(-1)).toMatchObject({ state: 'waiting', acked: false });
    expect(trusting.heard).toEqual([]);
    expect(trusting.client.getConnectionStatus().state).toBe('connected');
  });

  test('half open on the wire: nothing is sent any more', async () => {
    const raw = await RawSocket.open(lark, app);
    lark.faults.inject({ kind: 'half_open' });
    let pongs = 0;
    raw.socket.on('pong', () => (pongs += 1));
    raw.ping();
    raw.socket.ping();
    await lark.waitFor(() => lark.faults.counts().half_open);
    lark.say({ chat, from: ada, text: 'hi' });
    const closed = raw.closed();
    lark.kick({ code: 4000 });
    expect(await closed).toBe(4000);
    expect(raw.frames).toEqual([]);
    expect(pongs).toBe(0);
  });

  test('a partial pong makes the official client ping without a pause', async () => {
    let pings = 0;
    const { take } = lark.faults;
    lark.faults.take = (kind, context) => {
      if (kind === 'pong_payload') pings += 1;
      return take.call(lark.faults, kind, context);
    };
    await connect();
    lark.faults.inject({ kind: 'pong_payload', times: 100 });
    await lark.waitFor(() => pings > 50);
    expect(lark.faults.counts()['pong_payload']).toBeGreaterThan(40);
  });

  test('the official client loses an early frame without an error, and the event comes again', async () => {
    const { messageId } = lark.say({ chat, from: ada, text: 'too soon' });
    lark.faults.inject({ kind: 'early_frame' });
    const listener = await connect();
    expect(lark.deliveries()).toMatchObject([{ tries: 2, acked: false }]);
    expect(listener.heard).toEqual([]);
    lark.redeliverNow(app);
    await lark.waitFor(() => lark.deliveries()[0]?.acked);
    expect(listener.messageIds()).toEqual([messageId]);
  });
});

/** Connects a client whose first connection fails; the second start uses the cloud's short intervals. */
async function connectLate(): Promise<Listener> {
  const listener = start();
  await lark.waitFor(() => listener.news.includes('ready'));
  await lark.waitFor(() => listener.news.includes('reconnected') && lark.online(app) === 1);
  return listener;
}
