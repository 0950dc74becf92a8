import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { HealthReport, ProblemCode } from '../../../src/observe/health/health.ts';
import { isWorthKeeping, Notifier } from '../../../src/host/notify.ts';
import { recordingLog } from '../../kit/log.ts';
import { VirtualClock } from '../../kit/clock.ts';
import { StandIns } from './stand-in.ts';
import { temporaryFolder } from '../../kit/folder.ts';

const MINUTE_MS = 60_000;
const WELL: HealthReport = { live: true, ready: true, problems: [], notes: [] };
const PID = 4711;

let folder: string;
let systemd: StandIns;
let clock: VirtualClock;
let log: ReturnType<typeof recordingLog>;
let report: HealthReport;

beforeEach(() => {
  folder = temporaryFolder();
  systemd = new StandIns(folder);
  systemd.add('systemd-notify');
  clock = new VirtualClock();
  log = recordingLog();
  report = WELL;
});

function notifier(env: Readonly<Record<string, string>> = {}): Notifier {
  const around = {
    PATH: systemd.path,
    NOTIFY_SOCKET: '/run/systemd/notify',
    WATCHDOG_USEC: '60000000',
    WATCHDOG_PID: String(PID),
    LARK_APP_SECRET: 'a-secret',
    ...env,
  };
  return new Notifier({ env: around, pid: PID, report: () => report, clock, log });
}

function unwell(code: ProblemCode, sinceMs: number): HealthReport {
  const since = new Date(sinceMs).toISOString();
  const problems = [{ code, since, text: `${code}\nis unwell.` }];
  return { live: true, ready: false, problems, notes: [] };
}

const words = () => systemd.calls.map(({ args }) => args.join(' '));

/** Time passes until it would beat again, and the beat has ended. */
async function nextBeat(): Promise<void> {
  await clock.pass(20_000);
  await expect.poll(() => clock.timers).toBe(1);
}

const beats = () => words().filter((said) => said.startsWith('WATCHDOG=1')).length;

test('start tells that it is ready, stop that it ends, and nothing comes after that', async () => {
  const one = notifier();
  await one.start();
  expect(words()).toEqual(['READY=1 STATUS=Takes and answers messages.']);
  await one.stop();
  await clock.pass(MINUTE_MS);
  expect(words().slice(1)).toEqual(['STOPPING=1']);
});

test('a well process beats every 20 s of a watchdog of a minute', async () => {
  const one = notifier();
  await one.start();
  for (let beat = 1; beat <= 3; beat++) {
    await nextBeat();
    expect(words().slice(1)).toEqual(Array.from({ length: beat }, () => 'WATCHDOG=1'));
  }
  await one.stop();
});

test('the status follows the health, on one line, and is told only when it is news', async () => {
  const one = notifier();
  await one.start();
  report = unwell('hub', clock.nowMs());
  await nextBeat();
  await nextBeat();
  report = WELL;
  await nextBeat();
  expect(words().slice(1)).toEqual([
    'WATCHDOG=1 STATUS=hub is unwell.',
    'WATCHDOG=1',
    'WATCHDOG=1 STATUS=Takes and answers messages.',
  ]);
  await one.stop();
});

test('a database that can’t be written stops the beats after a minute, and starts them again', async () => {
  const one = notifier();
  await one.start();
  report = unwell('storage', clock.nowMs());
  await nextBeat();
  await nextBeat();
  expect(beats()).toBe(2);
  await nextBeat();
  await nextBeat();
  expect(beats()).toBe(2);
  report = WELL;
  await nextBeat();
  expect(beats()).toBe(3);
  await one.stop();
});

describe('what is worth a restart', () => {
  const nowMs = 1_700_000_000_000;
  test.each<[ProblemCode, number, boolean]>([
    ['storage', 30_000, true],
    ['storage', MINUTE_MS, false],
    ['lark_connection', 29 * MINUTE_MS, true],
    ['lark_connection', 30 * MINUTE_MS, false],
    ['hub', 24 * 60 * MINUTE_MS, true],
  ])('%s unwell for %i ms: kept %s', (code, forMs, kept) => {
    expect(isWorthKeeping(unwell(code, nowMs - forMs), nowMs)).toBe(kept);
  });

  test('a process that does not live is not kept', () => {
    expect(isWorthKeeping({ ...WELL, live: false }, nowMs)).toBe(false);
  });
});

test('without a watchdog, or with one for another process, only news are told', async () => {
  for (const env of [{ WATCHDOG_USEC: '' }, { WATCHDOG_PID: '1' }, { WATCHDOG_USEC: 'soon' }]) {
    const one = notifier(env);
    await one.start();
    await nextBeat();
    await one.stop();
  }
  expect(beats()).toBe(0);
  expect(words()).toHaveLength(6);
});

test('a short watchdog is beaten in time, but not more than once a second', async () => {
  const one = notifier({ WATCHDOG_USEC: '6000000' });
  await one.start();
  await clock.pass(2_000);
  await expect.poll(() => beats()).toBe(1);
  await one.stop();
  const two = notifier({ WATCHDOG_USEC: '1000' });
  await two.start();
  await clock.pass(999);
  expect(beats()).toBe(1);
  await clock.pass(1);
  await expect.poll(() => beats()).toBe(2);
  await two.stop();
});

test('outside of systemd nothing is called', async () => {
  const one = notifier({ NOTIFY_SOCKET: '' });
  await one.start();
  expect(clock.timers).toBe(0);
  await one.stop();
  expect(words()).toEqual([]);
});

test('systemd-notify gets the socket, and no secrets', async () => {
  await notifier().start();
  expect(Object.keys(systemd.calls[0]?.env ?? {}).filter((name) => name !== 'PWD')).toEqual(
    expect.arrayContaining(['PATH', 'NOTIFY_SOCKET']),
  );
  expect(JSON.stringify(systemd.calls)).not.toContain('a-secret');
  expect(systemd.calls[0]?.env).toMatchObject({ NOTIFY_SOCKET: '/run/systemd/notify' });
});

test('a word that was not heard is logged once, and told again', async () => {
  systemd.add('systemd-notify', 'echo no such socket >&2; exit 1');
  const one = notifier();
  await one.start();
  await nextBeat();
  expect(log.lines).toEqual([
    {
      level: 'warn',
      event: 'notify_failed',
      way: 'systemd-notify',
      error: 'no such socket',
    },
  ]);
  systemd.add('systemd-notify');
  await nextBeat();
  expect(words().at(-1)).toBe('WATCHDOG=1 STATUS=Takes and answers messages.');
  await one.stop();
});

test('without the program the bridge runs on', async () => {
  const one = notifier({ PATH: join(folder, 'nothing') });
  await one.start();
  expect(log.lines).toMatchObject([{ event: 'notify_failed', error: 'missing' }]);
  await one.stop();
});
