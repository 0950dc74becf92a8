import { expect, test } from 'vitest';
import { RateLimit, CALLERS_REMEMBERED } from '../../../src/net/rate-limit.ts';
import { clockWithoutTimers } from '../../kit/clock.ts';

function limitAt(perSecond: number) {
  const time = { nowMs: 1_000_000 };
  const clock = clockWithoutTimers(() => time.nowMs);
  const limit = new RateLimit(perSecond, clock);
  const taken = (caller: string, times: number) =>
    Array.from({ length: times }, () => limit.take(caller)).filter(Boolean).length;
  return { time, limit, taken };
}

test('the requests of one second may come at once, and each caller has its own limit', () => {
  const { taken } = limitAt(5);
  expect(taken('a', 9)).toBe(5);
  expect(taken('b', 9)).toBe(5);
});

test('it refills steadily, also for a caller that never pauses', () => {
  const { time, taken } = limitAt(10);
  taken('a', 10);
  let served = 0;
  for (let step = 0; step < 20; step += 1) {
    time.nowMs += 50;
    served += taken('a', 1);
  }
  expect(served).toBe(10);
});

test('after a pause no more than the requests of one second are allowed', () => {
  const { time, taken } = limitAt(5);
  taken('a', 5);
  time.nowMs += 3_600_000;
  expect(taken('a', 9)).toBe(5);
});

test('a clock that is set back changes no limit', () => {
  const { time, taken } = limitAt(5);
  taken('a', 3);
  time.nowMs -= 3_600_000;
  expect(taken('a', 9)).toBe(2);
  time.nowMs += 1_000;
  expect(taken('a', 9)).toBe(5);
});

test('very many callers are forgotten, but not one that is over its limit', () => {
  const { time, limit, taken } = limitAt(2);
  for (let index = 0; index < CALLERS_REMEMBERED - 1; index += 1) limit.take(`caller ${index}`);
  time.nowMs += 2_000;
  taken('held back', 9);
  limit.take('one more');
  expect(taken('held back', 1)).toBe(0);
});
