/** Live cards: what a person sees while the agent works, and that it never costs an answer. */
import { expect, test } from 'vitest';
import { messageId, openId } from '../../../src/core/ids.ts';
import type { LiveTrouble } from '../../../src/bridge/ports/live.ts';
import { added, answered, doing, LIVE_MESSAGE, liveRig } from './live-rig.ts';
import { message } from './samples.ts';
import type { ButtonValue } from '../../../src/wire/choice-value.ts';

test('a turn that tells something gets a card after a second, which grows, and the answer stands on it', async () => {
  const { ask, tell, pass, end, lark } = await liveRig();
  await ask();
  tell(doing('reads'));
  await pass(900);
  expect(lark.calls).toEqual([]);
  await pass(200);
  expect(lark.calls).toEqual(['create', 'send']);
  expect(lark.cards[0]?.view).toMatchObject({ heading: 'reads · 0:01', text: '' });
  tell({ kind: 'step', step: { id: '1', title: 'read', status: 'running' } }, added('Hello'));
  await pass(1_000);
  expect(lark.cards[0]?.view).toMatchObject({
    steps: [{ title: 'read', status: 'running' }],
    text: 'Hello',
  });
  tell(added(' world'));
  await pass(1_000);
  expect(lark.calls.at(-1)).toBe('updateText');
  await end(answered('Hello world!'));
  expect(lark.said).toEqual(['Hello world!']);
  await pass(60_000);
  expect(lark.calls.filter((call) => call === 'end')).toHaveLength(1);
  expect(lark.calls.at(-1)).toBe('end');
});

test('a turn that ends within a second, or tells nothing, gets no card', async () => {
  const { ask, tell, pass, end, lark } = await liveRig();
  await ask();
  tell(added('x'));
  await pass(900);
  await end(answered('quick'));
  await ask({ messageId: messageId('om_2') });
  await pass(20_000);
  await end(answered('silent'));
  await pass(20_000);
  expect(lark.calls).toEqual([]);
  expect(lark.said).toEqual(['quick', 'silent']);
});

test('`off` shows nothing', async () => {
  const { ask, tell, pass, end, lark } = await liveRig({ mode: 'off' });
  await ask();
  tell(added('x'));
  await pass(20_000);
  await end(answered('x'));
  expect(lark.calls).toEqual([]);
  expect(lark.said).toEqual(['x']);
});

test('B7: 2,000 updates in 60 s cost at most 130 calls', async () => {
  const { ask, tell, pass, end, lark } = await liveRig();
  await ask();
  for (let at = 0; at < 600; at += 1) {
    tell(added('word '), doing(`step ${at % 7}`), added('more '));
    if (at % 3 === 0) tell({ kind: 'step', step: { id: `${at}`, title: 'x', status: 'done' } });
    await pass(100);
  }
  await end(answered('done'));
  expect(lark.said).toEqual(['done']);
  expect(lark.calls.length).toBeGreaterThan(50);
  expect(lark.calls.length).toBeLessThanOrEqual(130);
});

test('`sparse` costs at most 13 calls, however long the turn takes', async () => {
  const { ask, tell, pass, end, lark } = await liveRig({ mode: 'sparse' });
  await ask();
  for (let at = 0; at < 3_000; at += 1) {
    tell(added('word '));
    await pass(1_000);
  }
  await end(answered('done'));
  expect(lark.said).toEqual(['done']);
  expect(lark.calls).not.toContain('create');
  expect(lark.calls.length).toBeGreaterThan(8);
  expect(lark.calls.length).toBeLessThanOrEqual(13);
});

test('an hour costs at most 301 calls', async () => {
  const { ask, tell, pass, end, lark } = await liveRig();
  await ask();
  for (let at = 0; at < 3_500; at += 1) {
    tell(added('word '));
    await pass(1_000);
  }
  await end(answered('done'));
  expect(lark.said.at(-1)).toBe('done');
  expect(lark.calls.length).toBeLessThanOrEqual(301);
});

