import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import type { SimApp, SimChat, SimUser } from '../../../src/sim/world/model.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import { headersOf, RawSocket } from './raw-socket.ts';
import { Listener, type ListenerOptions } from './sdk-listener.ts';

let lark: LarkCloud;
let app: SimApp;
let ada: SimUser;
let chat: SimChat;
let opened: { close(): void }[];

beforeEach(async () => {
  lark = await startLarkCloud();
  app = lark.addApp();
  ada = lark.addUser({ name: 'Ada' });
  chat = lark.directChat(ada, app);
  opened = [];
});

afterEach(async () => {
  for (const one of opened) one.close();
  await lark.stop();
});

async function connect(options: ListenerOptions = {}): Promise<Listener> {
  const listener = new Listener(lark, app, options).start();
  opened.push(listener);
  await lark.waitFor(() => lark.online(app) === 1);
  return listener;
}

async function connectRaw(): Promise<RawSocket> {
  const raw = await RawSocket.open(lark, app);
  opened.push(raw);
  raw.ping();
  await raw.pong();
  return raw;
}

const say = (text = 'hi') => lark.say({ chat, from: ada, text });
const tries = () => lark.deliveries()[0]?.tries;
const acked = () => lark.deliveries().every((delivery) => delivery.acked);

describe('redelivery', () => {
  test('an event without an ack comes again after 15 s, 5 min, 1 h and 6 h, and then never', async () => {
    const raw = await connectRaw();
    say();
    const seen = [await raw.frame(0)];
    for (const [at, waitMs] of [15_000, 300_000, 3_600_000, 21_600_000].entries()) {
      lark.advance(waitMs - 1_000);
      expect(tries()).toBe(at + 1);
      lark.advance(1_000);
      seen.push(await raw.frame(at + 1));
    }
    const ids = new Set(seen.map((frame) => headersOf(frame)['message_id']));
    expect(ids.size).toBe(5);
    const events = seen.map(({ payload }) => Buffer.from(payload ?? []).toString());
    expect(new Set(events).size).toBe(1);
    lark.advance(24 * 3_600_000);
    expect(lark.deliveries()).toMatchObject([{ tries: 5, acked: false, state: 'given_up' }]);
    expect(lark.redeliverNow()).toBe(0);
  });

  test('the waits are shorter by timeScale', async () => {
    await lark.stop();
    lark = await startLarkCloud({ timeScale: 1_000 });
    app = lark.addApp();
    chat = lark.directChat(lark.addUser({ name: 'Ada' }), app);
    lark.say({ chat, from: 'Ada', text: 'hi' });
    await lark.waitFor(() => (tries() ?? 0) >= 3);
  });

  test('an ack after the deadline has no effect', async () => {
    const raw = await connectRaw();
    say();
    const frame = await raw.frame(0);
    lark.advance(3_000);
    expect(lark.deliveries()[0]?.state).toBe('waiting');
    raw.ack(frame);
    await lark.waitFor(() => lark.deliveries()[0]?.lateAcks);
    expect(lark.deliveries()[0]).toMatchObject({ acked: false, lateAcks: 1 });
    lark.redeliverNow();
    const second = await raw.frame(1);
    raw.ack(frame);
    await lark.waitFor(() => lark.deliveries()[0]?.lateAcks === 2);
    expect(lark.deliveries()[0]).toMatchObject({ acked: false, tries: 2 });
    raw.ack(second);
    await lark.waitFor(acked);
  });

  test('redeliverNow does not try more often than the platform', () => {
    say();
    for (let count = 0; count < 4; count += 1) lark.redeliverNow();
    expect(lark.deliveries()).toMatchObject([{ tries: 5, state: 'given_up' }]);
  });

  test('redeliverNow ends a last try whose ack is still awaited', async () => {
    await connectRaw();
    say();
    for (let count = 0; count < 4; count += 1) lark.redeliverNow();
    expect(lark.deliveries()).toMatchObject([{ tries: 5, state: 'sent' }]);
    lark.redeliverNow();
    expect(lark.deliveries()).toMatchObject([{ tries: 5, state: 'given_up' }]);
  });

  test('an ack on another connection of the app counts', async () => {
    const first = await connectRaw();
    say();
    const frame = await first.frame(0);
    first.close();
    const second = await connectRaw();
    second.ack(frame);
    await lark.waitFor(acked);
  });

  test('an ack by another app does not', async () => {
    const raw = await connectRaw();
    const other = lark.addApp();
    const stranger = await RawSocket.open(lark, other);
    opened.push(stranger);
    say();
    stranger.ack(await raw.frame(0));
    stranger.ping();
    await stranger.pong();
    expect(lark.deliveries()[0]?.acked).toBe(false);
  });

  test('a handler that throws gives an ack with code 500, and gets the event again', async () => {
    let calls = 0;
    const listener = await connect({
      handle: () => {
        calls += 1;
        if (calls === 1) throw new Error('not now');
      },
    });
    say();
    await lark.waitFor(() => lark.deliveries()[0]?.ackCode === 500);
    expect(lark.deliveries()[0]?.state).toBe('waiting');
    lark.advance(15_000);
    await lark.waitFor(acked);
    expect(listener.heard).toHaveLength(2);
  });

  test('without a connection, the try counts as failed', async () => {
    say();
    expect(lark.deliveries()).toMatchObject([{ state: 'waiting', tries: 1 }]);
    const listener = await connect();
    expect(listener.heard).toEqual([]);
    lark.advance(15_000);
    await lark.waitFor(acked);
  });

  test('an event that the app did not subscribe to is not sent', async () => {
    await connect();
    app.subscriptions.delete('im.message.receive_v1');
    say();
    expect(lark.deliveries()).toEqual([]);
  });
});

