import { expect, test } from 'vitest';
import { RateLimits } from '../../../src/sim/api/rate-limits.ts';

const LIMIT = { hitsMax: 3, windowMs: 1_000 };

test('a window slides: never more than the limit within any second', () => {
  let nowMs = 0;
  const limits = new RateLimits(() => nowMs);
  const taken: number[] = [];
  for (; nowMs < 10_000; nowMs += 7) {
    if (limits.take('a', LIMIT) === 0) taken.push(nowMs);
  }
  for (const [at, atMs] of taken.entries()) {
    expect(taken.slice(at).filter((other) => other < atMs + 1_000).length).toBeLessThanOrEqual(3);
  }
  expect(taken.length).toBeGreaterThanOrEqual(29);
});

test('says how long to wait, and a refused hit does not count', () => {
  let nowMs = 0;
  const limits = new RateLimits(() => nowMs);
  for (const atMs of [0, 100, 200]) {
    nowMs = atMs;
    expect(limits.take('a', LIMIT)).toBe(0);
  }
  nowMs = 300;
  expect(limits.take('a', LIMIT)).toBe(700);
  expect(limits.take('b', LIMIT)).toBe(0);
  nowMs = 1_000;
  expect(limits.take('a', LIMIT)).toBe(0);
  expect(limits.take('a', LIMIT)).toBe(100);
});

test('limits that are turned off refuse nothing', () => {
  const limits = new RateLimits(() => 0, false);
  for (let at = 0; at < 100; at += 1) expect(limits.take('a', LIMIT)).toBe(0);
});