test('after ten minutes another card goes on, and the old one is closed', async () => {
  const { ask, tell, pass, end, lark } = await liveRig();
  await ask();
  for (let at = 0; at < 12 * 60; at += 1) {
    tell(added('x'));
    await pass(1_000);
  }
  expect(lark.cards).toHaveLength(2);
  const [first, second] = lark.cards;
  expect(first?.view).toMatchObject({ text: '' });
  expect(first?.view?.stop).toBeUndefined();
  expect(second?.view?.text.length).toBeGreaterThan(600);
  await end(answered('done'));
  await pass(1_000);
  expect(lark.said).toEqual(['See below.', 'done']);
});

test('a text that fills a card goes on on the next one, cut between lines', async () => {
  const { ask, tell, pass, end, lark } = await liveRig();
  await ask();
  const line = `${'word '.repeat(20)}\n`;
  tell(added(line.repeat(100)));
  await pass(5_000);
  expect(lark.cards.map(({ view }) => view?.text)).toEqual([line.repeat(79), line.repeat(21)]);
  expect(lark.cards.map(({ view }) => view?.stop !== undefined)).toEqual([false, true]);
  await end(answered('short'));
  await pass(1_000);
  expect(lark.said).toEqual(['See below.', 'short']);
});

const always = (...methods: readonly string[]) => ({
  with: (why: LiveTrouble) => (method: string) => (methods.includes(method) ? why : undefined),
});
const UPDATES = always('update', 'updateText');
const ALL = always('create', 'send', 'update', 'updateText', 'end');

test.each([
  ['cards are refused', ALL.with('refused')],
  ['everything waits (99991400)', ALL.with('passing')],
  ['every update waits (99991400)', always('update', 'updateText', 'end').with('passing')],
  ['every update is refused', always('update', 'updateText', 'end').with('refused')],
  ['the card is recalled', always('update', 'updateText', 'end').with('gone')],
  ['the right is missing', ALL.with('no_right')],
  ['the right is taken away', always('update', 'updateText', 'end').with('no_right')],
])('%s: the answer still comes, once, and nobody waits for it', async (_what, trouble) => {
  const { ask, tell, pass, end, lark } = await liveRig();
  lark.trouble = trouble;
  await ask();
  tell(added('Hello'));
  await pass(3_000);
  tell(added(' world'));
  await pass(3_000);
  await end(answered('Hello world'));
  await pass(60_000);
  const shown = [...lark.cards.map(({ end: last }) => last), ...lark.messages];
  expect(shown.filter((content) => content?.text === 'Hello world')).toHaveLength(1);
  expect(lark.calls.length).toBeLessThan(60);
});

test.each([
  ['updates are refused', UPDATES.with('refused')],
  ['updates wait', UPDATES.with('passing')],
  ['numbers are too low', (method: string) => UPDATES.with('sequence')(method)],
  ['it is not known whether calls arrive', (method: string) => UPDATES.with('unknown')(method)],
])('%s: the card is ended all the same', async (_what, trouble) => {
  const { ask, tell, pass, end, lark } = await liveRig();
  lark.trouble = trouble;
  await ask();
  tell(added('Hello'));
  await pass(3_000);
  tell(added(' world'));
  await pass(3_000);
  await end(answered('Hello world'));
  await pass(60_000);
  expect(lark.said).toEqual(['Hello world']);
});

test('99991400 to every update for two minutes: the answer comes, and after it the card says so', async () => {
  const { ask, tell, pass, end, lark } = await liveRig();
  await ask();
  tell(added('Hello'));
  await pass(3_000);
  lark.trouble = always('update', 'updateText', 'end').with('passing');
  await end(answered('Hello world'));
  await pass(2 * 60_000);
  expect(lark.said).toEqual(['(working)', 'Hello world']);
  lark.trouble = () => undefined;
  await pass(60_000);
  expect(lark.said).toEqual(['See below.', 'Hello world']);
});

test('99991400 for an hour: the calls for the end of a card are bounded', async () => {
  const { ask, tell, pass, end, lark } = await liveRig();
  await ask();
  tell(added('Hello'));
  await pass(3_000);
  lark.trouble = always('update', 'updateText', 'end').with('passing');
  await end(answered('Hello world'));
  await pass(60 * 60_000);
  expect(lark.calls.filter((method) => method === 'end').length).toBeLessThanOrEqual(30);
});

