/** The proof that messages reach a bot, against the simulator: what it proves, and what it says is missing. */
import { expect, test } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import type { InboundMessage } from '../../../src/core/message.ts';
import {
  beginProof,
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

test('a card to the owner, a reply and a press prove everything; the chat says so, and no turn begins', async () => {
  const proof = await beginProof();
  await passed(proof, 'sent');
  expect(proof.lark.shows(proof.chat)[0]?.text).toMatch(/Reply here with any word.*Press/s);
  const said = reply(proof);
  await passed(proof, 'reply');
  expect(await press(proof)).toEqual({ ok: true });
  await passed(proof, 'press');
  expect(await proof.ended).toBeUndefined();
  expect(proof.steps()).toEqual(['connected', 'sent', 'reply', 'press']);
  expect(proof.settled.map(({ messageId }) => messageId)).toEqual([said.messageId]);
  expect(proof.kept).toEqual([]);
  expect(proof.lark.shows(proof.chat).at(-1)?.text).toContain('Everything works');
  expect(proof.lark.deliveries().every(({ acked }) => acked)).toBe(true);
  // The connection is closed again.
  await eventually(() => proof.lark.online(proof.app)).toBe(0);
});

test('a press that comes before the reply counts', async () => {
  const proof = await beginProof();
  await passed(proof, 'sent');
  expect(await press(proof)).toEqual({ ok: true });
  reply(proof);
  await passed(proof, 'press');
  expect(await proof.ended).toBeUndefined();
});

test('without a known owner the person writes first, and then gets the card', async () => {
  const proof = await beginProof({ owner: undefined });
  const asked = () =>
    proof.events.find(({ kind, step }) => kind === 'step_begun' && step === 'reply');
  await until(proof, () => asked() !== undefined);
  expect(asked()).toMatchObject({
    ask: {
      what: 'write_first',
      bot: 'Bridge',
      chatUrl: `https://applink.feishu.cn/client/bot/open?appId=${proof.app.appId}`,
    },
  });
  expect(proof.lark.shows(proof.chat)).toEqual([]);
  reply(proof);
  await passed(proof, 'sent');
  expect(await press(proof)).toEqual({ ok: true });
  await passed(proof, 'press');
  expect(await proof.ended).toBeUndefined();
  expect(proof.steps()).toEqual(['connected', 'reply', 'sent', 'press']);
  expect(proof.settled).toHaveLength(1);
});

test.each([230034, 99992351, 99992361])(
  'an owner whom the app does not know (%i) is asked to write first',
  async (code) => {
    const proof = await beginProof({
      prepare: ({ lark }) => lark.faults.inject({ kind: 'business_error', path: MESSAGES, code }),
    });
    const asksToWrite = () =>
      proof.events.some(
        (event) => event.kind === 'step_begun' && event.ask?.what === 'write_first',
      );
    await until(proof, asksToWrite);
    reply(proof);
    await passed(proof, 'sent');
    await press(proof);
    await passed(proof, 'press');
    expect(await proof.ended).toBeUndefined();
  },
);

test('a bot ability that is off is named, with the page to switch it on', async () => {
  const proof = await beginProof({ prepare: ({ app }) => (app.botEnabled = false) });
  const error = await errorOf(proof);
  expect(error).toMatchObject({ code: 'access_denied', exitCode: 3 });
  expect(error.message).toContain('bot ability');
  expect(error.next).toContain(`${CONSOLE}${proof.app.appId}/bot`);
});

test('a bot ability that is off is named too if the person has to write first', async () => {
  const proof = await beginProof({
    owner: undefined,
    prepare: ({ app }) => (app.botEnabled = false),
  });
  const error = await errorOf(proof);
  expect(error.message).toContain('bot ability');
  expect(error.next).toContain(`${CONSOLE}${proof.app.appId}/bot`);
});

test('a missing permission is named as Lark names it, with the page to add it', async () => {
  const proof = await beginProof({ prepare: ({ app }) => app.scopes.clear() });
  const error = await errorOf(proof);
  expect(error.code).toBe('access_denied');
  expect(error.message).toContain('im:message:send_as_bot');
  expect(error.next).toContain(`${CONSOLE}${proof.app.appId}/auth`);
});

test.each([
  [230013, 'availability', '/version'],
  [99991401, 'allow-list', '/safe'],
  [99991662, 'enabled', ''],
  [99991403, 'quota', undefined],
  [230053, 'Unblock', undefined],
  [230099, 'lacks', ''],
])('code %i of Lark becomes words: %s', async (code, words, page) => {
  const proof = await beginProof({
    prepare: ({ lark }) => lark.faults.inject({ kind: 'business_error', path: MESSAGES, code }),
  });
  const error = await errorOf(proof);
  expect(error).toMatchObject({ code: 'access_denied' });
  expect(error.next).toContain(words);
  const link = new RegExp(`${CONSOLE}\\S*`).exec(error.next ?? '')?.[0];
  expect(link).toBe(page === undefined ? undefined : `${CONSOLE}${proof.app.appId}${page}`);
});

test('a call whose answer is lost is repeated under the same key: one card is shown', async () => {
  const proof = await beginProof({
    prepare: ({ lark }) => lark.faults.inject({ kind: 'response_lost', path: MESSAGES, times: 2 }),
  });
  await passed(proof, 'sent');
  expect(proof.lark.shows(proof.chat)).toHaveLength(1);
});

test('Lark is unreachable if it accepts no message in time', async () => {
  const proof = await beginProof({
    prepare: ({ lark }) =>
      lark.faults.inject({ kind: 'request_lost', path: MESSAGES, times: 1_000 }),
  });
  expect(await errorOf(proof, 1_000)).toMatchObject({ code: 'unreachable', exitCode: 4 });
});

test.each([
  [403, 'credentials_refused'],
  [10014, 'credentials_refused'],
  [1000040351, 'wrong_brand'],
  [1000040350, 'already_running'],
])('a long connection that is refused with %i ends it as %s', async (code, name) => {
  const proof = await beginProof({
    prepare: ({ lark }) => lark.faults.inject({ kind: 'bootstrap_refused', code, msg: 'no' }),
  });
  const error = await errorOf(proof);
  expect(error.code).toBe(name);
  expect(error.message).toContain(String(code));
  expect(error.next).toContain(`${CONSOLE}${proof.app.appId}`);
  expect(proof.steps()).toEqual([]);
});

test('a long connection that is not up in time is an error with the last cause', async () => {
  const proof = await beginProof({
    prepare: ({ lark }) =>
      lark.faults.inject({ kind: 'bootstrap_http', status: 500, times: 10_000 }),
  });
  const error = await errorOf(proof, 1_000);
  expect(error).toMatchObject({ code: 'unreachable', exitCode: 4 });
  expect(error.message).toContain('HTTP 500');
});

test('an error says that there was no time left', async () => {
  const proof = await beginProof({ timeoutMs: 0 });
  expect(await errorOf(proof)).toMatchObject({
    code: 'timed_out',
    next: expect.stringContaining('--timeout'),
  });
});

test('a reply that the chat shows, but that no event brought: the app does not subscribe to the event', async () => {
  const proof = await beginProof({
    prepare: ({ app }) => app.subscriptions.delete('im.message.receive_v1'),
  });
  await passed(proof, 'sent');
  reply(proof);
  const error = await errorOf(proof, 1_000);
  expect(error).toMatchObject({ code: 'timed_out', exitCode: 6 });
  expect(error.message).toContain('you have written');
  expect(error.next).toContain('im.message.receive_v1');
  expect(error.next).toContain(`${CONSOLE}${proof.app.appId}/event?tab=event`);
});

test('the person is told once that nobody has written; a late reply still passes', async () => {
  const proof = await beginProof();
  await passed(proof, 'sent');
  await until(proof, () => proof.waits().length > 0, 1_000);
  const looks = () => proof.lark.calls({ path: '/event/v1/connection' }).length;
  await until(proof, () => looks() >= 4, 10_000);
  expect(proof.waits()).toEqual(['nobody has written to the bot yet']);
  reply(proof);
  await passed(proof, 'reply');
});

test('the proof ends with exit 6 if nobody writes in time', async () => {
  const proof = await beginProof({ timeoutMs: 20_000 });
  const error = await errorOf(proof, 1_000);
  expect(error).toMatchObject({ code: 'timed_out', exitCode: 6 });
  expect(error.message).toContain('nobody has written');
});

test('both possible reasons are named if the history can’t be read', async () => {
  const proof = await beginProof({ timeoutMs: 20_000 });
  await passed(proof, 'sent');
  proof.lark.faults.inject({ kind: 'business_error', path: MESSAGES, method: 'GET', code: 230027 });
  const error = await errorOf(proof, 1_000);
  expect(error.message).toBe('no message to the bot has arrived');
  expect(error.next).toMatch(/^Write to the bot.*If you have: .*im\.message\.receive_v1/);
});

test('another program on the same app is named', async () => {
  const proof = await beginProof({ timeoutMs: 20_000 });
  await passed(proof, 'sent');
  proof.lark.setStrangers(proof.app, 2);
  proof.lark.faults.inject({ kind: 'event_stolen' });
  reply(proof);
  const error = await errorOf(proof, 1_000);
  expect(error.message).toMatch(/^you have written, but .* 3 connections/);
  expect(error.next).toContain('Stop the other program');
});

test('if no press comes, the callback may be missing; its page is named', async () => {
  const proof = await beginProof({
    timeoutMs: 60_000,
    prepare: ({ app }) => app.subscriptions.delete('card.action.trigger'),
  });
  await passed(proof, 'sent');
  reply(proof);
  await passed(proof, 'reply');
  expect(await press(proof)).toEqual({ ok: false, code: 200340 });
  const error = await errorOf(proof, 1_000);
  expect(error).toMatchObject({ code: 'timed_out' });
  expect(error.message).toContain('your message has arrived');
  expect(error.next).toContain('card.action.trigger');
  expect(error.next).toContain(`${CONSOLE}${proof.app.appId}/event?tab=callback`);
  // It was said while it waited, too.
  expect(proof.waits()).toEqual([error.message]);
});

test('messages of other people, and the owner’s second message, are kept for the bridge', async () => {
  const proof = await beginProof();
  await passed(proof, 'sent');
  const bob = proof.lark.addUser({ name: 'Bob' });
  proof.lark.say({ chat: proof.lark.directChat(bob, proof.app), from: bob, text: 'from Bob' });
  await eventually(() => proof.kept.length).toBe(1);
  expect(proof.steps()).not.toContain('reply');
  reply(proof, 'the reply');
  await passed(proof, 'reply');
  reply(proof, 'a question');
  await eventually(() => proof.kept.length).toBe(2);
  const texts = proof.kept.map((event) => event.kind === 'message' && event.message.parts);
  expect(texts).toEqual([
    [{ kind: 'text', text: 'from Bob' }],
    [{ kind: 'text', text: 'a question' }],
  ]);
  expect(proof.settled).toHaveLength(1);
});

test('a message from before the bot asked is a proof, and stays a question to the agent', async () => {
  // A minute ago by the clock of this machine, which Lark delivers only now.
  const proof = await beginProof({
    clock: new LeapClock(60_000),
  });
  await passed(proof, 'sent');
  reply(proof, 'is anybody there?');
  await passed(proof, 'reply');
  expect(proof.settled).toEqual([]);
  expect(proof.kept).toHaveLength(1);
});

test('a reply to the card itself is never a question to the agent, whatever the clocks say', async () => {
  const proof = await beginProof({
    clock: new LeapClock(60_000),
  });
  await passed(proof, 'sent');
  const replyTo = proof.lark.findMessage(cardIn(proof));
  proof.lark.say({ chat: proof.chat, from: proof.ann, text: 'ok', replyTo });
  await passed(proof, 'reply');
  expect(proof.settled).toHaveLength(1);
});

test('a reply that could not be stored is not acked, and counts when it comes again', async () => {
  let failures = 1;
  const settled: InboundMessage[] = [];
  const proof = await beginProof({
    held: {
      admit: () => Promise.resolve(),
      settle: (message) => {
        failures -= 1;
        if (failures >= 0) return Promise.reject(new BridgeError('store_unavailable', 'disk full'));
        settled.push(message);
        return Promise.resolve();
      },
    },
  });
  await passed(proof, 'sent');
  reply(proof);
  await eventually(() => failures).toBe(0);
  // It is still waited for: Lark is asked what may be missing.
  proof.clock.leap(30_000);
  await eventually(() => proof.lark.calls({ path: '/event/v1/connection' }).length).toBe(1);
  await eventually(() => proof.lark.redeliverNow()).toBe(1);
  await passed(proof, 'reply');
  expect(settled).toHaveLength(1);
});

test.each(['connected', 'sent'])(
  'an interruption after %s ends the proof at once',
  async (step) => {
    const proof = await beginProof();
    await passed(proof, step);
    proof.abort.abort();
    expect(await proof.ended).toMatchObject({ code: 'interrupted', exitCode: 130 });
  },
);

test('an interruption does not wait if Lark hangs', async () => {
  const proof = await beginProof({
    prepare: ({ lark }) => lark.faults.inject({ kind: 'bootstrap_hang' }),
  });
  proof.abort.abort();
  expect(await proof.ended).toMatchObject({ code: 'interrupted' });
});
