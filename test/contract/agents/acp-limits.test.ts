/** R28: whatever an agent sends, the memory of the bridge stays bounded, and what is cut says so. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { TurnUpdate } from '../../../src/core/turn-update.ts';
import { AcpRig } from './acp-rig.ts';

const MIB = 1024 * 1024;
/** Generous: what these send is many times as much. */
const KEPT_BYTES_MAX = 24 * MIB;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function usedBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Buffers are given back some time after they are of no use. */
async function expectLittleKept(before: number, bytesMax = KEPT_BYTES_MAX): Promise<void> {
  await expect.poll(() => usedBytes() - before, { interval: 100 }).toBeLessThan(bytesMax);
}

/** A turn of which only sizes are kept. */
async function sizesOf({ runtime }: AcpRig, text: string) {
  await runtime.start();
  const largest: Partial<Record<TurnUpdate['kind'], number>> = {};
  let peakBytes = 0;
  const before = usedBytes();
  const onUpdate = (update: TurnUpdate) => {
    const size = JSON.stringify(update).length;
    largest[update.kind] = Math.max(largest[update.kind] ?? 0, size);
  };
  let timer: NodeJS.Timeout;
  const look = () => {
    const startedMs = performance.now();
    peakBytes = Math.max(peakBytes, usedBytes() - before);
    // To collect the garbage of a process that runs many tests can take a second.
    timer = setTimeout(look, 500 + 10 * (performance.now() - startedMs));
  };
  timer = setTimeout(look, 500);
  const turn = { turnId: 'turn', text, lark: undefined, session: { id: 'sizes' } };
  const result = await runtime.prompt(turn, { onUpdate }).result;
  clearTimeout(timer);
  return { result, largest, peakBytes, before };
}

test('R28: a message of 31 MiB is cut, and says so', async () => {
  const rig = new AcpRig();
  const { result, largest, before } = await sizesOf(rig, 'big 31');
  expect(result).toMatchObject({ ok: true, text: expect.stringMatching(/^x+[^x]/) });
  expect(largest['text_added']).toBeLessThan(2 * MIB);
  await expectLittleKept(before);
});

test.each(['stop max_tokens', 'hang'])(
  'R28: what is shown of an answer that was not finished is cut too: %s',
  async (step) => {
    const rig = new AcpRig();
    const given = await rig.give(`big 4\n${step}`);
    await expect.poll(() => given.text().length).toBeGreaterThan(0);
    if (step === 'hang') given.run.cancel();
    expect(JSON.stringify(await given.result).length).toBeLessThan(2 * MIB);
  },
);

test('R28: the output of tools is cut, and not kept', async () => {
  const rig = new AcpRig();
  const before = usedBytes();
  const given = await rig.give([...Array(8).fill('big 4 tool'), 'say done', 'hang'].join('\n'));
  await expect.poll(() => given.text()).toBe('done');
  await expectLittleKept(before);
  expect(JSON.stringify(given.updates).length).toBeLessThan(MIB);
  given.run.cancel();
  await given.result;
});

test('R28: a message that is too large ends the program with words of its own, and the next turn works', async () => {
  const rig = new AcpRig();
  await rig.ask('remember blue');
  const nativeId = rig.stored.get('session-1');
  const failed = await rig.ask('big 34');
  expect(failed).toMatchObject({ ok: false, reason: 'failed' });
  const crashed = await rig.ask('crash');
  expect(failed.ok || crashed.ok || failed.detail === crashed.detail).toBe(false);
  expect(await rig.ask('recall')).toMatchObject({ ok: true, text: 'blue' });
  expect(rig.stored.get('session-1')).toBe(nativeId);
});

test('R28: 100,000 chunks arrive in order and leave little behind', async () => {
  const rig = new AcpRig();
  const words = Array.from({ length: 1000 }, (_, number) => `${number} `).join('');
  const { result, peakBytes, before } = await sizesOf(rig, 'flood 100000');
  expect(result).toMatchObject({ ok: true, text: expect.stringContaining(words) });
  await expectLittleKept(before);
  // What was sent was 20 MB.
  expect(peakBytes).toBeLessThan(4 * KEPT_BYTES_MAX);
});

test('R28: 10 MiB on stderr leave only their end', async () => {
  const rig = new AcpRig();
  const { result, before } = await sizesOf(rig, 'stderr 10240\nsay done');
  expect(result).toMatchObject({ ok: true, text: 'done' });
  await expectLittleKept(before, 6 * MIB);
  const failed = await rig.ask('stderr 200\ncrash');
  expect(failed).toMatchObject({ output: { stderr: expect.stringContaining('crashed because') } });
  expect(JSON.stringify(failed).length).toBeLessThan(16 * 1024);
});

test('a prompt of 2 MB reaches the agent whole', async () => {
  const rig = new AcpRig();
  const words = `images\nstop end_turn\n${'中'.repeat(700_000)}`;
  expect(await rig.ask(words)).toMatchObject({
    ok: true,
    text: `text ${Buffer.byteLength(words)}`,
  });
});
