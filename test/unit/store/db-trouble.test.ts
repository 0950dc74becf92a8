/** What the database says about itself while its commits fail. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Db } from '../../../src/store/sqlite/db.ts';
import { connect } from '../../../src/store/sqlite/driver.ts';
import { MIGRATIONS } from '../../../src/store/sqlite/migrations.ts';
import { silentLog } from '../../kit/log.ts';
import { temporaryFolder } from '../../kit/folder.ts';

let folder: string;
let db: Db;

beforeEach(() => {
  folder = temporaryFolder();
  db = Db.open(join(folder, 'bridge.db'), silentLog);
  db.run('CREATE TABLE sample (name TEXT PRIMARY KEY) STRICT');
});

afterEach(() => {
  db.close();
});

const insert = (name: string) => db.write(() => db.run('INSERT INTO sample VALUES (?)', name));
/** As a disk does that has no room, or a file system that turned read-only. */
const refuseWrites = (refused: boolean) => db.run(`PRAGMA query_only = ${refused ? 1 : 0}`);

test('a sound database has none', async () => {
  await insert('a');
  expect(db.trouble()).toBeUndefined();
});

test('a commit that fails is trouble, since then, until the disk takes a write again', async () => {
  refuseWrites(true);
  // Nothing has failed yet, and a look is no reason to write.
  expect(db.trouble()).toBeUndefined();
  const beforeMs = Date.now();
  await expect(insert('a')).rejects.toMatchObject({ code: 'store_unavailable' });
  const first = db.trouble();
  expect(first?.detail).toContain('readonly');
  expect(first?.sinceMs).toBeGreaterThanOrEqual(beforeMs);
  await expect(insert('b')).rejects.toMatchObject({ code: 'store_unavailable' });
  expect(db.trouble()).toEqual(first);
  refuseWrites(false);
  expect(db.trouble()).toBeUndefined();
  await insert('a');
});

test('recovery is checked with a write that changes nothing', async () => {
  refuseWrites(true);
  await expect(insert('a')).rejects.toThrow();
  refuseWrites(false);
  expect(db.trouble()).toBeUndefined();
  expect(db.get('PRAGMA user_version')?.['user_version']).toBe(MIGRATIONS.length);
  expect(db.all('SELECT name FROM sample')).toEqual([]);
});

test('a bug in a write is not a problem of the disk', async () => {
  await insert('a');
  await expect(insert('a')).rejects.toThrow('UNIQUE');
  refuseWrites(true);
  expect(db.trouble()).toBeUndefined();
});

test('a lock of another program is a problem while it lasts, and the check does not wait for it', async () => {
  const other = connect(join(folder, 'bridge.db'));
  other.exec('BEGIN IMMEDIATE');
  const write = insert('a');
  await expect.poll(() => db.trouble()?.detail).toContain('locked');
  other.exec('ROLLBACK');
  expect(db.trouble()).toBeUndefined();
  await write;
  other.close();
});

test('one that can’t even be read is in trouble', async () => {
  const spoilt = Db.open(join(folder, 'other.db'), silentLog);
  spoilt.close();
  expect(spoilt.trouble()).toBeDefined();
});
