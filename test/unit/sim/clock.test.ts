import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Clock } from '../../../src/sim/world/clock.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});

afterEach(() => {
  vi.useRealTimers();
});

test('timers run in the order of their times, in whatever order they were set', () => {
  const clock = new Clock();
  const ran: number[] = [];
  const delays = [50, 10, 30, 10, 40, 20];
  for (const delay of delays) clock.after(delay, () => ran.push(delay));
  vi.advanceTimersByTime(30);
  expect(ran).toEqual([10, 10, 20, 30]);
  vi.advanceTimersByTime(20);
  expect(ran).toEqual([10, 10, 20, 30, 40, 50]);
});

test('a cancelled timer and a timer of a stopped clock do not run', () => {
  const clock = new Clock();
  const run = vi.fn();
  clock.after(10, run)();
  clock.after(20, run);
  clock.stop();
  clock.after(5, run);
  vi.advanceTimersByTime(100);
  expect(run).not.toHaveBeenCalled();
});

test('advance moves the time and runs the timers that are due, also those that these timers set', () => {
  const clock = new Clock();
  const ran: string[] = [];
  clock.after(10_000, () => {
    ran.push('first');
    clock.after(0, () => ran.push('second'));
  });
  clock.after(20_001, () => ran.push('too late'));
  clock.advance(20_000);
  expect(ran).toEqual(['first', 'second']);
  expect(clock.nowMs()).toBe(1_020_000);
});

test('only waits are shorter by the scale: real waits and the time are not', () => {
  const clock = new Clock(100);
  const ran: string[] = [];
  clock.after(15_000, () => ran.push('scaled'));
  clock.afterReal(200, () => ran.push('real'));
  vi.advanceTimersByTime(150);
  expect(ran).toEqual(['scaled']);
  vi.advanceTimersByTime(50);
  expect(ran).toEqual(['scaled', 'real']);
  expect(clock.nowMs()).toBe(1_000_200);
});

test('the time never goes back', () => {
  const clock = new Clock();
  expect(clock.nowMs()).toBe(1_000_000);
  vi.setSystemTime(999_000);
  expect(clock.nowMs()).toBe(1_000_000);
});
