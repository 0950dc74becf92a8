import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import type { SimApp, SimChat, SimUser } from '../../../src/sim/world/model.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import { bootstrap, headersOf, RawSocket, socketUrl } from './raw-socket.ts';
import { createClient } from './sdk-client.ts';
import { Listener } from './sdk-listener.ts';

let lark: LarkCloud;
let app: SimApp;
let ada: SimUser;
let chat: SimChat;
const opened: { close(): void }[] = [];

beforeEach(async () => {
  // Reconnects at once: intervals are in seconds.
  const clientConfig = { ReconnectNonce: 0, ReconnectInterval: 0.01, PingInterval: 60 };
  lark = await startLarkCloud({ clientConfig });
  app = lark.addApp();
  ada = lark.addUser({ name: 'Ada' });
  chat = lark.directChat(ada, app);
});

afterEach(async () => {
  for (const one of opened.splice(0)) one.close();
  await lark.stop();
});

const say = (text = 'hi') => lark.say({ chat, from: ada, text });

async function listen(options: ConstructorParameters<typeof Listener>[2] = {}): Promise<Listener> {
  const listener = new Listener(lark, app, options).start();
  opened.push(listener);
  await lark.waitFor(() => lark.online(app) > 0 && listener.news.includes('ready'));
  return listener;
}

async function openRaw(): Promise<RawSocket> {
  const raw = await RawSocket.open(lark, app);
  opened.push(raw);
  return raw;
}

describe('bootstrap', () => {
  test('returns a URL in which the ids are not the first parameters, and the four settings in seconds', async () => {
    const answer = await bootstrap(lark, { AppID: app.appId, AppSecret: app.appSecret });
    expect(answer).toMatchObject({
      code: 0,
      data: {
        ClientConfig: {
          PingInterval: 60,
          ReconnectCount: -1,
          ReconnectInterval: 0.01,
          ReconnectNonce: 0,
        },
      },
    });
    const url = new URL(await socketUrl(lark, app));
    expect(url.host).toBe(new URL(lark.openBaseUrl).host);
    const names = [...url.searchParams.keys()];
    expect(names[0]).toBe('fpid');
    expect(names).toEqual(expect.arrayContaining(['service_id', 'device_id', 'ticket']));
  });

  test.each([
    ['a wrong secret', () => ({ AppID: app.appId, AppSecret: 'no' }), 514],
    ['an unknown app', () => ({ AppID: 'cli_0000000000000000', AppSecret: 'no' }), 514],
    ['no credentials', () => ({}), 1000040344],
  ])('refuses %s with data {}', async (_what, credentials, code) => {
    expect(await bootstrap(lark, credentials())).toMatchObject({ code, data: {} });
  });

  test('allows 50 connections of one app', async () => {
    lark.setStrangers(app, 50);
    const credentials = { AppID: app.appId, AppSecret: app.appSecret };
    expect(await bootstrap(lark, credentials)).toMatchObject({ code: 1000040350, data: {} });
    lark.setStrangers(app, 49);
    const [first, second] = [await socketUrl(lark, app), await socketUrl(lark, app)];
    const one = new WebSocket(first);
    await new Promise((resolve) => one.once('open', resolve));
    const refused = await handshake(second);
    expect(refused).toMatchObject({
      status: 514,
      headers: { 'handshake-autherrcode': '1000040350' },
    });
    one.terminate();
  });

  test('a ticket opens one connection, and expires after a minute', async () => {
    const url = await socketUrl(lark, app);
    const socket = new WebSocket(url);
    await new Promise((resolve) => socket.once('open', resolve));
    expect(await handshake(url)).toMatchObject({ status: 514 });
    const late = await socketUrl(lark, app);
    lark.advance(61_000);
    expect(await handshake(late)).toMatchObject({ status: 514 });
    socket.terminate();
  });
});

