/** An agent that prints what is no message, or says what nobody knows, loses no word and is not answered. */
import { expect, test } from 'vitest';
import { AcpRig } from './acp-rig.ts';

const NOISE = ['noise', 'glue', 'badjson', 'array', 'notrpc', 'split'];

test.each(NOISE)('R7: %s costs no word, and the agent hears nothing of it', async (step) => {
  const rig = new AcpRig({ script: 'banner' });
  const given = await rig.give(`say before\n${step}\nsay after`);
  expect(await given.result).toMatchObject({ ok: true });
  const parts = { glue: ['glued'], split: ['日本語 🎉'] }[step] ?? [];
  expect(given.text().split(/\s*\n\n/)).toEqual(['before', ...parts, 'after']);
  expect(rig.methods().filter((method) => !method.startsWith('session/set'))).toEqual([
    'initialize',
    'session/new',
    'session/prompt',
  ]);
  expect(rig.answers()).toEqual([]);
});

test('R7: noise is logged, but not all of it', async () => {
  const rig = new AcpRig();
  await rig.ask(Array.from({ length: 50 }, () => 'noise').join('\n'));
  const lines = rig.log.lines.filter((line) => JSON.stringify(line).includes('this is no message'));
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.length).toBeLessThan(20);
});

test('a kind of update that nobody knows is left out, and a request that nobody knows is refused', async () => {
  const rig = new AcpRig();
  const given = await rig.give('unknownupdate\nsay end');
  expect(await given.result).toMatchObject({ ok: true, text: 'vendor -32601\n\nend' });
  expect(new Set(given.updates.map(({ kind }) => kind))).toEqual(new Set(['text_added']));
});

test('the ids of its requests may be words', async () => {
  const rig = new AcpRig({ script: 'ids=string' });
  const given = await rig.give('perm');
  await given.answer('allow-once');
  expect(await given.result).toMatchObject({ ok: true, text: 'allow-once' });
});

test('what it sends as a terminal or in one step is shown as a step all the same', async () => {
  const rig = new AcpRig();
  const given = await rig.give('toolterm\ntoolfast\ntool read failed');
  await given.result;
  const steps = given.updates.flatMap((update) => (update.kind === 'step' ? [update.step] : []));
  const last = new Map(steps.map(({ id, ...step }) => [id, step]));
  expect([...last.values()]).toMatchObject([
    { status: 'done', detail: 'made all' },
    { status: 'done' },
    { status: 'failed' },
  ]);
  expect(rig.methods().filter((method) => method.startsWith('terminal'))).toEqual([]);
});

test('earlyupdate: what is told of a session before its answer is no text of a turn', async () => {
  const rig = new AcpRig({ script: 'earlyupdate' });
  const given = await rig.give('say hi');
  expect(await given.result).toMatchObject({ ok: true, text: 'hi' });
  expect(given.updates.map(({ kind }) => kind)).toEqual(['text_added']);
});
