/** F25: what is lost of a damaged database is told, and what SQLite would drop is kept. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DaemonTable } from '../../../src/store/sqlite/bridge/daemon.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { connect } from '../../../src/store/sqlite/driver.ts';
import { examineDatabase } from '../../../src/store/sqlite/examination.ts';
import { noteLastWrite } from '../../../src/store/sqlite/last-write.ts';
import { isDamaged, readLog } from '../../../src/store/sqlite/write-ahead-log.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { type RecordingLog, recordingLog } from '../../kit/log.ts';
import { seeded } from '../../sim/random.ts';

const FRAME_BYTES = 24 + 4096;
const COMMITS = 12;

let folder: string;
let log: RecordingLog;
const open: Db[] = [];

beforeEach(() => {
  folder = temporaryFolder();
  log = recordingLog();
});
afterEach(() => {
  for (const db of open.splice(0)) db.close();
});

const at = (name: string) => join(folder, name, 'bridge.db');

function opened(name: string, to = log): Db {
  const db = Db.open(at(name), to);
  open.push(db);
  return db;
}

/** A database with some commits, each with its note, as a process that is killed leaves it. */
async function killed(name: string, commits = COMMITS): Promise<string> {
  const db = opened(`${name}-alive`, recordingLog());
  const path = at(`${name}-alive`);
  for (let index = 1; index <= commits; index += 1) {
    await new DaemonTable(db).write({ pid: 1, atMs: index, status: 'x'.repeat(index * 100) });
    noteLastWrite(path, index);
  }
  mkdirSync(join(folder, name), { mode: 0o700 });
  copy(`${name}-alive`, name);
  return at(name);
}

function copy(from: string, to: string): void {
  for (const suffix of ['', '-wal', '.last']) copyFileSync(at(from) + suffix, at(to) + suffix);
}

function flip(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes[offset] = (bytes[offset] ?? 0) ^ 0xff;
  writeFileSync(path, bytes);
}

const lastIn = (db: Db) => new DaemonTable(db).read()?.atMs;
const files = (name: string) => readdirSync(join(folder, name));

describe('F25: what a crash leaves is no damage', () => {
  test('a log that is whole', async () => {
    await killed('db');
    expect(lastIn(opened('db'))).toBe(COMMITS);
    expect(log.warnings()).toEqual([]);
  });

  test('a log whose last frame is not finished, at any byte', async () => {
    const path = await killed('db');
    rmSync(`${path}.last`);
    const whole = readFileSync(`${path}-wal`);
    for (let cut = 1; cut < 3 * FRAME_BYTES; cut += 1_997) {
      writeFileSync(`${path}-wal`, whole.subarray(0, whole.length - cut));
      const facts = readLog(`${path}-wal`);
      expect(facts && isDamaged(facts)).toBe(false);
    }
    opened('db');
    expect(log.warnings()).toEqual([]);
  });

  test('a last commit of which a power loss left some pages and not others', async () => {
    const path = await killed('db');
    rmSync(`${path}.last`);
    const size = readFileSync(`${path}-wal`).length;
    flip(`${path}-wal`, size - FRAME_BYTES - 100);
    opened('db');
    expect(log.warnings()).toEqual([]);
  });

  test('pages of a transaction that was rolled back, behind later commits', async () => {
    const db = opened('db-alive', recordingLog());
    db.run('CREATE TABLE sample (text TEXT) STRICT');
    db.get('PRAGMA cache_size = 5');
    const many = () => {
      for (let index = 0; index < 300; index += 1) {
        db.run('INSERT INTO sample VALUES (?)', 'x'.repeat(3000));
      }
    };
    await expect(
      db.write(() => {
        many();
        throw new Error('rolled back');
      }),
    ).rejects.toThrow('rolled back');
    for (const text of ['a', 'b', 'c']) {
      await db.write(() => db.run('INSERT INTO sample VALUES (?)', text));
    }
    const facts = readLog(`${at('db-alive')}-wal`);
    expect(facts?.frames).toBeGreaterThan((facts?.framesValid ?? 0) + 100);
    expect(facts?.commitsBehind).toBe(0);
  });

  test('pages of an earlier round of the log', async () => {
    const db = opened('db-alive', recordingLog());
    for (let index = 1; index <= COMMITS; index += 1) {
      await new DaemonTable(db).write({ pid: 1, atMs: index, status: '' });
    }
    db.get('PRAGMA wal_checkpoint(RESTART)');
    await new DaemonTable(db).write({ pid: 1, atMs: 99, status: '' });
    const facts = readLog(`${at('db-alive')}-wal`);
    expect(facts?.frames).toBeGreaterThan(facts?.framesValid ?? 0);
    expect(facts?.commitsBehind).toBe(0);
  });

  test('a life that ends well, and the next one', async () => {
    for (let life = 1; life <= 3; life += 1) {
      const db = opened('db');
      await new DaemonTable(db).write({ pid: life, atMs: life, status: '' });
      noteLastWrite(at('db'), life);
      db.close();
    }
    expect(log.warnings()).toEqual([]);
  });
});

