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
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { connect } from '../../../src/store/sqlite/driver.ts';
import { MIGRATIONS } from '../../../src/store/sqlite/migrations.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { type RecordingLog, recordingLog } from '../../kit/log.ts';

let folder: string;
let log: RecordingLog;
const open: Db[] = [];

function openDb(): Db {
  const db = Db.open(join(folder, 'bridge.db'), log);
  open.push(db);
  return db;
}

function withTable(): Db {
  const db = openDb();
  db.run('CREATE TABLE sample (name TEXT PRIMARY KEY) STRICT');
  return db;
}

beforeEach(() => {
  folder = temporaryFolder();
  log = recordingLog();
});

afterEach(() => {
  for (const db of open.splice(0)) db.close();
});

const insert = (db: Db, name: string) => () => db.run('INSERT INTO sample VALUES (?)', name);
const names = (db: Db) => db.all('SELECT name FROM sample ORDER BY name').map(({ name }) => name);

describe('F9: a database elsewhere, where another user could put one', () => {
  const refusalOf = (work: () => unknown): BridgeError => {
    try {
      work();
    } catch (error) {
      if (error instanceof BridgeError) return error;
      throw error;
    }
    return expect.fail('it was opened');
  };
  const OPENINGS = [() => openDb(), () => Db.openExisting(join(folder, 'bridge.db'))];

  test('a folder that others may write to is refused with the command that mends it', () => {
    folder = join(folder, 'shared');
    mkdirSync(folder);
    writeFileSync(join(folder, 'bridge.db'), '');
    chmodSync(folder, 0o1777);
    for (const opening of OPENINGS) {
      const error = refusalOf(opening);
      expect(error).toMatchObject({ code: 'config_invalid', exitCode: 2 });
      expect(error.next).toContain(`chmod 700 ${folder}`);
    }
    expect(readdirSync(folder)).toEqual(['bridge.db']);
  });

  test.runIf(process.getuid?.() === 0)('so is the file of another user, also behind a link', () => {
    const planted = join(folder, 'planted');
    writeFileSync(planted, '');
    chmodSync(planted, 0o666);
    chownSync(planted, 6666, 6666);
    symlinkSync(planted, join(folder, 'bridge.db'));
    for (const opening of OPENINGS) {
      expect(refusalOf(opening)).toMatchObject({
        code: 'config_invalid',
        message: expect.stringContaining('uid 6666') as unknown,
      });
    }
    expect(statSync(planted)).toMatchObject({ size: 0, uid: 6666 });
    expect(statSync(planted).mode & 0o777).toBe(0o666);
  });
});

