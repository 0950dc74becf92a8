/** The check of a bot against the simulator: what it proves, and what it names when something is missing. */
import { expect, test } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import type { InboundMessage } from '../../../src/core/message.ts';
import {
  beginCheck,
  cardIn,
  CONSOLE,
  errorOf,
  LeapClock,
  passed,
  press,
  reply,
  until,
} from './proof-rig.ts';
import { eventually } from './rig.ts';

const MESSAGES = '/open-apis/im/v1/messages';

test('a card to the owner, a reply, a press: all is proven, said in the chat, and nobody’s turn', async () => {
  const check = await beginCheck();
  await passed(check, 'sent');
  expect(check.lark.shows(check.chat)[0]?.text).toMatch(/Reply here with any word.*Press/s);
  const said = reply(check);
  await passed(check, 'reply');
  expect(await press(check)).toEqual({ ok: true });
  await passed(check, 'press');
  expect(await check.ended).toBeUndefined();
  expect(check.steps()).toEqual(['connected', 'sent', 'reply', 'press']);
  expect(check.settled.map(({ messageId }) => messageId)).toEqual([said.messageId]);
  expect(check.kept).toEqual([]);
  expect(check.lark.shows(check.chat).at(-1)?.text).toContain('Everything works');
  expect(check.lark.deliveries().every(({ acked }) => acked)).toBe(true);
  // The connection is closed again.
  await eventually(() => check.lark.online(check.app)).toBe(0);
});

test('a press that comes before the reply counts', async () => {
  const check = await beginCheck();
  await passed(check, 'sent');
  expect(await press(check)).toEqual({ ok: true });
  reply(check);
  await passed(check, 'press');
  expect(await check.ended).toBeUndefined();
});

test('without a known owner the person writes first, and then gets the card', async () => {
  const check = await beginCheck({ owner: undefined });
  const asked = () =>
    check.events.find(({ kind, step }) => kind === 'step_begun' && step === 'reply');
  await until(check, () => asked() !== undefined);
  expect(asked()).toMatchObject({
    ask: {
      what: 'write_first',
      bot: 'Bridge',
      chatUrl: `https://applink.feishu.cn/client/bot/open?appId=${check.app.appId}`,
    },
  });
  expect(check.lark.shows(check.chat)).toEqual([]);
  reply(check);
  await passed(check, 'sent');
  expect(await press(check)).toEqual({ ok: true });
  await passed(check, 'press');
  expect(await check.ended).toBeUndefined();
  expect(check.steps()).toEqual(['connected', 'reply', 'sent', 'press']);
  expect(check.settled).toHaveLength(1);
});

test.each([230034, 99992351, 99992361])(
  'an owner whom the app does not know (%i) is asked to write first',
  async (code) => {
    const check = await beginCheck({
      prepare: ({ lark }) => lark.faults.inject({ kind: 'business_error', path: MESSAGES, code }),
    });
    const asksToWrite = () =>
      check.events.some(
        (event) => event.kind === 'step_begun' && event.ask?.what === 'write_first',
      );
    await until(check, asksToWrite);
    reply(check);
    await passed(check, 'sent');
    await press(check);
    await passed(check, 'press');
    expect(await check.ended).toBeUndefined();
  },
);

test('a bot ability that is off is named, with the page to switch it on', async () => {
  const check = await beginCheck({ prepare: ({ app }) => (app.botEnabled = false) });
  const error = await errorOf(check);
  expect(error).toMatchObject({ code: 'access_denied', exitCode: 3 });
  expect(error.message).toContain('bot ability');
  expect(error.next).toContain(`${CONSOLE}${check.app.appId}/bot`);
});

test('… also where the person is to write first', async () => {
  const check = await beginCheck({
    owner: undefined,
    prepare: ({ app }) => (app.botEnabled = false),
  });
  const error = await errorOf(check);
  expect(error.message).toContain('bot ability');
  expect(error.next).toContain(`${CONSOLE}${check.app.appId}/bot`);
});

test('a missing permission is named as Lark names it, with the page to add it', async () => {
  const check = await beginCheck({ prepare: ({ app }) => app.scopes.clear() });
  const error = await errorOf(check);
  expect(error.code).toBe('access_denied');
  expect(error.message).toContain('im:message:send_as_bot');
  expect(error.next).toContain(`${CONSOLE}${check.app.appId}/auth`);
});

