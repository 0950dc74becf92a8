import { describe, expect, test } from 'vitest';
import { Lanes } from '../../../src/time/lanes.ts';

const item = (lane: string, order: number, notBeforeMs = 0) => ({
  id: `${lane}${order}`,
  lane,
  order,
  notBeforeMs,
  sinceMs: 0,
});

describe('lanes', () => {
  test('LCM-IN-10: one lane gives its items in order, one at a time', () => {
    const lanes = new Lanes();
    for (const order of [2, 1, 3]) lanes.add(item('a', order));
    expect(lanes.take(0)?.id).toBe('a1');
    expect(lanes.take(0)).toBeUndefined();
    lanes.release('a');
    expect(lanes.take(0)?.id).toBe('a2');
  });

  test('a clock that is set back makes nobody wait longer', () => {
    const lanes = new Lanes();
    const hourMs = 3_600_000;
    lanes.add(item('a', 1, hourMs + 500));
    lanes.add(item('b', 2, hourMs + 900));
    expect(lanes.take(hourMs)).toBeUndefined();
    // An hour back, and half a second of real time later.
    expect(lanes.take(500)).toBeUndefined();
    expect(lanes.nextDueMs()).toBe(1_000);
    expect(lanes.take(1_000)?.id).toBe('a1');
    expect(lanes.take(1_400)?.id).toBe('b2');
  });

  test('lanes go side by side', () => {
    const lanes = new Lanes();
    lanes.add(item('a', 1));
    lanes.add(item('a', 2));
    lanes.add(item('b', 3));
    expect([lanes.take(0)?.id, lanes.take(0)?.id, lanes.take(0)?.id]).toEqual([
      'a1',
      'b3',
      undefined,
    ]);
  });

  test('what has to wait keeps what stands behind it waiting', () => {
    const lanes = new Lanes();
    lanes.add(item('a', 1, 100));
    lanes.add(item('a', 2));
    expect(lanes.take(50)).toBeUndefined();
    expect(lanes.nextDueMs()).toBe(100);
    expect(lanes.take(100)?.id).toBe('a1');
  });

  test('an item put back goes first again', () => {
    const lanes = new Lanes();
    lanes.add(item('a', 1));
    lanes.add(item('a', 2));
    lanes.take(0);
    lanes.add(item('a', 1, 10));
    lanes.release('a');
    expect(lanes.take(5)).toBeUndefined();
    expect(lanes.take(10)?.id).toBe('a1');
  });

  test('a removed item is not given, and its lane goes on', () => {
    const lanes = new Lanes();
    lanes.add(item('a', 1, 100));
    lanes.add(item('a', 2));
    expect(lanes.take(0)).toBeUndefined();
    expect(lanes.remove('a', 'a1')).toBe(true);
    expect(lanes.take(0)?.id).toBe('a2');
    expect(lanes.remove('a', 'a1')).toBe(false);
  });

  test('an occupied lane waits for its release', () => {
    const lanes = new Lanes();
    lanes.occupy('a');
    lanes.add(item('a', 1));
    expect(lanes.take(0)).toBeUndefined();
    lanes.release('a');
    expect(lanes.take(0)?.id).toBe('a1');
  });

  test('the place in the queue counts the one at work', () => {
    const lanes = new Lanes();
    for (const order of [1, 2, 3]) lanes.add(item('a', order));
    lanes.take(0);
    expect(lanes.ahead('a', 'a2')).toBe(1);
    expect(lanes.ahead('a', 'a3')).toBe(2);
  });
});
