/** Another process holds the database: who writes waits, and nothing else does. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Db } from '../../../src/store/sqlite/db.ts';
import { connect, type Connection } from '../../../src/store/sqlite/driver.ts';
import { silentLog } from '../../kit/log.ts';
import { temporaryFolder } from '../../kit/folder.ts';

let folder: string;
let db: Db;
let other: Connection;

beforeEach(() => {
  folder = temporaryFolder();
  db = Db.open(join(folder, 'bridge.db'), silentLog);
  db.run('CREATE TABLE sample (name TEXT PRIMARY KEY) STRICT');
  other = connect(join(folder, 'bridge.db'));
  other.exec('BEGIN IMMEDIATE');
});

afterEach(() => {
  vi.restoreAllMocks();
  other.close();
  db.close();
});

const insert = (name: string) => () => db.run('INSERT INTO sample VALUES (?)', name);
const names = () => db.all('SELECT name FROM sample ORDER BY rowid').map(({ name }) => name);

/** Long enough for a few looks at the lock; a loop that stood still would never come to its end. */
async function rounds(count: number): Promise<void> {
  for (let round = 0; round < count; round += 1) {
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}

test('writes wait without blocking the event loop, and are done in order when the lock is released', async () => {
  const writes = [db.write(insert('a')), db.write(insert('b'))];
  await rounds(10);
  writes.push(db.write(insert('c')));
  await rounds(10);
  expect(names()).toEqual([]);
  other.exec('ROLLBACK');
  await Promise.all(writes);
  expect(names()).toEqual(['a', 'b', 'c']);
});

test('a write that waited too long is refused, a later one still waits', async () => {
  const nowMs = Math.floor(performance.now());
  const clock = vi.spyOn(performance, 'now').mockReturnValue(nowMs);
  const early = db.write(insert('early')).catch((error: unknown) => error);
  await rounds(2);
  clock.mockReturnValue(nowMs + 4_999);
  const late = db.write(insert('late'));
  await rounds(10);
  clock.mockReturnValue(nowMs + 5_000);
  expect(await early).toMatchObject({ code: 'store_unavailable' });
  other.exec('ROLLBACK');
  await late;
  expect(names()).toEqual(['late']);
});

test('closing waits for the lock too', async () => {
  let asked = 0;
  const nowMs = Math.floor(performance.now());
  vi.spyOn(performance, 'now').mockImplementation(() => {
    asked += 1;
    // The lock goes away after a few looks.
    if (asked === 4) other.exec('ROLLBACK');
    return nowMs;
  });
  const write = db.write(insert('a'));
  db.close();
  await write;
  db = Db.open(join(folder, 'bridge.db'), silentLog);
  expect(names()).toEqual(['a']);
});