test.each([
  [230013, 'availability', '/version'],
  [99991401, 'allow-list', '/safe'],
  [99991662, 'enabled', ''],
  [99991403, 'quota', undefined],
  [230053, 'Unblock', undefined],
  [230099, 'lacks', ''],
])('code %i of Lark becomes words: %s', async (code, words, page) => {
  const check = await beginCheck({
    prepare: ({ lark }) => lark.faults.inject({ kind: 'business_error', path: MESSAGES, code }),
  });
  const error = await errorOf(check);
  expect(error).toMatchObject({ code: 'access_denied' });
  expect(error.next).toContain(words);
  const link = new RegExp(`${CONSOLE}\\S*`).exec(error.next ?? '')?.[0];
  expect(link).toBe(page === undefined ? undefined : `${CONSOLE}${check.app.appId}${page}`);
});

test('a lost answer is asked for again under the same key: one card', async () => {
  const check = await beginCheck({
    prepare: ({ lark }) => lark.faults.inject({ kind: 'response_lost', path: MESSAGES, times: 2 }),
  });
  await passed(check, 'sent');
  expect(check.lark.shows(check.chat)).toHaveLength(1);
});

test('a Lark that takes no message in time is unreachable', async () => {
  const check = await beginCheck({
    prepare: ({ lark }) =>
      lark.faults.inject({ kind: 'request_lost', path: MESSAGES, times: 1_000 }),
  });
  expect(await errorOf(check, 1_000)).toMatchObject({ code: 'unreachable', exitCode: 4 });
});

test.each([
  [403, 'credentials_refused'],
  [10014, 'credentials_refused'],
  [1000040351, 'wrong_brand'],
  [1000040350, 'already_running'],
])('a long connection that is refused with %i ends it as %s', async (code, name) => {
  const check = await beginCheck({
    prepare: ({ lark }) => lark.faults.inject({ kind: 'bootstrap_refused', code, msg: 'no' }),
  });
  const error = await errorOf(check);
  expect(error.code).toBe(name);
  expect(error.message).toContain(String(code));
  expect(error.next).toContain(`${CONSOLE}${check.app.appId}`);
  expect(check.steps()).toEqual([]);
});

test('a long connection that does not come up in time is said, with the last trouble', async () => {
  const check = await beginCheck({
    prepare: ({ lark }) =>
      lark.faults.inject({ kind: 'bootstrap_http', status: 500, times: 10_000 }),
  });
  const error = await errorOf(check, 1_000);
  expect(error).toMatchObject({ code: 'unreachable', exitCode: 4 });
  expect(error.message).toContain('HTTP 500');
});

test('no time at all is said as such', async () => {
  const check = await beginCheck({ timeoutMs: 0 });
  expect(await errorOf(check)).toMatchObject({
    code: 'timed_out',
    next: expect.stringContaining('--timeout'),
  });
});

test('a reply that the chat shows but no event brought: the event is not subscribed to', async () => {
  const check = await beginCheck({
    prepare: ({ app }) => app.subscriptions.delete('im.message.receive_v1'),
  });
  await passed(check, 'sent');
  reply(check);
  const error = await errorOf(check, 1_000);
  expect(error).toMatchObject({ code: 'timed_out', exitCode: 6 });
  expect(error.message).toContain('you have written');
  expect(error.next).toContain('im.message.receive_v1');
  expect(error.next).toContain(`${CONSOLE}${check.app.appId}/event?tab=event`);
});

test('as long as nobody has written, that is what is said; once; and a late reply passes', async () => {
  const check = await beginCheck();
  await passed(check, 'sent');
  await until(check, () => check.waits().length > 0, 1_000);
  const looks = () => check.lark.calls({ path: '/event/v1/connection' }).length;
  await until(check, () => looks() >= 4, 10_000);
  expect(check.waits()).toEqual(['nobody has written to the bot yet']);
  reply(check);
  await passed(check, 'reply');
});

test('nobody writes: the time is over, exit 6', async () => {
  const check = await beginCheck({ timeoutMs: 20_000 });
  const error = await errorOf(check, 1_000);
  expect(error).toMatchObject({ code: 'timed_out', exitCode: 6 });
  expect(error.message).toContain('nobody has written');
});

test('where the history can’t be read, both reasons are named', async () => {
  const check = await beginCheck({ timeoutMs: 20_000 });
  await passed(check, 'sent');
  check.lark.faults.inject({ kind: 'business_error', path: MESSAGES, method: 'GET', code: 230027 });
  const error = await errorOf(check, 1_000);
  expect(error.message).toBe('no message to the bot has arrived');
  expect(error.next).toMatch(/^Write to the bot.*If you have: .*im\.message\.receive_v1/);
});

