/** What agents tell beside their answers: what is shown of it, what stays, and what a later process knows. */
import { expect, test } from 'vitest';
import { messageId } from '../../../src/core/ids.ts';
import { message } from './samples.ts';
import { added, answered, liveRig } from './live-rig.ts';

const USED = { kind: 'usage', usage: { inputTokens: 1200, outputTokens: 34 } } as const;
const STEP = { kind: 'step', step: { id: '1', title: 'removed out/', status: 'done' } } as const;
const INTERRUPTED = { kind: 'failed', detail: 'gone', interrupted: true } as const;

test('thoughts are shown to those who want them, and to nobody else', async () => {
  const shown = async (thoughts: boolean) => {
    const { ask, tell, pass, lark } = await liveRig({ thoughts });
    await ask();
    tell({ kind: 'thought_added', text: 'hm' }, added('x'));
    await pass(2_000);
    return lark.cards[0]?.view?.folds?.map(({ code }) => code);
  };
  expect(await shown(false)).toBeUndefined();
  expect(await shown(true)).toEqual(['hm']);
});

test('thoughts that nobody sees make no card', async () => {
  const { ask, tell, pass, lark } = await liveRig();
  await ask();
  tell({ kind: 'thought_added', text: 'hm' }, USED);
  await pass(5_000);
  expect(lark.calls).toEqual([]);
});

test.each([
  [true, '1,200 tokens in · 34 tokens out'],
  [false, undefined],
])('with usage_line %s the answer ends with what it used: %s', async (usageLine, below) => {
  const { ask, tell, end, lark } = await liveRig({ usageLine });
  await ask();
  tell({ kind: 'usage', usage: { inputTokens: 1 } }, USED);
  await end(answered('done'));
  const shown = { kind: 'answer', text: 'done', ...(below !== undefined && { below }) };
  expect(lark.messages).toEqual([shown]);
});

test('what a turn used stands on its card too, and not on the next answer', async () => {
  const { ask, tell, pass, end, lark } = await liveRig({ usageLine: true });
  await ask();
  tell(added('x'), USED);
  await pass(2_000);
  await end(answered('done'));
  await pass(1_000);
  expect(lark.cards[0]?.end).toMatchObject({ text: 'done', below: expect.any(String) as string });
  await ask({ messageId: messageId('om_2') });
  await end(answered('more'));
  expect(lark.messages).toEqual([{ kind: 'answer', text: 'more' }]);
});

test('R24: who is asked about an interrupted turn sees what was done by the process that died', async () => {
  const { ask, tell, pass, restart, end, lark } = await liveRig();
  await ask();
  tell(STEP, added('I have removed the old files. Now'));
  await pass(5_000);
  await restart();
  await end(INTERRUPTED);
  await pass(2_000);
  const asked = lark.said.find((text) => text.includes('interrupted'));
  expect(asked).toContain('✅ removed out/');
  expect(asked).toContain('Its last words:\nI have removed the old files. Now');
});

test('R24: of a long text, its end is what the person sees', async () => {
  const { ask, tell, pass, restart, end, lark } = await liveRig();
  await ask();
  tell(added(`The beginning. ${'word '.repeat(300)}Now I delete`));
  await pass(5_000);
  await restart();
  await end(INTERRUPTED);
  await pass(2_000);
  const asked = lark.said.find((text) => text.includes('interrupted'));
  expect(asked).toMatch(/word Now I delete$/m);
  expect(asked).not.toContain('The beginning');
});

test('what was done is stored every two seconds at most, and only if something has changed', async () => {
  const { ask, tell, pass, notes } = await liveRig();
  await ask();
  for (let at = 0; at < 40; at += 1) {
    tell(added('word '));
    await pass(250);
  }
  expect(notes()).toBeGreaterThan(2);
  expect(notes()).toBeLessThanOrEqual(5);
  const before = notes();
  await pass(60_000);
  expect(notes()).toBeLessThanOrEqual(before + 1);
});

test('I26: of a recalled message nothing is kept of what was done', async () => {
  const { ask, tell, pass, bridge, doneOf } = await liveRig();
  await ask();
  tell(STEP, added('secret words'));
  await pass(5_000);
  expect(await doneOf()).toHaveLength(1);
  const { appId, chatId, messageId: id } = message;
  await bridge().intake.admit({ kind: 'recalled', appId, chatId, messageId: id, eventId: 'r' });
  expect(await doneOf()).toEqual([]);
});
