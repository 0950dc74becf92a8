import { expect, test } from 'vitest';
import { CoolDown, RateWindow } from '../../../src/lark/outbound/rate-window.ts';
import { random } from './captured.ts';

test('allows its number at once, and the next one when the first is a window old', () => {
  const window = new RateWindow({ hitsMax: 2, windowMs: 1_000 });
  expect(window.freeAtMs(0)).toBeLessThanOrEqual(0);
  window.hit(0);
  window.hit(300);
  expect(window.freeAtMs(400)).toBe(1_000);
  window.hit(1_000);
  expect(window.freeAtMs(1_001)).toBe(1_300);
});

test('without a limit it never holds a call back', () => {
  const window = new RateWindow({ hitsMax: Infinity, windowMs: 1_000 });
  for (let hit = 0; hit < 100; hit++) window.hit(0);
  expect(window.freeAtMs(0)).toBeLessThanOrEqual(0);
});

test.each([1, 2, 3, 4])('never more than the limit in any window (SEED=%i)', (seed) => {
  const next = random(seed);
  const hitsMax = 1 + Math.floor(next() * 6);
  const window = new RateWindow({ hitsMax, windowMs: 1_000 });
  const hits: number[] = [];
  let nowMs = 0;
  while (hits.length < 500) {
    nowMs += Math.floor(next() * 300);
    if (window.freeAtMs(nowMs) > nowMs) continue;
    window.hit(nowMs);
    hits.push(nowMs);
  }
  for (const from of hits) {
    expect(hits.filter((at) => at >= from && at < from + 1_000).length).toBeLessThanOrEqual(
      hitsMax,
    );
  }
});

test('a clock that is set back frees all calls instead of blocking them', () => {
  const window = new RateWindow({ hitsMax: 1, windowMs: 1_000 });
  window.hit(3_600_000);
  expect(window.freeAtMs(10)).toBeLessThanOrEqual(10);
  const coolDown = new CoolDown();
  coolDown.set(3_600_000, 5_000);
  expect(coolDown.freeAtMs(3_600_001)).toBe(3_605_000);
  expect(coolDown.freeAtMs(10)).toBeLessThanOrEqual(10);
});

test('a shorter pause never ends a longer one', () => {
  const coolDown = new CoolDown();
  coolDown.set(0, 5_000);
  coolDown.set(100, 1_000);
  expect(coolDown.freeAtMs(200)).toBe(5_000);
});