describe('faults of events', () => {
  test('event_drop: the event arrives only by its redelivery', async () => {
    const listener = await connect();
    lark.faults.inject({ kind: 'event_drop' });
    say();
    lark.advance(15_000);
    await lark.waitFor(acked);
    expect(listener.heard).toHaveLength(1);
    expect(lark.faults.counts()).toEqual({ event_drop: 1 });
  });

  test('ack_lost: handled twice', async () => {
    const listener = await connect();
    lark.faults.inject({ kind: 'ack_lost' });
    say();
    await lark.waitFor(() => lark.faults.counts()['ack_lost']);
    expect(lark.deliveries()[0]?.acked).toBe(false);
    lark.advance(15_000);
    await lark.waitFor(acked);
    expect(listener.heard.map(({ event_id: id }) => id)).toEqual(
      Array.from({ length: 2 }, () => lark.deliveries()[0]?.eventId),
    );
  });

  test('event_repeat: the same frame twice runs the handler twice', async () => {
    const listener = await connect();
    lark.faults.inject({ kind: 'event_repeat' });
    say();
    await lark.waitFor(() => listener.heard.length === 2);
    expect(lark.deliveries()).toHaveLength(1);
  });

  test('event_duplicate: the same message under another event id', async () => {
    const listener = await connect();
    lark.faults.inject({ kind: 'event_duplicate' });
    const { messageId } = say();
    await lark.waitFor(() => listener.heard.length === 2);
    expect(listener.messageIds()).toEqual([messageId, messageId]);
    expect(new Set(listener.heard.map(({ event_id: id }) => id)).size).toBe(2);
  });

  test('event_reorder: the next event arrives first', async () => {
    const listener = await connect();
    lark.faults.inject({ kind: 'event_reorder', delayMs: 10_000 });
    const [first, second] = [say('one'), say('two')];
    await lark.waitFor(() => listener.heard.length === 2);
    expect(listener.messageIds()).toEqual([second.messageId, first.messageId]);
  });

  test('event_reorder: without a next event it comes after the delay', async () => {
    const listener = await connect();
    lark.faults.inject({ kind: 'event_reorder', delayMs: 1 });
    say();
    await lark.waitFor(() => listener.heard.length === 1);
  });

  test('event_delay: it arrives later, and once', async () => {
    const listener = await connect();
    lark.faults.inject({ kind: 'event_delay', delayMs: 20 });
    const [first, second] = [say('one'), say('two')];
    await lark.waitFor(() => listener.heard.length === 2);
    expect(listener.messageIds()).toEqual([second.messageId, first.messageId]);
  });

  test('event_stolen: another connection gets it, and it never comes again', async () => {
    const listener = await connect();
    lark.faults.inject({ kind: 'event_stolen' });
    say();
    expect(lark.deliveries()).toMatchObject([{ state: 'stolen', acked: false }]);
    lark.advance(15_000);
    expect(lark.redeliverNow()).toBe(0);
    expect(listener.heard).toEqual([]);
  });

  test('event_as_card: the official client drops it without an ack', async () => {
    const listener = await connect();
    lark.faults.inject({ kind: 'event_as_card' });
    say();
    const after = say();
    await lark.waitFor(() => lark.deliveries()[1]?.acked);
    expect(lark.deliveries()[0]?.acked).toBe(false);
    expect(listener.messageIds()).toEqual([after.messageId]);
  });

  test('fragments_reorder: the client still joins them', async () => {
    const listener = await connect();
    lark.faults.inject({ kind: 'fragments_reorder' });
    const { messageId } = say();
    await lark.waitFor(acked);
    expect(listener.messageIds()).toEqual([messageId]);
  });

  test('fragment_lost: no ack, and the redelivery is complete', async () => {
    const listener = await connect();
    lark.faults.inject({ kind: 'fragment_lost' });
    const { messageId } = say();
    say();
    await lark.waitFor(() => lark.deliveries()[1]?.acked);
    expect(lark.deliveries()[0]?.acked).toBe(false);
    lark.advance(15_000);
    await lark.waitFor(acked);
    expect(listener.messageIds()).toContain(messageId);
  });

  test('a fault can be limited to a type of event and an app', async () => {
    const listener = await connect();
    lark.faults.inject({ kind: 'event_drop', eventType: 'im.message.recalled_v1' });
    lark.faults.inject({ kind: 'event_drop', appId: 'cli_0000000000000000' });
    const message = say();
    await lark.waitFor(acked);
    lark.recall(message);
    expect(lark.faults.counts()).toEqual({ event_drop: 1 });
    expect(lark.faults.waiting()).toHaveLength(1);
    expect(listener.heard).toHaveLength(1);
  });

  test('a plan with a seed gives the same faults twice, until calm()', async () => {
    const storms = [];
    for (let round = 0; round < 2; round += 1) {
      const stormy = await startLarkCloud({ seed: 7, faults: { rates: { event_stolen: 0.3 } } });
      const bot = stormy.addApp();
      const there = stormy.directChat(stormy.addUser({ name: 'Ada' }), bot);
      stormy.setStrangers(bot, 1);
      const raw = await RawSocket.open(stormy, bot);
      for (let at = 0; at < 50; at += 1) stormy.say({ chat: there, from: 'Ada', text: 'x' });
      storms.push(stormy.faults.counts());
      stormy.faults.calm();
      for (let at = 0; at < 50; at += 1) stormy.say({ chat: there, from: 'Ada', text: 'x' });
      storms.push(stormy.faults.counts());
      raw.close();
      await stormy.stop();
    }
    const [first] = storms;
    expect(first?.event_stolen).toBeGreaterThan(0);
    expect(storms).toEqual([first, first, first, first]);
  });
});
