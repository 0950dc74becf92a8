import { describe, expect, test } from 'vitest';
import {
  hubTrouble,
  larkTrouble,
  storageTrouble,
} from '../../../src/observe/health/health-checks.ts';
import { daemonHealth, type DaemonHealthFacts } from '../../../src/observe/health/daemon-health.ts';
import {
  Health,
  type HealthChecks,
  type HealthReport,
  parseHealthReport,
} from '../../../src/observe/health/health.ts';
import { settle, VirtualClock } from '../../kit/clock.ts';
import { recordingLog } from '../../kit/log.ts';

const START_MS = Date.parse('2026-11-21T08:00:00.000Z');

function watched(checks: HealthChecks) {
  const clock = new VirtualClock(START_MS);
  const log = recordingLog();
  return { health: new Health({ checks, clock, log }), clock, log };
}

async function pass(clock: VirtualClock, durationMs: number): Promise<void> {
  const untilMs = clock.nowMs() + durationMs;
  while (clock.step(untilMs)) await settle();
}

describe('the verdict', () => {
  test('is ready while no part has trouble', () => {
    const { health } = watched({ storage: () => undefined });
    expect(health.report()).toEqual({ live: true, ready: true, problems: [], notes: [] });
  });

  test('is ready after an upgrade too, with a note', () => {
    const clock = new VirtualClock(START_MS);
    const upgraded = () => 'Restart it.';
    const report = new Health({ checks: {}, upgraded, clock, log: recordingLog() }).report();
    const notes = [{ code: 'upgraded', text: 'Restart it.' }];
    expect(report).toEqual({ live: true, ready: true, problems: [], notes });
    expect(parseHealthReport(JSON.parse(JSON.stringify(report)))).toEqual(report);
  });

  test('names every part in trouble, each since it began', async () => {
    let lost = false;
    const { health, clock } = watched({
      storage: () => ({ text: 'full', sinceMs: START_MS - 5000 }),
      lark_connection: () => (lost ? { text: 'lost' } : undefined),
    });
    health.report();
    await pass(clock, 10_000);
    lost = true;
    health.report();
    await pass(clock, 10_000);
    expect(health.report()).toEqual({
      live: true,
      ready: false,
      problems: [
        { code: 'storage', since: '2026-11-21T07:59:55.000Z', text: 'full' },
        { code: 'lark_connection', since: '2026-11-21T08:00:10.000Z', text: 'lost' },
      ],
      notes: [],
    });
    lost = false;
    health.report();
    await pass(clock, 10_000);
    lost = true;
    expect(health.report().problems[1]?.since).toBe('2026-11-21T08:00:30.000Z');
  });

  test('is waited for at the start, whether it comes at once or later', async () => {
    let text: string | undefined = 'HTTP 503';
    const { health, clock } = watched({
      hub: () => (text === undefined ? undefined : { text }),
    });
    let isReady = false;
    void health.becameReady.then(() => {
      isReady = true;
    });
    await health.start();
    await pass(clock, 5_000);
    expect(isReady).toBe(false);
    text = undefined;
    await pass(clock, 1_000);
    expect(isReady).toBe(true);
    await health.stop();
  });

  test('is in the log when it changes, and only then', async () => {
    let text: string | undefined;
    const { health, clock, log } = watched({
      hub: () => (text === undefined ? undefined : { text }),
    });
    await health.start();
    await pass(clock, 5_000);
    text = 'HTTP 503';
    await pass(clock, 5_000);
    text = 'HTTP 502';
    await pass(clock, 5_000);
    text = undefined;
    await pass(clock, 5_000);
    await health.stop();
    text = 'after the stop';
    await pass(clock, 5_000);
    await settle();
    expect(log.lines).toEqual([
      { level: 'info', event: 'health_changed', ready: true },
      { level: 'warn', event: 'health_changed', ready: false, problems: 'hub', text: 'HTTP 503' },
      { level: 'info', event: 'health_changed', ready: true },
    ]);
  });
});