test('an end that may have arrived is not shown a second time because later tries have to wait', async () => {
  const { ask, tell, pass, end, lark } = await liveRig();
  await ask();
  tell(added('Hello'));
  await pass(3_000);
  let ends = 0;
  lark.trouble = (method) => {
    if (method !== 'end') return undefined;
    ends += 1;
    if (ends === 1) return 'unknown';
    return ends < 8 ? 'passing' : undefined;
  };
  await end(answered('done'));
  await pass(10 * 60_000);
  expect(ends).toBe(8);
  expect(lark.said).toEqual(['done']);
});

test('without the right to stream, the card is changed through its message', async () => {
  const { ask, tell, pass, end, lark } = await liveRig();
  lark.trouble = always('create').with('no_right');
  await ask();
  tell(added('Hello'));
  await pass(1_200);
  expect(lark.cards[0]?.view).toMatchObject({ text: 'Hello' });
  tell(added(' world'));
  await pass(1_000);
  expect(lark.cards[0]?.view).toMatchObject({ text: 'Hello world' });
  expect(lark.calls).toEqual(['create', 'send', 'update']);
  await end(answered('done'));
  expect(lark.said).toEqual(['done']);
});

/** Updates are on their way until the returned function is called. */
function holdUpdates(lark: Awaited<ReturnType<typeof liveRig>>['lark']): () => void {
  let arrive = () => {};
  const { update } = lark;
  lark.update = async (...given) => {
    await new Promise<void>((resolve) => {
      arrive = resolve;
    });
    return update(...given);
  };
  return () => arrive();
}

test('an update under way does not arrive after the end of a card without numbers', async () => {
  const { ask, tell, pass, end, lark } = await liveRig();
  lark.trouble = always('create').with('no_right');
  await ask();
  tell(added('Hello'));
  await pass(1_200);
  const arrive = holdUpdates(lark);
  tell(added(' world'));
  await pass(1_000);
  await end(answered('done'));
  await pass(1_000);
  expect(lark.calls).not.toContain('end');
  arrive();
  await pass(1_000);
  expect(lark.said).toEqual(['done']);
});

test('nor does an update that takes long hold up the answer; the card is ended after it', async () => {
  const { ask, tell, pass, end, lark } = await liveRig();
  lark.trouble = always('create').with('no_right');
  await ask();
  tell(added('Hello'));
  await pass(1_200);
  const arrive = holdUpdates(lark);
  tell(added(' world'));
  await pass(1_000);
  await end(answered('done'));
  await pass(4_000);
  expect(lark.messages).toEqual([{ kind: 'answer', text: 'done' }]);
  arrive();
  await pass(60_000);
  expect(lark.said).toEqual(['See below.', 'done']);
});

test('a card whose streaming Lark has ended is followed by another one', async () => {
  const { ask, tell, pass, end, lark } = await liveRig();
  await ask();
  tell(added('Hello'));
  await pass(1_500);
  lark.trouble = always('updateText').with('closed');
  tell(added(' world'));
  await pass(3_000);
  expect(lark.cards).toHaveLength(2);
  await end(answered('done'));
  await pass(1_000);
  expect(lark.said).toEqual(['See below.', 'done']);
});

test('after a restart the card is taken up again, with higher numbers, and the answer stands on it', async () => {
  const { ask, tell, pass, end, restart, lark } = await liveRig();
  await ask();
  tell(added('Hello'));
  await pass(3_000);
  const before = lark.cards[0]?.sequence ?? 0;
  await restart();
  await pass(2_000);
  tell(added('Once more'));
  await pass(2_000);
  expect(lark.cards).toHaveLength(1);
  expect(lark.cards[0]?.view).toMatchObject({ text: 'Once more' });
  expect(lark.cards[0]?.sequence).toBeGreaterThan(before);
  await end(answered('done'));
  expect(lark.said).toEqual(['done']);
});

test('after a restart a turn that tells nothing more still ends its card', async () => {
  const { ask, tell, pass, end, restart, lark } = await liveRig();
  await ask();
  tell(added('Hello'));
  await pass(3_000);
  await restart();
  await end(answered('done'));
  expect(lark.said).toEqual(['done']);
});

