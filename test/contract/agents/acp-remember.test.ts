/** The memory of an agent for a chat: begun, kept, taken up by a later process, lost; and what is said between turns. */
import { expect, test } from 'vitest';
import type { TurnUpdate } from '../../../src/core/turn-update.ts';
import { HeldClock } from '../../kit/clock.ts';
import { AcpRig } from './acp-rig.ts';

const NATIVE = 'session-1';

function taken(rig: AcpRig): string[] {
  return rig.methods().filter((method) => /new|load|resume/.test(method));
}

test('R5: a session that lives is neither begun nor taken up again', async () => {
  const rig = new AcpRig();
  for (const number of [1, 2, 3]) {
    expect(await rig.ask('count')).toMatchObject({ text: `prompt ${number}` });
  }
  expect(taken(rig)).toEqual(['session/new']);
});

test('R23: the agent does not hear the prompt before its session is kept', async () => {
  const rig = new AcpRig();
  await rig.runtime.start();
  let keep: () => void = () => {};
  const kept = new Promise<void>((resolve) => {
    keep = resolve;
  });
  let nativeId: string | undefined;
  const run = rig.runtime.prompt(
    { turnId: 'turn', text: 'say hi', lark: undefined, session: { id: 'chat' } },
    {
      onUpdate() {},
      keepSession(id) {
        nativeId = id;
        return kept;
      },
    },
  );
  await expect.poll(() => nativeId).toBe('fake-1');
  // As long as a second session takes, nothing is heard of the first.
  await rig.ask('say hi', { session: 'other' });
  expect(rig.methods().filter((method) => method === 'session/prompt')).toHaveLength(1);
  keep();
  expect(await run.result).toMatchObject({ ok: true, text: 'hi' });
});

test.each([
  ['', 'session/resume'],
  ['noresume', 'session/load'],
  ['noresume,nullload', 'session/load'],
  ['noresume,loadbig=5000', 'session/load'],
])(
  'R24: a new process with "%s" goes on by %s, and shows nothing of what was said',
  async (script, method) => {
    const rig = new AcpRig();
    await rig.ask('remember blue\ntool execute ls');
    const nativeId = rig.stored.get(NATIVE);
    await rig.restart({ script });
    const given = await rig.give('recall');
    expect(await given.result).toMatchObject({ ok: true, text: 'blue' });
    expect(given.updates).toEqual([{ kind: 'text_added', text: 'blue' }]);
    expect(rig.stored.get(NATIVE)).toBe(nativeId);
    expect(rig.late).toEqual([]);
    expect(taken(rig)).toEqual(['session/new', method]);
  },
);

test('R24: an agent that forgot is told once what was said before, and so is the person', async () => {
  const rig = new AcpRig();
  await rig.ask('remember blue');
  const nativeId = rig.stored.get(NATIVE);
  await rig.restart({ script: 'loadfails' });
  rig.saidBefore = 'Ann: the word is blue';
  const given = await rig.give('prompt');
  expect(await given.result).toMatchObject({ text: expect.stringContaining(rig.saidBefore) });
  expect(given.told()).toEqual(['memory_lost']);
  expect(rig.stored.get(NATIVE)).not.toBe(nativeId);
  const next = await rig.give('prompt');
  expect(await next.result).not.toMatchObject({ text: expect.stringContaining(rig.saidBefore) });
  expect(next.told()).toEqual([]);
});

test('R24: a memory that did not open in time is not given up', async () => {
  const rig = new AcpRig();
  await rig.ask('remember blue');
  const nativeId = rig.stored.get(NATIVE);
  const clock = new HeldClock();
  await rig.restart({ script: 'loadhangs=once', clock });
  const given = await rig.give('say done');
  await expect.poll(() => taken(rig)).toEqual(['session/new', 'session/resume']);
  clock.endLongWaits();
  expect(await given.result).toMatchObject({ ok: true, text: expect.stringContaining('done') });
  expect(given.told()).toContain('tries_again');
  expect(rig.stored.get(NATIVE)).toBe(nativeId);
  await rig.restart();
  expect(await rig.ask('recall')).toMatchObject({ ok: true, text: 'blue' });
});

test('text arrives in order before the turn ends, however slow the one who reads it is', async () => {
  const rig = new AcpRig();
  await rig.runtime.start();
  let text = '';
  let isOver = false;
  const late: string[] = [];
  const onUpdate = (update: TurnUpdate) => {
    if (update.kind !== 'text_added') return;
    if (isOver) late.push(update.text);
    const untilMs = performance.now() + 1;
    while (performance.now() < untilMs);
    text += update.text;
  };
  const words = 'flood 500\nthink so\nsay end';
  const turn = { turnId: 'turn', text: words, lark: undefined, session: { id: 'chat' } };
  const result = await rig.runtime.prompt(turn, { onUpdate }).result;
  isOver = true;
  const numbers = Array.from({ length: 500 }, (_, number) => `${number} `).join('');
  expect(text).toBe(`${numbers}\n\nend`);
  expect(result).toMatchObject({ ok: true, text });
  expect(late).toEqual([]);
});

test('R14, R21, R22: silence is expected while a tool works or a person is asked, and not of an agent that hangs', async () => {
  const rig = new AcpRig();
  const tool = await rig.give('long 300', { session: 'tool' });
  const asks = await rig.give('ask words', { session: 'asks' });
  const hangs = await rig.give('say begun\nhang', { session: 'hangs' });
  await expect.poll(() => [tool.silences(), asks.silences()]).toEqual([1, 1]);
  await expect.poll(() => hangs.text()).toBe('begun');
  expect(hangs.silences()).toBe(0);
  await tool.result;
  asks.run.cancel();
  hangs.run.cancel();
  await Promise.all([asks.result, hangs.result]);
  expect([tool, asks, hangs].map((given) => given.silences())).toEqual([0, 0, 0]);
});

test('R21: each line of an agent is a sign of life', async () => {
  const rig = new AcpRig();
  const given = await rig.give('noise\nunknownupdate\ntool read\nplan');
  await given.result;
  expect(given.signs()).toBeGreaterThan(8);
});
