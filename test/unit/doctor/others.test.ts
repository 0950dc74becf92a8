/** The checks of processes, the database, settings and the hub. */
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import {
  checkAgent,
  checkCgroups,
  checkPort,
  checkRemoteHub,
  checkWorkspaces,
  whyNotListen,
} from '../../../src/doctor/hub.ts';
import { checkConnections, checkDaemon, checkOtherProcess } from '../../../src/doctor/running.ts';
import { checkCredentials, checkSettings } from '../../../src/doctor/settings.ts';
import { checkDatabase, checkQuota, checkSetAside } from '../../../src/doctor/storage.ts';

const levels = (findings: readonly { level: string }[]) => findings.map(({ level }) => level);

describe('the daemon', () => {
  const health = { live: true, ready: true, problems: [], notes: [] };
  const sound = { pid: 7, health, version: '1.0.0', ownVersion: '1.0.0' };

  test('runs, does not run, can’t be read', () => {
    expect(levels(checkDaemon(sound))).toEqual(['ok']);
    expect(levels(checkDaemon({ ...sound, pid: undefined }))).toEqual(['note']);
    expect(levels(checkDaemon({ ...sound, health: undefined }))).toEqual(['note']);
  });

  test('is not ready: its own words, and the exit code of what is wrong', () => {
    const problem = { code: 'lark_connection', since: 'noon', text: 'Not connected.' } as const;
    const [found] = checkDaemon({
      ...sound,
      health: { live: true, ready: false, problems: [problem], notes: [] },
    });
    expect(found).toMatchObject({
      level: 'problem',
      error: 'unreachable',
      reason: 'Not connected.',
    });
  });

  test('of another version wants a restart; one that tells none is let be', () => {
    const found = checkDaemon({ ...sound, ownVersion: '1.1.0' });
    expect(levels(found)).toEqual(['ok', 'warning']);
    expect(found[1]?.finding).toMatchObject({ en: expect.stringContaining('1.0.0') });
    expect(levels(checkDaemon({ ...sound, version: undefined }))).toEqual(['ok']);
  });
});

test('another process on the app is told, with its state directory', () => {
  expect(checkOtherProcess(undefined).level).toBe('ok');
  expect(checkOtherProcess({ pid: 9, stateDir: '/other' })).toMatchObject({
    level: 'warning',
    finding: expect.stringMatching(/9.*\/other/) as string,
  });
});

test('what ends the processes of agents: their cgroup, or the group and the mark alone', () => {
  const line = { isRunning: true, whyNot: undefined };
  expect(checkCgroups(line)).toMatchObject({ check: 'agent_processes', level: 'ok' });
  expect(checkCgroups({ ...line, whyNot: 'there is no cgroup v2' })).toMatchObject({
    level: 'note',
    finding: expect.stringMatching(/no cgroups.*there is no cgroup v2\.$/) as string,
    reason: expect.stringContaining('goes on') as string,
    next: expect.stringContaining('service install') as string,
  });
  expect(checkCgroups({ ...line, isRunning: false }).finding).toContain('started like this');
});

describe('connections', () => {
  const told = (value: number) => ({ kind: 'ok', value }) as const;

  test.each([
    [0, 0, 'ok'],
    [1, 1, 'ok'],
    [2, 1, 'warning'],
    [1, 0, 'warning'],
    [0, 1, 'warning'],
  ])('Lark counts %i, %i ours', (count, ours, level) => {
    expect(checkConnections(told(count), ours).level).toBe(level);
  });

  test('nobody counted', () => {
    expect(checkConnections({ kind: 'silent', detail: 'late' }, 1).level).toBe('note');
  });
});

describe('the database', () => {
  const sound = { kind: 'sound', version: 3, wanted: 3, bytes: 1e6, walBytes: 0 } as const;

  test.each([
    ['sound', sound, 'ok', undefined],
    ['not there', { kind: 'none' } as const, 'note', undefined],
    ['damaged', { kind: 'corrupt', detail: 'x' } as const, 'problem', 'state_corrupt'],
    ['locked away', { kind: 'unreadable', detail: 'x' } as const, 'problem', 'store_unavailable'],
    ['newer', { ...sound, version: 4 }, 'problem', 'state_newer'],
    ['older', { ...sound, version: 2 }, 'note', undefined],
  ])('%s', (_what, fact, level, error) => {
    const [found, ...others] = checkDatabase('/db', fact);
    expect([found?.level, found?.error, others]).toEqual([level, error, []]);
  });

  test('one that was set aside, and still lies there', () => {
    expect(checkSetAside([])).toEqual([]);
    const [found] = checkSetAside(['/srv/bridge.db.corrupt-1']);
    expect(found).toMatchObject({ level: 'problem', error: 'state_corrupt' });
    expect(found?.next).toMatch(/move that file/);
  });

  test('a log of writes that only grows', () => {
    const found = checkDatabase('/db', { ...sound, walBytes: 200 * 1024 ** 2 });
    expect(levels(found)).toEqual(['ok', 'warning']);
  });

  test('the quota of a free tenant, before it is used up', () => {
    expect(checkQuota({ answer: 7_000, token: 999 }).level).toBe('ok');
    expect(checkQuota({ answer: 7_000, token: 1_000 })).toMatchObject({ level: 'warning' });
  });
});

