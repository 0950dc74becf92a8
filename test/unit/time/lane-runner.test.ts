/** Work that waits in lanes, with its slots, its timer and its end. */
import { beforeEach, expect, test } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { type Hold, LaneRunner } from '../../../src/time/lane-runner.ts';
import { settle, VirtualClock } from '../../kit/clock.ts';
import { recordingLog, type RecordingLog } from '../../kit/log.ts';

let clock: VirtualClock;
let log: RecordingLog;
let slots: number;
/** What is at work, by its id. */
let atWork: Map<string, { hold: Hold; end: () => void; fail: (error: Error) => void }>;
let runner: LaneRunner;

beforeEach(() => {
  clock = new VirtualClock();
  slots = 2;
  atWork = new Map();
  log = recordingLog();
  runner = new LaneRunner({
    name: 'post',
    clock,
    log,
    slots: () => slots,
    work: ({ id }, hold) =>
      new Promise((end, fail) => {
        atWork.set(id, { hold, end, fail });
      }),
  });
});

function add(id: string, lane: string, notBeforeMs = 0): void {
  runner.add({ id, lane, order: Number(id), notBeforeMs, sinceMs: clock.nowMs() });
  runner.pump();
}

test('as many lanes are worked on at once as there are slots, and the next when one is free', async () => {
  for (const id of ['1', '2', '3']) add(id, `lane ${id}`);
  expect([...atWork.keys()]).toEqual(['1', '2']);
  atWork.get('1')?.end();
  await settle();
  expect([...atWork.keys()]).toEqual(['1', '2', '3']);
  expect(runner.running).toBe(2);
});

test('more slots count from the next pump on', () => {
  slots = 0;
  add('1', 'a');
  expect(atWork.size).toBe(0);
  slots = 1;
  runner.pump();
  expect(atWork.size).toBe(1);
});

test('work that gives its slot back early goes on, and the next of its lane begins', async () => {
  add('1', 'a');
  add('2', 'a');
  expect([...atWork.keys()]).toEqual(['1']);
  atWork.get('1')?.hold.release();
  expect([...atWork.keys()]).toEqual(['1', '2']);
  atWork.get('1')?.end();
  await settle();
  // The end of the first one frees no slot a second time.
  expect(runner.running).toBe(1);
});

test('what is due later begins when it is due', async () => {
  add('1', 'a', clock.nowMs() + 5_000);
  await clock.pass(4_999);
  expect(atWork.size).toBe(0);
  await clock.pass(1);
  expect(atWork.size).toBe(1);
});

test('a bug in one item is logged with its id, and the next item goes on', async () => {
  add('1', 'a');
  add('2', 'a');
  atWork.get('1')?.fail(new TypeError('bug'));
  await settle();
  expect(log.lines).toMatchObject([{ event: 'post_bug', item: '1' }]);
  expect(atWork.has('2')).toBe(true);
});

test('a stop waits for what is at work and begins nothing; a write refused meanwhile is no bug', async () => {
  add('1', 'a');
  add('2', 'a');
  let stopped = false;
  const stop = runner.stop().then(() => {
    stopped = true;
  });
  await settle();
  expect(stopped).toBe(false);
  atWork.get('1')?.fail(new BridgeError('store_unavailable', 'closing'));
  await stop;
  expect([...atWork.keys()]).toEqual(['1']);
  expect(log.lines).toEqual([]);
});

test('finish begins nothing, and does not wait for work that has given its slot back', async () => {
  add('1', 'a');
  add('2', 'a');
  let finished = false;
  const finish = runner.finish().then(() => {
    finished = true;
  });
  await settle();
  expect(finished).toBe(false);
  atWork.get('1')?.hold.release();
  await finish;
  expect([...atWork.keys()]).toEqual(['1']);
});

test('what an earlier process began holds its lane until it is released', () => {
  const hold = runner.occupy('a');
  add('1', 'a');
  expect(atWork.size).toBe(0);
  hold.release();
  expect(atWork.size).toBe(1);
});