describe('F25: damage is told, and nothing is dropped without a copy', () => {
  test('a byte anywhere before the last commits', async () => {
    const path = await killed('whole');
    const size = readFileSync(`${path}-wal`).length;
    const random = seeded(25);
    for (let round = 0; round < 8; round += 1) {
      const name = `damaged-${round}`;
      mkdirSync(join(folder, name), { mode: 0o700 });
      copy('whole', name);
      // Two commits have up to three pages each.
      const offset = round < 2 ? 16 + round : Math.floor(random() * (size - 7 * FRAME_BYTES));
      flip(`${at(name)}-wal`, offset);
      const damaged = readFileSync(`${at(name)}-wal`);
      expect(() => Db.openExisting(at(name))).toThrow(/log of .* is damaged/);
      expect(examineDatabase(at(name))).toMatchObject({ kind: 'log_damaged' });
      expect(readFileSync(`${at(name)}-wal`).equals(damaged)).toBe(true);
      const told = recordingLog();
      const db = opened(name, told);
      expect(told.warnings(), `byte ${offset}`).toEqual([
        'database_log_damaged',
        'database_lost_writes',
      ]);
      expect(lastIn(db) ?? 0).toBeLessThan(COMMITS);
      const kept = files(name).find((file) => file.includes('-wal.damaged-')) ?? 'none';
      expect(readFileSync(join(folder, name, kept)).equals(damaged)).toBe(true);
    }
  });

  test('a log that was deleted, or cut between two commits', async () => {
    await killed('whole');
    for (const [name, frames] of [
      ['deleted', undefined],
      ['emptied', 0],
      ['cut', 8],
    ] as const) {
      mkdirSync(join(folder, name), { mode: 0o700 });
      copy('whole', name);
      if (frames === undefined) rmSync(`${at(name)}-wal`);
      else truncateSync(`${at(name)}-wal`, frames === 0 ? 0 : 32 + frames * FRAME_BYTES);
      const told = recordingLog();
      opened(name, told);
      expect(told.warnings(), name).toEqual(['database_lost_writes']);
    }
  });

  test('a database of no bytes beside its log: both are kept', async () => {
    const path = await killed('db');
    const wal = readFileSync(`${path}-wal`);
    truncateSync(path, 0);
    expect(() => Db.openExisting(path)).toThrow(/the database is empty/);
    opened('db');
    expect(log.warnings()).toEqual(['database_set_aside', 'database_lost_writes']);
    const kept = files('db').find((file) => /corrupt-.*-wal$/.test(file)) ?? 'none';
    expect(readFileSync(join(folder, 'db', kept)).equals(wal)).toBe(true);
  });

  test('a database of no bytes, and one that is gone, where a bridge has run', async () => {
    for (const name of ['empty', 'gone']) {
      const path = await killed(name);
      rmSync(`${path}-wal`);
      if (name === 'gone') rmSync(path);
      else truncateSync(path, 0);
      const told = recordingLog();
      opened(name, told);
      expect(told.warnings()).toEqual(['database_lost_writes']);
    }
  });

  test('the log of another database is kept aside, and not applied', async () => {
    const path = await killed('db');
    const foreign = join(folder, 'foreign.db');
    const other = connect(foreign);
    other.exec('PRAGMA journal_mode = WAL');
    other.exec('CREATE TABLE other (text TEXT)');
    for (let index = 0; index < 50; index += 1) {
      other.exec(`INSERT INTO other VALUES ('${'x'.repeat(2000)}')`);
    }
    copyFileSync(`${foreign}-wal`, `${path}-wal`);
    other.close();
    const db = opened('db');
    expect(log.warnings()).toEqual(['database_log_set_aside', 'database_lost_writes']);
    expect(db.all('SELECT * FROM turns')).toEqual([]);
    expect(files('db').some((file) => file.includes('-wal.foreign-'))).toBe(true);
    expect(existsSync(`${path}-wal`)).toBe(true);
  });

  test('a log of a later writer is no foreign one', async () => {
    const path = await killed('db');
    Db.open(path, log).close();
    const later = opened('db');
    await new DaemonTable(later).write({ pid: 2, atMs: 50, status: '' });
    mkdirSync(join(folder, 'copy'), { mode: 0o700 });
    copy('db', 'copy');
    expect(lastIn(opened('copy'))).toBe(50);
    expect(log.warnings()).toEqual([]);
  });
});
