/** A look at the database's file, whoever has it open. */
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { Db } from '../../../src/store/sqlite/db.ts';
import { connect } from '../../../src/store/sqlite/driver.ts';
import { examineDatabase } from '../../../src/store/sqlite/examination.ts';
import { MIGRATIONS } from '../../../src/store/sqlite/migrations.ts';
import { silentLog } from '../../kit/log.ts';
import { temporaryFolder } from '../../kit/folder.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = temporaryFolder('lark examination #1 50%-');
  path = join(folder, 'bridge.db');
});

const wanted = MIGRATIONS.length;

/** A database at rest: all of it in one file. */
function makeDatabase(): void {
  Db.open(path, silentLog).close();
  const connection = connect(path);
  connection.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  connection.close();
  for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true });
}

test('none: and none is made', () => {
  expect(examineDatabase(path)).toEqual({ kind: 'none' });
  expect(readdirSync(folder)).toEqual([]);
});

test('one that nobody has open is left as it is, to the byte', () => {
  makeDatabase();
  const before = {
    names: readdirSync(folder),
    bytes: readFileSync(path),
    at: statSync(path).mtimeMs,
  };
  expect(examineDatabase(path)).toMatchObject({
    kind: 'sound',
    version: wanted,
    wanted,
    walBytes: 0,
  });
  expect({
    names: readdirSync(folder),
    bytes: readFileSync(path),
    at: statSync(path).mtimeMs,
  }).toEqual(before);
});

test('one that a daemon writes to, with its write-ahead log', async () => {
  const db = Db.open(path, silentLog);
  await db.write(() => {
    db.run(`INSERT INTO cursors (workspace, row_id) VALUES ('w', 'r')`);
  });
  const found = examineDatabase(path);
  expect(found).toMatchObject({ kind: 'sound' });
  expect(found.kind === 'sound' && found.walBytes).toBeGreaterThan(0);
  await db.write(() => {
    db.run(`DELETE FROM cursors`);
  });
  db.close();
});

test('of a newer version', () => {
  Db.open(path, silentLog).close();
  const connection = connect(path);
  connection.exec(`PRAGMA user_version = ${wanted + 1}`);
  connection.close();
  expect(examineDatabase(path)).toMatchObject({ kind: 'sound', version: wanted + 1, wanted });
});

test('something that is no database, and one with a broken page; both stay where they are', () => {
  writeFileSync(path, 'this is not a database'.repeat(100));
  expect(examineDatabase(path)).toMatchObject({ kind: 'corrupt' });
  rmSync(path);
  makeDatabase();
  const bytes = readFileSync(path);
  // Behind the first page, which holds the schema.
  bytes.fill(0xff, 4096, bytes.length);
  writeFileSync(path, bytes);
  expect(examineDatabase(path)).toMatchObject({ kind: 'corrupt' });
  expect(readdirSync(folder)).toEqual(['bridge.db']);
});

test('a fault that SQLite reports without failing', () => {
  makeDatabase();
  const bytes = readFileSync(path);
  // The header's count of free pages.
  bytes.writeUInt32BE(5, 36);
  writeFileSync(path, bytes);
  const found = examineDatabase(path);
  expect(found).toMatchObject({ kind: 'corrupt' });
  expect(found.kind === 'corrupt' && found.detail).toMatch(/freelist/i);
});

test('a folder instead of the file', () => {
  expect(examineDatabase(folder)).toMatchObject({ kind: 'unreadable' });
});
