import { expect, test } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { repeating } from '../../../src/time/repeat.ts';
import { recordingLog } from '../../kit/log.ts';
import { settle, VirtualClock } from '../../kit/clock.ts';

const START_MS = Date.UTC(2026, 0, 5);

async function pass(clock: VirtualClock, durationMs: number): Promise<void> {
  const untilMs = clock.nowMs() + durationMs;
  while (clock.step(untilMs)) await settle();
  await settle();
}

function repeated(
  work: (stopping: AbortSignal) => void | Promise<void>,
  times: { everyMs: number | (() => number); firstMs?: number } = { everyMs: 1_000 },
) {
  const clock = new VirtualClock(START_MS);
  const log = recordingLog();
  return { service: repeating({ name: 'upkeep', ...times, work, clock, log }), clock, log };
}

test('a round that is hurried begins at once, and the next one waits as ever', async () => {
  const atMs: number[] = [];
  const { service, clock } = repeated(() => void atMs.push(clock.nowMs() - START_MS), {
    everyMs: 1_000,
    firstMs: 0,
  });
  await service.start();
  await pass(clock, 300);
  service.hurry();
  await pass(clock, 1_200);
  expect(atMs).toEqual([0, 300, 1_300]);
  await service.stop();
  service.hurry();
  await pass(clock, 5_000);
  expect(atMs).toHaveLength(3);
});

test('hurried before the start, there is one first round, and it begins at once', async () => {
  const atMs: number[] = [];
  const { service, clock } = repeated(() => void atMs.push(clock.nowMs() - START_MS), {
    everyMs: 1_000,
    firstMs: 0,
  });
  service.hurry();
  await service.start();
  await pass(clock, 1_500);
  expect(atMs).toEqual([0, 1_000]);
});

test('hurried in the middle of a round, another one follows it, and never two at once', async () => {
  const atMs: number[] = [];
  let working = 0;
  const { service, clock } = repeated(
    async () => {
      atMs.push(clock.nowMs() - START_MS);
      working += 1;
      expect(working).toBe(1);
      await clock.sleep(100);
      working -= 1;
    },
    { everyMs: 1_000, firstMs: 0 },
  );
  await service.start();
  await pass(clock, 50);
  service.hurry();
  service.hurry();
  await pass(clock, 500);
  expect(atMs).toEqual([0, 100]);
});

test('the first round waits for its own time, and each later one from the end of the last', async () => {
  const atMs: number[] = [];
  const { service, clock } = repeated(
    async () => {
      atMs.push(clock.nowMs() - START_MS);
      await clock.sleep(300);
    },
    { everyMs: 1_000, firstMs: 50 },
  );
  await service.start();
  await pass(clock, 3_000);
  expect(atMs).toEqual([50, 1_350, 2_650]);
});

test('a function is asked after each round how long to wait', async () => {
  const atMs: number[] = [];
  const { service, clock } = repeated(() => void atMs.push(clock.nowMs() - START_MS), {
    everyMs: () => (atMs.length < 2 ? 10 : 1_000),
  });
  await service.start();
  await pass(clock, 2_000);
  expect(atMs).toEqual([10, 20, 1_020]);
});

test.each([
  ['a BridgeError is a warning', new BridgeError('unreachable', 'no way'), 'warn'],
  ['a bug is an error with its stack', new TypeError('no way'), 'error'],
] as const)('%s, and the rounds go on', async (_name, error, level) => {
  let rounds = 0;
  const { service, clock, log } = repeated(() => {
    rounds += 1;
    throw error;
  });
  await service.start();
  await pass(clock, 2_500);
  expect(rounds).toBe(2);
  const [line] = log.lines;
  expect(line).toMatchObject({ level, event: 'upkeep_failed', error: 'no way' });
  const stack = String(line?.['stack']);
  expect(stack.includes('repeat.test.ts')).toBe(level === 'error');
});

test.each([
  ['a refusal', new BridgeError('store_unavailable', 'closed'), []],
  ['a bug', new TypeError('no way'), ['upkeep_failed']],
] as const)(
  '%s while the service stops: logged only if it is a bug',
  async (_name, error, events) => {
    const { service, clock, log } = repeated(async (stopping) => {
      await new Promise<void>((resolve) => {
        stopping.addEventListener('abort', () => resolve());
      });
      throw error;
    });
    await service.start();
    await pass(clock, 1_000);
    await service.stop();
    expect(log.events()).toEqual(events);
  },
);

test('stop tells the round that runs, waits for it, and starts no other', async () => {
  let isOver = false;
  let rounds = 0;
  const { service, clock } = repeated(async (stopping) => {
    rounds += 1;
    await new Promise<void>((resolve) => {
      stopping.addEventListener('abort', () => resolve());
    });
    await settle();
    isOver = true;
  });
  await service.start();
  await pass(clock, 1_000);
  await service.stop();
  expect(isOver).toBe(true);
  await pass(clock, 10_000);
  await service.start();
  await pass(clock, 10_000);
  expect(rounds).toBe(1);
});

test('F19: stop does not wait long for a round that hangs', async () => {
  const { service, clock } = repeated(() => new Promise(() => {}), { everyMs: 1_000, firstMs: 0 });
  await service.start();
  await pass(clock, 1);
  const stopped = service.stop();
  await pass(clock, 1_000);
  await stopped;
  expect(clock.nowMs() - START_MS).toBeLessThanOrEqual(1_001);
});
