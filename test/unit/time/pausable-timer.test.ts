import { expect, test } from 'vitest';
import { pausableTimer } from '../../../src/time/pausable-timer.ts';
import { limitAt, NEVER } from '../../../src/time/wait.ts';
import { VirtualClock } from '../../kit/clock.ts';

test('the time during which it is held does not count, with several holds once', async () => {
  const clock = new VirtualClock();
  let runs = 0;
  const timer = pausableTimer(clock, 1_000, () => {
    runs += 1;
  });
  await clock.pass(400);
  const first = timer.hold();
  await clock.pass(5_000);
  const second = timer.hold();
  first();
  first();
  await clock.pass(5_000);
  second();
  await clock.pass(599);
  expect(runs).toBe(0);
  await clock.pass(1);
  expect(runs).toBe(1);
  timer.hold()();
  await clock.pass(10_000);
  expect(runs).toBe(1);
  expect(clock.timers).toBe(0);
});

test('after a cancel nothing runs, whoever still holds it', async () => {
  const clock = new VirtualClock();
  let runs = 0;
  const timer = pausableTimer(clock, 1_000, () => {
    runs += 1;
  });
  const release = timer.hold();
  timer.cancel();
  release();
  await clock.pass(10_000);
  expect(runs).toBe(0);
});

test.each([[-3_600_000], [3_600_000]])(
  'a clock that is set by %i ms while it runs changes little',
  async (byMs) => {
    const clock = new VirtualClock();
    let runs = 0;
    const timer = pausableTimer(clock, 1_000, () => {
      runs += 1;
    });
    clock.set(clock.nowMs() + byMs);
    timer.hold()();
    await clock.pass(1_000);
    expect(runs).toBe(1);
  },
);

test('a limit that is held is not over', async () => {
  const clock = new VirtualClock();
  const limit = limitAt(clock, NEVER, clock.nowMs() + 1_000);
  const release = limit.hold();
  await clock.pass(10_000);
  expect(limit.isOver()).toBe(false);
  release();
  await clock.pass(1_000);
  expect(limit.isOver()).toBe(true);
});