test('another program on the same app is named', async () => {
  const check = await beginCheck({ timeoutMs: 20_000 });
  await passed(check, 'sent');
  check.lark.setStrangers(check.app, 2);
  check.lark.faults.inject({ kind: 'event_stolen' });
  reply(check);
  const error = await errorOf(check, 1_000);
  expect(error.message).toMatch(/^you have written, but .* 3 connections/);
  expect(error.next).toContain('Stop the other program');
});

test('a press that does not come: the callback may be missing, with its page', async () => {
  const check = await beginCheck({
    timeoutMs: 60_000,
    prepare: ({ app }) => app.subscriptions.delete('card.action.trigger'),
  });
  await passed(check, 'sent');
  reply(check);
  await passed(check, 'reply');
  expect(await press(check)).toEqual({ ok: false, code: 200340 });
  const error = await errorOf(check, 1_000);
  expect(error).toMatchObject({ code: 'timed_out' });
  expect(error.message).toContain('your message has arrived');
  expect(error.next).toContain('card.action.trigger');
  expect(error.next).toContain(`${CONSOLE}${check.app.appId}/event?tab=callback`);
  // It was said while it waited, too.
  expect(check.waits()).toEqual([error.message]);
});

test('what others write meanwhile is kept for the bridge, and so is the owner’s second message', async () => {
  const check = await beginCheck();
  await passed(check, 'sent');
  const bob = check.lark.addUser({ name: 'Bob' });
  check.lark.say({ chat: check.lark.directChat(bob, check.app), from: bob, text: 'from Bob' });
  await eventually(() => check.kept.length).toBe(1);
  expect(check.steps()).not.toContain('reply');
  reply(check, 'the reply');
  await passed(check, 'reply');
  reply(check, 'a question');
  await eventually(() => check.kept.length).toBe(2);
  const texts = check.kept.map((event) => event.kind === 'message' && event.message.parts);
  expect(texts).toEqual([
    [{ kind: 'text', text: 'from Bob' }],
    [{ kind: 'text', text: 'a question' }],
  ]);
  expect(check.settled).toHaveLength(1);
});

test('what the owner wrote before anybody asked proves the way, and stays a question', async () => {
  // A minute ago by the clock of this machine, which Lark delivers only now.
  const check = await beginCheck({
    clock: new LeapClock(60_000),
  });
  await passed(check, 'sent');
  reply(check, 'is anybody there?');
  await passed(check, 'reply');
  expect(check.settled).toEqual([]);
  expect(check.kept).toHaveLength(1);
});

test('… unless it answers the card itself, whatever the clocks say', async () => {
  const check = await beginCheck({
    clock: new LeapClock(60_000),
  });
  await passed(check, 'sent');
  const replyTo = check.lark.findMessage(cardIn(check));
  check.lark.say({ chat: check.chat, from: check.ann, text: 'ok', replyTo });
  await passed(check, 'reply');
  expect(check.settled).toHaveLength(1);
});

test('a reply that could not be stored is not acked, and counts when it comes again', async () => {
  let failures = 1;
  const settled: InboundMessage[] = [];
  const check = await beginCheck({
    letters: {
      admit: () => Promise.resolve(),
      settle: (message) => {
        failures -= 1;
        if (failures >= 0) return Promise.reject(new BridgeError('store_unavailable', 'disk full'));
        settled.push(message);
        return Promise.resolve();
      },
    },
  });
  await passed(check, 'sent');
  reply(check);
  await eventually(() => failures).toBe(0);
  // It is still waited for: Lark is asked what may be missing.
  check.clock.leap(30_000);
  await eventually(() => check.lark.calls({ path: '/event/v1/connection' }).length).toBe(1);
  await eventually(() => check.lark.redeliverNow()).toBe(1);
  await passed(check, 'reply');
  expect(settled).toHaveLength(1);
});

test.each(['connected', 'sent'])('an interruption after %s ends it at once', async (step) => {
  const check = await beginCheck();
  await passed(check, step);
  check.abort.abort();
  expect(await check.ended).toMatchObject({ code: 'interrupted', exitCode: 1 });
});

test('an interruption does not wait for a Lark that hangs', async () => {
  const check = await beginCheck({
    prepare: ({ lark }) => lark.faults.inject({ kind: 'bootstrap_hang' }),
  });
  check.abort.abort();
  expect(await check.ended).toMatchObject({ code: 'interrupted' });
});
