/** One process per state directory and per app, held by the kernel: real processes, real locks. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import {
  acquireInstanceLock,
  findInstance,
  findInstanceOfApp,
  type InstanceLock,
} from '../../../src/host/instance-lock.ts';
import { tryFileLock } from '../../../src/store/sqlite/file-lock.ts';
import { temporaryFolder } from '../../kit/folder.ts';

const DIST = join(import.meta.dirname, '../../../dist');
const APP = { openBaseUrl: 'http://127.0.0.1:9', appId: 'cli_0123456789abcdef' };
let home: string;
let children: ChildProcess[];
let locks: InstanceLock[];

beforeEach(() => {
  home = temporaryFolder();
  children = [];
  locks = [];
});
afterEach(async () => {
  vi.unstubAllEnvs();
  vi.unstubAllEnvs();
  for (const lock of locks) lock.release();
  await Promise.all(children.map(kill));
});

const state = (name: string) => join(home, name);

function acquire(stateDir: string, app?: typeof APP) {
  const lock = acquireInstanceLock({ stateDir, tryLock: tryFileLock, home, ...(app && { app }) });
  locks.push(lock);
  return lock;
}

/** Another process that holds the lock until it is killed. */
async function holder(stateDir: string, app?: typeof APP): Promise<ChildProcess> {
  const options = JSON.stringify({ stateDir, home, ...(app && { app }) });
  const script = `
    import { acquireInstanceLock } from ${JSON.stringify(join(DIST, 'host/instance-lock.js'))};
    import { tryFileLock } from ${JSON.stringify(join(DIST, 'store/sqlite/file-lock.js'))};
    acquireInstanceLock({ ...${options}, tryLock: tryFileLock });
    // Nobody keeps the lock's object: it must hold all the same.
    for (let round = 0; round < 5; round += 1) {
      globalThis.gc();
      await new Promise((resolve) => setImmediate(resolve));
    }
    process.stdout.write('held');
    setInterval(() => {}, 1000);`;
  const args = ['--expose-gc', '--input-type=module', '-e', script];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const [said] = (await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit'),
  ])) as unknown[];
  expect(String(said)).toBe('held');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

function refusal(stateDir: string, app?: typeof APP): BridgeError {
  try {
    acquire(stateDir, app);
  } catch (error) {
    if (error instanceof BridgeError) return error;
    throw error;
  }
  return expect.fail('the lock was given');
}

test('a second process on the same state directory is refused and told who is first', async () => {
  const first = await holder(state('a'));
  const error = refusal(state('a'));
  expect(error).toMatchObject({ code: 'already_running', exitCode: 5 });
  expect(error.message).toContain(`process ${first.pid}`);
  expect(error.message).toContain(state('a'));
});

test('a second process on the same app is refused, even with another state directory', async () => {
  const first = await holder(state('a'), APP);
  const error = refusal(state('b'), APP);
  expect(error).toMatchObject({ code: 'already_running', exitCode: 5 });
  expect(error.message).toContain(APP.appId);
  expect(error.message).toContain(`process ${first.pid}, state directory ${state('a')}`);
  // What it had taken before it was refused is free again.
  acquire(state('b'));
});

test('the kernel releases the lock of a process that was killed', async () => {
  const first = await holder(state('a'), APP);
  refusal(state('a'), APP);
  await kill(first);
  acquire(state('a'), APP);
});

test('other apps, and the same app elsewhere, are no matter', async () => {
  await holder(state('a'), APP);
  acquire(state('b'), { ...APP, appId: 'cli_fedcba9876543210' });
  acquire(state('c'), { ...APP, openBaseUrl: 'http://127.0.0.1:10' });
  acquire(state('d'));
});

test('two names of one state directory are one', async () => {
  await holder(state('a'));
  symlinkSync(state('a'), state('link'));
  expect(refusal(state('link')).code).toBe('already_running');
});

test('a released lock can be taken again, and leaves no name behind', () => {
  acquire(state('a'), APP).release();
  acquire(state('a'), APP).release();
  const left = [join(home, '.lark-bridge/locks'), state('a')].flatMap((path) => readdirSync(path));
  expect(left).toEqual([expect.stringMatching(/^[0-9a-f]{32}\.lock$/), 'instance.lock']);
});

test('the name of a dead owner is not told', async () => {
  const first = await holder(state('a'));
  await kill(first);
  // Taken by somebody who has not signed yet: the name beside it is that of the killed one.
  const unlock = tryFileLock(join(state('a'), 'instance.lock'));
  expect(unlock).toBeDefined();
  expect(refusal(state('a')).message).not.toContain(String(first.pid));
  unlock?.();
});

test('a state directory that can not be made is said in words', () => {
  writeFileSync(state('a'), 'a file where the folder should be');
  expect(refusal(state('a'))).toMatchObject({ code: 'store_unavailable' });
});

test('without a home for them the locks are kept elsewhere, and hold all the same', () => {
  writeFileSync(join(home, '.lark-bridge'), 'a file where the folder should be');
  vi.stubEnv('TMPDIR', home);
  vi.stubEnv('TMPDIR', home);
  acquire(state('a'), APP);
  expect(refusal(state('a'), APP).code).toBe('already_running');
});