describe('the words for people', () => {
  test('a connection is well only when it is there', () => {
    expect(larkTrouble({ state: 'connected', lastError: 'long ago' })).toBeUndefined();
    for (const state of ['connecting', 'waiting', 'stopped', 'refused'] as const) {
      expect(larkTrouble({ state, lastError: 'why' })?.text, state).toMatch(/Lark.*\. \S/);
    }
    expect(larkTrouble({ state: 'waiting', lastError: 'close code 1006' })?.text).toContain('1006');
    const refused = { state: 'waiting', lastError: '514 auth failed', refusedSinceMs: 7 } as const;
    expect(larkTrouble(refused)).toMatchObject({
      sinceMs: 7,
      text: expect.stringMatching(/refuses the connection .*514 auth failed.*tries again/),
    });
    expect(larkTrouble({ state: 'refused', lastError: 'no' })?.text).toContain(
      'lark-bridge connect',
    );
  });

  test('a storage and a hub in trouble say what to do', () => {
    expect(storageTrouble(undefined)).toBeUndefined();
    const storage = storageTrouble({ sinceMs: 7, detail: 'database or disk is full' });
    expect(storage).toMatchObject({ sinceMs: 7 });
    expect(storage?.text).toContain('disk is full');
    expect(storage?.text).toContain('Make room');
    expect(hubTrouble({ reachable: true, detail: undefined }, 'http://h')).toBeUndefined();
    const hub = hubTrouble({ reachable: false, detail: 'HTTP 401' }, 'http://h');
    expect(hub?.text).toMatch(/http:\/\/h.*HTTP 401.*PLATFORM_URL/);
  });
});

describe('as another process finds it', () => {
  type Latest = NonNullable<DaemonHealthFacts['latest']>;
  const nowMs = START_MS;
  const fine: HealthReport = { live: true, ready: true, problems: [], notes: [] };
  const red: HealthReport = {
    live: true,
    ready: false,
    problems: [{ code: 'storage', since: '2026-11-21T07:00:00.000Z', text: 'full' }],
    notes: [],
  };
  const written = (agoMs: number, status: Latest['status'], pid = 7) => ({
    pid,
    atMs: nowMs - agoMs,
    status,
  });
  const url = 'http://127.0.0.1:4001/health';
  const nobody = () => Promise.resolve(undefined);
  const find = (parts: Partial<DaemonHealthFacts>) =>
    daemonHealth({
      pid: 7,
      latest: undefined,
      unreadable: undefined,
      hasBot: true,
      nowMs,
      ask: nobody,
      ...parts,
    });

  test('the answer of a daemon counts more than the status that it wrote before', async () => {
    const asked: string[] = [];
    const ask = (at: string) => {
      asked.push(at);
      return Promise.resolve({ status: 'error', ...red });
    };
    const noted = written(3_600_000, { health_url: url, health: fine });
    expect(await find({ latest: noted, ask })).toEqual(red);
    expect(asked).toEqual([url]);
  });

  test('one that can’t be asked is known by its latest status while that is fresh', async () => {
    expect(await find({ latest: written(4_000, { health: red }) })).toEqual(red);
    expect(await find({ latest: written(4_000, { health: fine, health_url: url }) })).toEqual(fine);
  });

  test('an old status of a process that is there: the storage, most likely', async () => {
    const stale = await find({ latest: written(60_000, { health: fine }) });
    expect(stale).toMatchObject({ live: true, ready: false, problems: [{ code: 'storage' }] });
    expect(stale.problems[0]?.since).toBe('2026-11-21T07:59:00.000Z');
    const silent = await find({ latest: written(60_000, { health: fine, health_url: url }) });
    expect(silent).toMatchObject({ live: false, ready: false, problems: [{ code: 'storage' }] });
  });

  test('an answer of another program does not count', async () => {
    const ask = () => Promise.resolve({ status: 'ok' });
    const stale = await find({ latest: written(60_000, { health_url: url }), ask });
    expect(stale.problems[0]?.code).toBe('storage');
  });

  test('without a process the daemon is not running, and the address in an old status is not asked', async () => {
    const ask = () => Promise.reject(new Error('asked'));
    const gone = await find({ pid: undefined, latest: written(5_000, { health_url: url }), ask });
    expect(gone).toMatchObject({ live: false, ready: false, problems: [{ code: 'process' }] });
    expect(gone.problems[0]?.text).toContain('lark-bridge run');
    expect(gone.problems[0]?.since).toBe('2026-11-21T07:59:55.000Z');
  });

  test('where no bot is connected, the first thing to do is that; since when is not known', async () => {
    const [none] = (await find({ pid: undefined, hasBot: false })).problems;
    expect(none?.since).toBeNull();
    expect(none?.text).toMatch(/connect`, then .*run`/);
  });

  test('a process without a status is starting, and the address of an earlier one is not asked', async () => {
    const ask = () => Promise.reject(new Error('asked'));
    const starting = await find({
      latest: written(5_000, { health: fine, health_url: url }, 6),
      ask,
    });
    expect(starting).toMatchObject({ live: true, ready: false, problems: [{ code: 'process' }] });
  });

  test('a database that can’t be read is the trouble', async () => {
    const blind = await find({ unreadable: 'can’t read the database. Check its rights.' });
    expect(blind.problems).toMatchObject([
      { code: 'storage', text: expect.stringContaining('rights') },
    ]);
  });
});