describe('a connection', () => {
  test('holds events back until the first ping, and answers the ping with the full configuration', async () => {
    const raw = await openRaw();
    const message = say();
    expect(lark.deliveries()[0]?.state).toBe('sent');
    await raw.caughtUp();
    expect(raw.frames).toEqual([]);
    raw.ping();
    const pong = await raw.pong();
    expect(headersOf(pong)).toEqual({ type: 'pong' });
    expect(JSON.parse(Buffer.from(pong.payload ?? []).toString())).toEqual({
      PingInterval: 60,
      ReconnectCount: -1,
      ReconnectInterval: 0.01,
      ReconnectNonce: 0,
    });
    const frame = await raw.frame(0);
    expect(headersOf(frame)).toMatchObject({ type: 'event', sum: '1', seq: '0' });
    expect(JSON.parse(Buffer.from(frame.payload ?? []).toString())).toMatchObject({
      schema: '2.0',
      header: { event_type: 'im.message.receive_v1', app_id: app.appId, token: '' },
      event: { message: { message_id: message.messageId } },
    });
  });

  test('answers WebSocket pings, and ignores invalid frames', async () => {
    const raw = await openRaw();
    raw.socket.send('text');
    raw.socket.send(Buffer.from([0xff, 0xff, 0xff]));
    await raw.caughtUp();
    raw.ping();
    await raw.pong();
  });

  test('the official client needs only a base URL to connect, receive, ack and answer', async () => {
    const client = createClient(lark, app);
    const listener = await listen({
      handle: async ({ message }) => {
        await client.im.v1.message.reply({
          path: { message_id: message.message_id },
          data: { msg_type: 'text', content: '{"text":"hi back"}', uuid: 'u-1' },
        });
      },
    });
    const { messageId } = say();
    await lark.waitFor(() => lark.deliveries()[0]?.acked);
    expect(listener.messageIds()).toEqual([messageId]);
    expect(lark.shows(chat).at(-1)).toMatchObject({ text: 'hi back', replyTo: messageId });
    expect(lark.deliveries()).toMatchObject([{ tries: 1, acked: true, ackCode: 200 }]);
    const { data } = await client.request<{ data: unknown }>({
      method: 'GET',
      url: '/open-apis/event/v1/connection',
    });
    expect(data).toEqual({ online_instance_cnt: 1 });
  });

  test('large events come in fragments, and the official client joins them whatever the bytes are', async () => {
    await lark.stop();
    lark = await startLarkCloud({ fragmentBytesMax: 1_000 });
    app = lark.addApp();
    ada = lark.addUser({ name: 'Ada' });
    chat = lark.directChat(ada, app);
    const listener = await listen();
    const raw = '汉字🙂'.repeat(5_000);
    say(raw);
    await lark.waitFor(() => lark.deliveries()[0]?.acked);
    expect(JSON.parse(listener.heard[0]?.message.content ?? '')).toEqual({ text: raw });
  });

  test('fragments have the same id, their count and their place, and one ack is enough', async () => {
    const raw = await openRaw();
    raw.ping();
    lark.faults.inject({ kind: 'fragments_reorder' });
    say();
    const frames = [await raw.frame(0), await raw.frame(1), await raw.frame(2)];
    const headers = frames.map(headersOf);
    expect(headers.map(({ sum, seq }) => [sum, seq])).toEqual([
      ['3', '2'],
      ['3', '1'],
      ['3', '0'],
    ]);
    expect(new Set(headers.map((one) => one['message_id'])).size).toBe(1);
    raw.ack(frames[2]!);
    await lark.waitFor(() => lark.deliveries()[0]?.acked);
  });

  test('each event goes to one random connection of the app, never to two', async () => {
    const sockets = [await openRaw(), await openRaw(), await openRaw()];
    for (const socket of sockets) socket.ping();
    await lark.waitFor(() => lark.online(app) === 3);
    for (let count = 0; count < 60; count += 1) say();
    await lark.waitFor(() => sockets.reduce((sum, { frames }) => sum + frames.length, 0) === 63);
    for (const socket of sockets) expect(socket.data().length).toBeGreaterThan(5);
  });

  test('connections of another program get their share of the events, and are counted', async () => {
    const raw = await openRaw();
    raw.ping();
    await lark.waitFor(() => lark.online(app) === 1);
    lark.setStrangers(app, 1);
    for (let count = 0; count < 40; count += 1) say();
    const stolen = lark.deliveries().filter(({ state }) => state === 'stolen').length;
    expect(stolen).toBeGreaterThan(5);
    expect(stolen).toBeLessThan(35);
    await lark.waitFor(() => raw.data().length === 40 - stolen);
  });

  test('the official client reconnects after a kick and gets the next message', async () => {
    const listener = await listen();
    expect(lark.kick({ appId: app.appId, code: 1001 })).toBe(1);
    await lark.waitFor(() => listener.news.includes('reconnected'));
    await lark.waitFor(() => lark.online(app) === 1);
    const { messageId } = say();
    await lark.waitFor(() => listener.messageIds().includes(messageId));
    expect(listener.news).toEqual(['ready', 'reconnecting', 'reconnected']);
  });
});

/** The refusal of an upgrade. */
function handshake(url: string): Promise<{ status: number; headers: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    socket.once('open', () => reject(new Error('was let in')));
    socket.once('error', () => undefined);
    socket.once('unexpected-response', (_request, response) => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers });
      response.resume();
    });
  });
}
