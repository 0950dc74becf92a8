/** When a write may be believed: the disk is the outer wall here, and answers when the test says so. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Db } from '../../../src/store/sqlite/db.ts';
import { silentLog } from '../../kit/log.ts';
import { temporaryFolder } from '../../kit/folder.ts';

type Done = (error: Error | null) => void;

const disk = { syncs: [] as Done[] };

let folder: string;
let db: Db;

beforeEach(() => {
  vi.spyOn(fs, 'fdatasync').mockImplementation((_fd, done) => void disk.syncs.push(done));
  syncBuiltinESMExports();
  folder = temporaryFolder();
  db = Db.open(join(folder, 'bridge.db'), silentLog);
  db.run('CREATE TABLE sample (name TEXT)');
  disk.syncs = [];
});

afterEach(() => {
  db.close();
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

function write(name: string): { confirmed: () => boolean } {
  let confirmed = false;
  void db
    .write(() => db.run('INSERT INTO sample VALUES (?)', name))
    .then(() => {
      confirmed = true;
    });
  return { confirmed: () => confirmed };
}

async function turnsOfTheLoop(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}

test('a write resolves only when it is on the disk', async () => {
  const one = write('a');
  await turnsOfTheLoop(5);
  expect(disk.syncs).toHaveLength(1);
  expect(one.confirmed()).toBe(false);
  disk.syncs[0]?.(null);
  await turnsOfTheLoop(1);
  expect(one.confirmed()).toBe(true);
});

test('writes that come during a sync share the next commit and the next sync', async () => {
  const first = write('a');
  await turnsOfTheLoop(2);
  const later = ['b', 'c', 'd'].map((name) => write(name));
  await turnsOfTheLoop(5);
  expect(disk.syncs).toHaveLength(1);
  disk.syncs[0]?.(null);
  await turnsOfTheLoop(3);
  expect(disk.syncs).toHaveLength(2);
  expect([first, ...later].map((one) => one.confirmed())).toEqual([true, false, false, false]);
  disk.syncs[1]?.(null);
  await turnsOfTheLoop(1);
  expect(later.every((one) => one.confirmed())).toBe(true);
});

test('a failed sync ends the process; nothing is confirmed', async () => {
  const one = write('a');
  await turnsOfTheLoop(2);
  const failed = () => disk.syncs[0]?.(new Error('EIO: i/o error, fdatasync'));
  expect(failed).toThrow('the disk did not keep a write: EIO');
  await turnsOfTheLoop(2);
  expect(one.confirmed()).toBe(false);
});

test('writes on their way to the disk are confirmed when the database closes', async () => {
  const one = write('a');
  await turnsOfTheLoop(2);
  db.close();
  await turnsOfTheLoop(1);
  expect(one.confirmed()).toBe(true);
  expect(disk.syncs).toHaveLength(1);
  disk.syncs[0]?.(null);
  db = Db.open(join(folder, 'bridge.db'), silentLog);
  expect(db.all('SELECT name FROM sample')).toEqual([{ name: 'a' }]);
});