describe('the database', () => {
  test('is for its owner only', () => {
    openDb();
    expect(statSync(join(folder, 'bridge.db')).mode & 0o777).toBe(0o600);
  });

  test('what was written is there after it was opened again', async () => {
    const db = withTable();
    await db.write(insert(db, 'a'));
    db.close();
    expect(names(openDb())).toEqual(['a']);
  });

  test('writes of one moment share a commit', async () => {
    const db = withTable();
    const spy = connect(join(folder, 'bridge.db'));
    const version = () => Number(spy.prepare('PRAGMA data_version').get()?.['data_version']);
    const before = version();
    const writes = ['a', 'b', 'c'].map((name) => db.write(insert(db, name)));
    expect(version()).toBe(before);
    await Promise.all(writes);
    expect(version()).toBe(before + 1);
    expect(names(db)).toEqual(['a', 'b', 'c']);
    spy.close();
  });

  test('work that throws does not affect the other writes of its commit', async () => {
    const db = withTable();
    const results = await Promise.allSettled([
      db.write(insert(db, 'a')),
      db.write(() => {
        insert(db, 'half')();
        throw new Error('a bug');
      }),
      db.write(insert(db, 'b')),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(names(db)).toEqual(['a', 'b']);
  });

  test('a broken constraint is a bug and does not look like a full disk', async () => {
    const db = withTable();
    await db.write(insert(db, 'a'));
    const error = await db.write(insert(db, 'a')).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(BridgeError);
  });

  test('a full disk is reported, nothing of the write is kept, and writes work again when there is room', async () => {
    const db = withTable();
    const pages = Number(db.get('PRAGMA page_count')?.['page_count']);
    db.get(`PRAGMA max_page_count = ${pages}`);
    const fill = () => {
      for (let index = 0; index < 2_000; index += 1) insert(db, `${'x'.repeat(500)}${index}`)();
    };
    await expect(db.write(fill)).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(names(db)).toEqual([]);
    db.get('PRAGMA max_page_count = 100000');
    await db.write(insert(db, 'a'));
    expect(names(db)).toEqual(['a']);
  });

  test('waiting writes are committed before it closes; later writes are refused', async () => {
    const db = withTable();
    const waiting = db.write(insert(db, 'a'));
    db.close();
    await waiting;
    await expect(db.write(insert(db, 'b'))).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(names(openDb())).toEqual(['a']);
  });

  test('a file that is not a database is moved aside, and a new database is made', () => {
    const path = join(folder, 'bridge.db');
    writeFileSync(path, 'not a database, but somebody may want it back');
    const db = openDb();
    expect(db.all('SELECT * FROM turns')).toEqual([]);
    const kept = readdirSync(folder).find((name) => name.includes('.corrupt-')) ?? 'none';
    expect(readFileSync(join(folder, kept), 'utf8')).toContain('somebody may want it back');
    expect(log.warnings()).toEqual(['database_set_aside']);
  });

  test('a newer database is refused and left alone', () => {
    const path = join(folder, 'bridge.db');
    openDb().close();
    const newer = connect(path);
    newer.exec('PRAGMA user_version = 9999');
    newer.close();
    expect(() => openDb()).toThrow(/newer lark-bridge/);
    expect(existsSync(path)).toBe(true);
    expect(readdirSync(folder).filter((name) => name.includes('corrupt'))).toEqual([]);
  });
});

test('a database of the version before is updated: its runs stay, and can have a cause', () => {
  const path = join(folder, 'bridge.db');
  const before = connect(path);
  before.exec(MIGRATIONS[0] ?? '');
  before.exec(`INSERT INTO runs (app_id, turn, run, started_at_ms) VALUES ('cli_1', 'om_1', 1, 5)`);
  before.exec('PRAGMA user_version = 1');
  before.close();
  const db = openDb();
  expect(db.all('SELECT turn, started_at_ms, cause FROM runs')).toEqual([
    { turn: 'om_1', started_at_ms: 5, cause: null },
  ]);
  expect(log.warnings()).toEqual([]);
});

describe('reading while a daemon runs', () => {
  const path = () => join(folder, 'bridge.db');
  const look = () => {
    const db = Db.openExisting(path());
    if (db !== undefined) open.push(db);
    return db;
  };

  test('creates nothing where there is nothing', () => {
    expect(look()).toBeUndefined();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('sees what the daemon writes, and can write itself', async () => {
    const daemon = withTable();
    const beside = look();
    await daemon.write(() => daemon.run(`INSERT INTO sample VALUES ('a')`));
    expect(beside?.all('SELECT name FROM sample')).toEqual([{ name: 'a' }]);
    const before = daemon.outsideVersion();
    await daemon.write(() => daemon.run(`INSERT INTO sample VALUES ('b')`));
    expect(daemon.outsideVersion()).toBe(before);
    await beside?.write(() => beside.run(`INSERT INTO sample VALUES ('c')`));
    expect(daemon.outsideVersion()).not.toBe(before);
    expect(daemon.all('SELECT name FROM sample')).toHaveLength(3);
  });

  test('leaves a broken file where it is', () => {
    writeFileSync(path(), 'not a database, but the daemon may be about to see to it');
    expect(look).toThrow(/can't read the database/);
    expect(readdirSync(folder)).toEqual(['bridge.db']);
  });

  test.each([
    [0, 'older lark-bridge'],
    [9999, 'newer lark-bridge'],
  ])('leaves a file of schema %i as it is', (version, why) => {
    openDb().close();
    const other = connect(path());
    other.exec(`PRAGMA user_version = ${version}`);
    other.close();
    expect(look).toThrow(why);
    const after = connect(path());
    expect(after.prepare('PRAGMA user_version').get()).toEqual({ user_version: version });
    after.close();
  });
});
