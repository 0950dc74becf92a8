import { describe, expect, test } from 'vitest';
import { type LaneItem, Lanes } from '../../../src/time/lanes.ts';

const item = (lane: string, order: number, notBeforeMs = 0): LaneItem => ({
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
    expect(lanes.take(0, 8)?.id).toBe('a1');
    expect(lanes.take(0, 8)).toBeUndefined();
    lanes.release('a');
    expect(lanes.take(0, 8)?.id).toBe('a2');
  });

  test('a clock that is set back makes nobody wait longer', () => {
    const lanes = new Lanes();
    const hourMs = 3_600_000;
    lanes.add(item('a', 1, hourMs + 500));
    lanes.add(item('b', 2, hourMs + 900));
    expect(lanes.take(hourMs, 8)).toBeUndefined();
    // An hour back, and half a second of real time later.
    expect(lanes.take(500, 8)).toBeUndefined();
    expect(lanes.nextDueMs()).toBe(1_000);
    expect(lanes.take(1_000, 8)?.id).toBe('a1');
    expect(lanes.take(1_400, 8)?.id).toBe('b2');
  });

  test('lanes go side by side', () => {
    const lanes = new Lanes();
    lanes.add(item('a', 1));
    lanes.add(item('a', 2));
    lanes.add(item('b', 3));
    expect([lanes.take(0, 8)?.id, lanes.take(0, 8)?.id, lanes.take(0, 8)?.id]).toEqual([
      'a1',
      'b3',
      undefined,
    ]);
  });

  test('what has to wait keeps what stands behind it waiting', () => {
    const lanes = new Lanes();
    lanes.add(item('a', 1, 100));
    lanes.add(item('a', 2));
    expect(lanes.take(50, 8)).toBeUndefined();
    expect(lanes.nextDueMs()).toBe(100);
    expect(lanes.take(100, 8)?.id).toBe('a1');
  });

  test('an item put back goes first again', () => {
    const lanes = new Lanes();
    lanes.add(item('a', 1));
    lanes.add(item('a', 2));
    lanes.take(0, 8);
    lanes.add(item('a', 1, 10));
    lanes.release('a');
    expect(lanes.take(5, 8)).toBeUndefined();
    expect(lanes.take(10, 8)?.id).toBe('a1');
  });

  test('a removed item is not given, and its lane goes on', () => {
    const lanes = new Lanes();
    lanes.add(item('a', 1, 100));
    lanes.add(item('a', 2));
    expect(lanes.take(0, 8)).toBeUndefined();
    expect(lanes.remove('a', 'a1')).toBe(true);
    expect(lanes.take(0, 8)?.id).toBe('a2');
    expect(lanes.remove('a', 'a1')).toBe(false);
  });

  test('an occupied lane waits for its release', () => {
    const lanes = new Lanes();
    lanes.occupy('a');
    lanes.add(item('a', 1));
    expect(lanes.take(0, 8)).toBeUndefined();
    lanes.release('a');
    expect(lanes.take(0, 8)?.id).toBe('a1');
  });

  test('a lane with an item that waits already is occupied too', () => {
    const lanes = new Lanes();
    lanes.add(item('a', 1));
    lanes.add(item('b', 2));
    lanes.occupy('a');
    expect(lanes.take(0, 8)?.id).toBe('b2');
    expect(lanes.take(0, 8)).toBeUndefined();
    lanes.release('a');
    expect(lanes.take(0, 8)?.id).toBe('a1');
  });

  test('the place in the queue counts the one at work', () => {
    const lanes = new Lanes();
    for (const order of [1, 2, 3]) lanes.add(item('a', order));
    lanes.take(0, 8);
    expect(lanes.ahead('a', 'a2')).toBe(1);
    expect(lanes.ahead('a', 'a3')).toBe(2);
  });
});

/** What begins, one after another, until nobody may have one more of the free slots. */
function begun(lanes: Lanes, slots: number): string[] {
  const ids: string[] = [];
  for (let free = slots; free >= 0; free -= 1) {
    const next = lanes.take(0, free);
    if (next === undefined) break;
    ids.push(next.id);
  }
  return ids;
}

const of = (share: string, lane: string, order: number) => ({ ...item(lane, order), share });

describe('F7: slots are shared fairly', () => {
  test('one share holds at most half of the slots, and each further one finds room', () => {
    const lanes = new Lanes();
    for (let at = 0; at < 50; at += 1) lanes.add(of('greedy', `g${at}-`, at));
    expect(begun(lanes, 8)).toHaveLength(4);
    for (let at = 0; at < 50; at += 1) lanes.add(of('second', `s${at}-`, at));
    expect(begun(lanes, 4)).toEqual(['s0-0', 's1-1']);
    lanes.add(of('third', 't-', 1));
    lanes.add(of('fourth', 'f-', 1));
    expect(begun(lanes, 2)).toEqual(['t-1', 'f-1']);
  });

  test('whoever has the fewest items at work is next, and then whoever has waited longest', () => {
    const lanes = new Lanes();
    for (const at of [1, 2, 3]) lanes.add(of('a', `a${at}-`, at));
    expect(lanes.take(0, 8)?.id).toBe('a1-1');
    lanes.add(of('b', 'b-', 4));
    lanes.add(of('c', 'c-', 5));
    expect(begun(lanes, 7)).toEqual(['b-4', 'c-5', 'a2-2', 'a3-3']);
  });

  test('with one slot nobody has two turns in a row while others wait', () => {
    const lanes = new Lanes();
    for (const at of [1, 2, 3]) lanes.add(of('greedy', `g${at}-`, at));
    lanes.add(of('other', 'o-', 4));
    const order = [...lanes.inTurn()].map(({ id }) => id);
    const ids: (string | undefined)[] = [];
    for (let next = lanes.take(0, 1); next !== undefined; next = lanes.take(0, 1)) {
      ids.push(next.id);
      lanes.release(next.lane);
    }
    expect(ids).toEqual(['g1-1', 'o-4', 'g2-2', 'g3-3']);
    expect(order).toEqual(ids);
  });

  test('the order within a lane stays, whoever wrote its items', () => {
    const lanes = new Lanes();
    lanes.add(of('greedy', 'group', 1));
    lanes.add(of('other', 'group', 2));
    expect(lanes.take(0, 8)?.id).toBe('group1');
    expect(lanes.take(0, 8)).toBeUndefined();
    lanes.release('group');
    expect(lanes.take(0, 8)?.id).toBe('group2');
  });

  test('work of an earlier process counts, until it is released', () => {
    const lanes = new Lanes();
    lanes.occupy('old', 'greedy');
    lanes.add(of('greedy', 'new', 1));
    expect(lanes.take(0, 1)).toBeUndefined();
    lanes.release('old');
    expect(lanes.take(0, 1)?.id).toBe('new1');
  });

  test('an item of somebody else that comes first in a lane changes whose turn it is', () => {
    const lanes = new Lanes();
    lanes.occupy('old', 'greedy');
    lanes.add(of('other', 'group', 2));
    lanes.add(of('greedy', 'group', 1));
    expect(lanes.take(0, 1)).toBeUndefined();
    expect(lanes.remove('group', 'group1')).toBe(true);
    expect(lanes.take(0, 1)?.id).toBe('group2');
  });
});
