import { expect, test } from 'vitest';
import { Rounds } from '../../../src/time/repeat.ts';
import { settle, VirtualClock } from '../../kit/clock.ts';

async function pass(clock: VirtualClock, durationMs: number): Promise<void> {
  const untilMs = clock.nowMs() + durationMs;
  do await settle();
  while (clock.step(untilMs));
  await settle();
}

test('a round that is hurried begins at once, and the next one waits as ever', async () => {
  const clock = new VirtualClock(0);
  const begunAtMs: number[] = [];
  const rounds = new Rounds(clock, () => {
    begunAtMs.push(clock.nowMs());
    return Promise.resolve(1_000);
  });
  rounds.start(0);
  await pass(clock, 300);
  rounds.hurry();
  await pass(clock, 1_200);
  expect(begunAtMs).toEqual([0, 300, 1_300]);
  await rounds.stop();
  rounds.hurry();
  await pass(clock, 5_000);
  expect(begunAtMs).toHaveLength(3);
});

test('hurried in the middle of a round, another one follows it, and never two at once', async () => {
  const clock = new VirtualClock(0);
  const begunAtMs: number[] = [];
  let working = 0;
  const rounds = new Rounds(clock, async () => {
    begunAtMs.push(clock.nowMs());
    working += 1;
    expect(working).toBe(1);
    await clock.sleep(100);
    working -= 1;
    return 1_000;
  });
  rounds.start(0);
  await pass(clock, 50);
  rounds.hurry();
  rounds.hurry();
  await pass(clock, 500);
  expect(begunAtMs).toEqual([0, 100]);
  await rounds.stop();
});