describe('settings', () => {
  test('what can hardly be meant is a warning', () => {
    const found = checkSettings({ problems: [], warnings: ['WORKSPACE_ID is "w" …'], next: '' });
    expect(levels(found)).toEqual(['warning']);
  });

  test('each thing that is wrong is one finding of exit code 2', () => {
    expect(levels(checkSettings({ problems: [], warnings: [], next: '' }))).toEqual(['ok']);
    const problems = ['LARK_PORT must be …', 'x'];
    const found = checkSettings({ problems, warnings: [], next: 'correct them' });
    expect(found).toHaveLength(2);
    expect(found[0]).toMatchObject({ error: 'config_invalid', next: 'correct them' });
  });

  test('a daemon of another app than the settings name', () => {
    const fact = {
      appId: 'cli_1',
      brandName: 'Lark',
      appIdFrom: 'LARK_APP_ID',
      secretFrom: 'the keyring',
      daemonAppId: undefined,
    };
    expect(checkCredentials(fact).finding).toContain('the keyring');
    expect(checkCredentials({ ...fact, daemonAppId: 'cli_2' }).level).toBe('warning');
  });
});

describe('the hub', () => {
  const place = { host: '127.0.0.1', port: 4001 };

  test('a port that is free, taken, or nobody’s', () => {
    expect(checkPort(place, undefined).level).toBe('ok');
    expect(checkPort(place, 'EADDRINUSE')).toMatchObject({ error: 'port_in_use' });
    expect(checkPort(place, 'EADDRNOTAVAIL')).toMatchObject({ error: 'config_invalid' });
  });

  test('is checked by listening for a moment', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as { port: number };
    expect(await whyNotListen({ host: '127.0.0.1', port })).toBe('EADDRINUSE');
    await new Promise((resolve) => {
      server.close(resolve);
    });
    expect(await whyNotListen({ host: '127.0.0.1', port })).toBeUndefined();
    // Listening again shows that the check has released it.
    expect(await whyNotListen({ host: '127.0.0.1', port })).toBeUndefined();
  });

  test('elsewhere: what the probe found, with its exit code', () => {
    expect(levels(checkRemoteHub('http://hub', []))).toEqual(['ok']);
    const found = checkRemoteHub('http://hub', [
      { kind: 'unreachable', level: 'error', detail: 'it is off', next: 'a' },
      { kind: 'token_refused', level: 'error', detail: 'it said no', next: 'b' },
      { kind: 'target_missing', level: 'error', detail: 'nobody', next: 'c' },
      { kind: 'no_cursors', level: 'warn', detail: 'old', next: 'd' },
    ]);
    expect(found.map(({ error }) => error)).toEqual([
      'unreachable',
      'platform_refused',
      'failed',
      undefined,
    ]);
    expect(found[3]).toMatchObject({ level: 'warning', next: 'd' });
  });

  test('the agent that is named has to be there', () => {
    expect(checkAgent({ wanted: undefined, names: [] })).toEqual([]);
    expect(checkAgent({ wanted: 'shout', names: ['echo', 'shout'] })).toEqual([]);
    expect(checkAgent({ wanted: 'echo', names: [] })).toEqual([]);
    expect(checkAgent({ wanted: 'shout', names: ['echo'] })[0]?.level).toBe('problem');
  });
});

test('a workspace that comes near its quota is told, with what happens then', () => {
  const most = { bytes: 256 * 1024 ** 2, rows: 200_000, waiting: 1_000 };
  const found = checkWorkspaces([
    { workspace: 'greedy', quota: 'bytes', used: most.bytes, most: most.bytes },
    { workspace: 'slow', quota: 'waiting', used: 900, most: most.waiting },
  ]);
  expect(found).toMatchObject([
    { level: 'warning', finding: 'The workspace greedy has 256 of 256 MB in the database.' },
    { level: 'warning', finding: 'The workspace slow has 900 of 1000 turns that wait.' },
  ]);
  expect(found[0]?.reason).toContain('507');
  expect(found[1]?.reason).toContain('429');
});
