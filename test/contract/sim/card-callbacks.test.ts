import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import type { SimApp, SimChat, SimUser } from '../../../src/sim/world/model.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import { RawSocket } from './raw-socket.ts';
import { createClient } from './sdk-client.ts';
import { Listener } from './sdk-listener.ts';

const CARD = { schema: '2.0', body: { elements: [{ tag: 'markdown', content: 'Sure?' }] } };
const DONE = { schema: '2.0', body: { elements: [{ tag: 'markdown', content: 'Done' }] } };

let lark: LarkCloud;
let app: SimApp;
let ada: SimUser;
let chat: SimChat;
let messageId: string;
let answer: (data: unknown) => unknown;
let listener: Listener;

beforeEach(async () => {
  lark = await startLarkCloud();
  app = lark.addApp();
  ada = lark.addUser({ name: 'Ada' });
  chat = lark.directChat(ada, app);
  const sent = await createClient(lark, app).im.v1.message.create({
    params: { receive_id_type: 'chat_id' },
    data: { receive_id: chat.chatId, msg_type: 'interactive', content: JSON.stringify(CARD) },
  });
  messageId = sent.data?.message_id ?? '';
  answer = () => undefined;
  listener = new Listener(lark, app, { handle: (data) => answer(data) }).start();
  await lark.waitFor(() => lark.online(app) === 1);
});

afterEach(async () => {
  listener.close();
  await lark.stop();
});

const press = () => lark.pressButton({ messageId, from: ada, value: { ok: 'yes' } });

describe('a pressed button', () => {
  test('reaches the official client as an event, flattened, with a token of the card', async () => {
    expect(await press()).toEqual({ ok: true });
    expect(listener.heard).toMatchObject([
      {
        event_type: 'card.action.trigger',
        token: expect.stringMatching(/^c-/),
        operator: { open_id: ada.openId },
        action: { value: { ok: 'yes' }, tag: 'button' },
        host: 'im_message',
        context: { open_message_id: messageId, open_chat_id: chat.chatId },
      },
    ]);
    // The time of callbacks is in microseconds, that of events in milliseconds.
    expect(listener.heard[0]?.create_time).toHaveLength(16);
  });

  test('shows the toast and the card that the app answers', async () => {
    answer = () => ({
      toast: { type: 'success', content: 'Noted' },
      card: { type: 'raw', data: DONE },
    });
    expect(await press()).toEqual({
      ok: true,
      toast: { type: 'success', content: 'Noted' },
      card: DONE,
    });
    expect(lark.shows(chat).at(-1)).toMatchObject({ text: 'Done' });
  });

  test('200341: no answer within three seconds, and no second try', async () => {
    answer = () => new Promise(() => undefined);
    const outcome = press();
    await lark.waitFor(() => listener.heard.length === 1);
    expect(lark.redeliverNow()).toBe(0);
    lark.advance(3_000);
    expect(await outcome).toEqual({ ok: false, code: 200341 });
    lark.advance(15_000);
    expect(lark.redeliverNow()).toBe(0);
    expect(lark.deliveries()).toMatchObject([{ tries: 1, state: 'given_up' }]);
  });

  test('200341: no connection', async () => {
    listener.close();
    await lark.waitFor(() => lark.online(app) === 0);
    expect(await press()).toEqual({ ok: false, code: 200341 });
  });

  test('200671: the handler failed', async () => {
    answer = () => {
      throw new Error('no');
    };
    expect(await press()).toEqual({ ok: false, code: 200671 });
  });

  test.each([
    ['a text', 'no such handler'],
    ['a toast of an unknown type', { toast: { type: 'loud', content: 'x' } }],
    ['a toast without content', { toast: { type: 'info' } }],
  ])('200672: %s is not a valid answer', async (_what, body) => {
    answer = () => body;
    expect(await press()).toEqual({ ok: false, code: 200672 });
  });

  test('200672: the official client has no handler for callbacks', async () => {
    listener.close();
    await lark.waitFor(() => lark.online(app) === 0);
    const raw = await RawSocket.open(lark, app);
    raw.ping();
    const outcome = press();
    const data = Buffer.from(JSON.stringify('no card.action.trigger event handle'));
    raw.ack(await raw.frame(0), { code: 200, data: data.toString('base64') });
    expect(await outcome).toEqual({ ok: false, code: 200672 });
    raw.close();
  });

  test('200673: a card without data', async () => {
    answer = () => ({ card: { type: 'raw' } });
    expect(await press()).toEqual({ ok: false, code: 200673 });
  });

  test('200830: a card 1.0 in place of a card 2.0', async () => {
    answer = () => ({ card: { type: 'raw', data: { elements: [] } } });
    expect(await press()).toEqual({ ok: false, code: 200830 });
  });

  test('200340: the app has not subscribed to callbacks', async () => {
    app.subscriptions.delete('card.action.trigger');
    expect(await press()).toEqual({ ok: false, code: 200340 });
    expect(listener.heard).toEqual([]);
  });

  test('only a card of an app has buttons', async () => {
    const said = lark.say({ chat, from: ada, text: 'hi' });
    await expect(lark.pressButton({ messageId: said, from: ada })).rejects.toThrow('is not a card');
  });
});
