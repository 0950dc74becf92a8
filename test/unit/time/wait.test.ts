import { expect, test } from 'vitest';
import { limitAt, waitAtMost } from '../../../src/time/wait.ts';
import { VirtualClock } from '../../kit/clock.ts';

const HOUR_MS = 3_600_000;

/** Somebody sets it; its timers go on as before. */
class SetClock extends VirtualClock {
  offsetMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.offsetMs;
  }

  run(durationMs: number): void {
    const untilMs = super.nowMs() + durationMs;
    while (this.step(untilMs));
  }
}

test.each([2 * HOUR_MS, -2 * HOUR_MS])(
  'a clock that is set by %i ms neither shortens a limit nor lengthens it',
  (offsetMs) => {
    const clock = new SetClock(Date.UTC(2026, 0, 5));
    const limit = limitAt(clock, new AbortController().signal, clock.nowMs() + 600_000);
    clock.run(1_000);
    clock.offsetMs = offsetMs;
    clock.run(598_999);
    expect([limit.isOver(), limit.signal.aborted]).toEqual([false, false]);
    clock.run(1);
    expect([limit.isOver(), limit.signal.aborted]).toEqual([true, true]);
  },
);

test('a limit that ends because everything stops is not over', () => {
  const clock = new SetClock(0);
  const stop = new AbortController();
  const limit = limitAt(clock, stop.signal, 1_000);
  stop.abort();
  clock.run(2_000);
  expect([limit.isOver(), limit.signal.aborted]).toEqual([false, true]);
});

test('work that is over in time is waited for, and its timer goes', async () => {
  const clock = new VirtualClock();
  expect(await waitAtMost(clock, Promise.resolve(), 1_000)).toBe(true);
  expect(clock.timers).toBe(0);
});

test('work that takes too long is left alone', async () => {
  const clock = new VirtualClock();
  const waited = waitAtMost(clock, new Promise(() => {}), 1_000);
  await clock.pass(1_000);
  expect(await waited).toBe(false);
});

test('work that fails says so, and its timer goes', async () => {
  const clock = new VirtualClock();
  const bug = new TypeError('a bug');
  await expect(waitAtMost(clock, Promise.reject(bug), 1_000)).rejects.toBe(bug);
  expect(clock.timers).toBe(0);
});