test('findInstance finds who runs, and stands in nobody’s way', async () => {
  const find = () => findInstance(state('a'), tryFileLock);
  expect(find()).toBeUndefined();
  expect(existsSync(state('a'))).toBe(false);
  const first = await holder(state('a'));
  expect(find()).toEqual({ pid: first.pid, stateDir: state('a') });
  refusal(state('a'));
  await kill(first);
  expect(find()).toBeUndefined();
  // The id lives, but it is not that of a process with the lock.
  writeFileSync(
    join(state('a'), 'instance.lock.owner'),
    JSON.stringify({ pid: process.pid, stateDir: state('a') }),
  );
  expect(find()).toBeUndefined();
  acquire(state('a'));
});

test('whoever has an app is found from beside, and the look makes nothing', () => {
  const look = () => findInstanceOfApp({ app: APP, home, tryLock: tryFileLock });
  expect(look()).toBeUndefined();
  expect(readdirSync(home)).toEqual([]);
  const lock = acquire(state('one'), APP);
  expect(look()).toEqual({ pid: process.pid, stateDir: state('one') });
  const other = { ...APP, appId: 'cli_fedcba9876543210' };
  expect(findInstanceOfApp({ app: other, home, tryLock: tryFileLock })).toBeUndefined();
  lock.release();
  expect(look()).toBeUndefined();
});

const isRoot = process.getuid?.() === 0;

describe('F10: where the home can not hold the locks, a folder in the temporary one', () => {
  let fallback: string;
  let victim: string;

  beforeEach(() => {
    writeFileSync(join(home, '.lark-bridge'), 'a file where the folder should be');
    vi.stubEnv('TMPDIR', home);
    fallback = join(home, `lark-bridge-locks-${process.getuid?.() ?? 'user'}`);
    victim = state('victim');
    mkdirSync(victim);
  });

  test.each([
    ['is a link', () => symlinkSync(victim, fallback), /is a link.*rm /s],
    ['may be written by others', () => openFolder(fallback), /may write to it.*chmod 700 /s],
    ...(isRoot
      ? [['is of another user', () => foreign(fallback), /uid 6666.*sudo chown/s] as const]
      : []),
  ] as const)('that %s is refused, and nothing is put there', (_, make, words) => {
    make();
    const error = refusal(state('a'), APP);
    expect(error).toMatchObject({ code: 'config_invalid', exitCode: 2 });
    expect(`${error.message} ${error.next}`).toMatch(words);
    expect(readdirSync(fallback)).toEqual([]);
    // What it had taken before it was refused is free again.
    acquire(state('a'));
  });

  test.runIf(isRoot)('a look asks no folder of another user who runs the app', () => {
    foreign(fallback);
    const look = () => findInstanceOfApp({ app: APP, home, tryLock: tryFileLock });
    expect(look()).toBeUndefined();
    chownSync(fallback, 0, 0);
    const lock = acquire(state('a'), APP);
    expect(look()).toBeDefined();
    chownSync(fallback, 6666, 6666);
    expect(look()).toBeUndefined();
    lock.release();
  });

  test('the names of owners are not written through a link', () => {
    acquire(state('a'), APP).release();
    const [lock = ''] = readdirSync(fallback);
    const file = state('precious');
    writeFileSync(file, 'precious');
    symlinkSync(file, join(fallback, `${lock}.owner`));
    acquire(state('a'), APP);
    expect(readFileSync(file, 'utf8')).toBe('precious');
  });
});

function openFolder(path: string): void {
  mkdirSync(path);
  chmodSync(path, 0o777);
}

function foreign(path: string): void {
  mkdirSync(path, { mode: 0o700 });
  chownSync(path, 6666, 6666);
}

test('F10: locks in the home are refused too where others may write', () => {
  mkdirSync(join(home, '.lark-bridge'), { mode: 0o700 });
  openFolder(join(home, '.lark-bridge/locks'));
  expect(refusal(state('a'), APP).next).toContain('chmod 700');
});

test('F9: a state directory where others may write is refused before anything is put there', () => {
  openFolder(state('a'));
  expect(refusal(state('a'))).toMatchObject({ code: 'config_invalid', exitCode: 2 });
  expect(readdirSync(state('a'))).toEqual([]);
});

test('F9: a lock is for its owner only, and is no link', () => {
  acquire(state('a'), APP);
  const paths = [join(home, '.lark-bridge/locks'), state('a')].flatMap((folder) =>
    readdirSync(folder).map((name) => join(folder, name)),
  );
  expect(paths.map((path) => (statSync(path).mode & 0o777).toString(8))).toEqual(
    paths.map(() => '600'),
  );
  mkdirSync(state('b'), { mode: 0o700 });
  symlinkSync(state('elsewhere'), join(state('b'), 'instance.lock'));
  const error = refusal(state('b'));
  expect(error).toMatchObject({ code: 'config_invalid', exitCode: 2 });
  expect(error.next).toContain(`rm ${join(state('b'), 'instance.lock')}`);
  expect(existsSync(state('elsewhere'))).toBe(false);
});

test('a lock that this process holds is still held after another try', () => {
  acquire(state('a'));
  refusal(state('a'));
  expect(tryInChild(join(state('a'), 'instance.lock'))).toBe('locked');
});

/** Whether another process gets the lock. */
function tryInChild(path: string): string {
  const script = `
    import { tryFileLock } from ${JSON.stringify(join(DIST, 'store/sqlite/file-lock.js'))};
    process.stdout.write(tryFileLock(${JSON.stringify(path)}) === undefined ? 'locked' : 'free');`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
}