test('after the time of a turn is over, its card stays as it is, whatever its agent still tells', async () => {
  const { ask, tell, pass, end, restart, lark } = await liveRig();
  await ask();
  tell(added('So far'));
  await pass(61 * 60_000);
  expect(lark.said[0]).toBe('So far');
  expect(lark.said[1]).toContain('unusually long');
  const calls = lark.calls.length;
  const tellMore = async () => {
    tell(added(', and more'));
    await pass(10_000);
    tell(added(', and more'));
    await pass(10_000);
  };
  await tellMore();
  await restart();
  await tellMore();
  expect(lark.calls).toHaveLength(calls);
  expect(lark.said).toHaveLength(2);
  expect(lark.said[0]).toBe('So far');
  await end(answered('At last'));
  expect(lark.said.at(-1)).toBe('At last');
});

test('what was said before a failure stays', async () => {
  const { ask, tell, pass, end, lark } = await liveRig();
  await ask();
  tell(added('The first half'));
  await pass(3_000);
  await end({ kind: 'failed', detail: 'It broke.' });
  await pass(1_000);
  expect(lark.said[0]).toBe('The first half');
  expect(lark.said[1]).toContain('It broke.');
});

test('a recall leaves nothing of the answer on the card', async () => {
  const { ask, tell, pass, bridge, lark, cancelled } = await liveRig();
  await ask();
  tell(added('private'));
  await pass(3_000);
  const { messageId: id, chatId } = message;
  await bridge().intake.admit({ kind: 'recalled', eventId: 'r1', messageId: id, chatId } as never);
  await pass(3_000);
  expect(lark.said).toEqual(['This work is over.']);
  expect(cancelled).toHaveLength(1);
});

const stopValue = (rig: Awaited<ReturnType<typeof liveRig>>) =>
  rig.lark.cards[0]?.view?.stop?.value ?? {};

async function press(
  rig: Awaited<ReturnType<typeof liveRig>>,
  change: { by?: string; card?: string; value?: ButtonValue } = {},
) {
  const { by = message.senderOpenId, card = LIVE_MESSAGE, value = stopValue(rig) } = change;
  const reply = await rig.bridge().intake.admit({
    kind: 'button',
    appId: message.appId,
    eventId: `press-${by}-${card}`,
    chatId: message.chatId,
    messageId: messageId(card),
    operatorOpenId: openId(by),
    value,
  });
  await rig.pass(2_000);
  return reply?.toast;
}

test('the Stop button ends the turn, and what was said so far stays', async () => {
  const rig = await liveRig();
  await rig.ask();
  rig.tell(added('So far'));
  await rig.pass(3_000);
  const value = stopValue(rig);
  expect(await press(rig)).toEqual({ kind: 'success', text: 'I stop it.' });
  expect(rig.cancelled).toHaveLength(1);
  expect(rig.lark.said).toEqual(['So far', 'Stopped.']);
  expect(await press(rig, { value })).toEqual({ kind: 'info', text: 'It is over already.' });
  expect(rig.lark.said).toHaveLength(2);
});

test('the Stop button works for the person who asked, and on its own card', async () => {
  const rig = await liveRig();
  await rig.ask();
  rig.tell(added('So far'));
  await rig.pass(3_000);
  expect(await press(rig, { by: 'ou_other' })).toMatchObject({ kind: 'warning' });
  expect(await press(rig, { card: 'om_forwarded' })).toMatchObject({ kind: 'error' });
  expect(rig.cancelled).toEqual([]);
  expect(rig.lark.cards[0]?.view).toBeDefined();
});

test('what stands on a live card names the commands as people type them', async () => {
  const { ask, tell, pass, end, lark } = await liveRig({ prefix: '!' });
  await ask();
  tell(doing('Working.'));
  await pass(3_000);
  await end({ kind: 'failed', detail: 'It broke.' });
  await pass(3_000);
  expect(lark.said.join()).toContain('!retry');
  expect(lark.said.join()).not.toContain('/retry');
});
