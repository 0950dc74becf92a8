/** What is wrong with the database's write-ahead log, found out before SQLite drops or applies it. */
import { copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isSystemError } from '../../core/errors.ts';
import { connect } from './driver.ts';
import { lastWriteIn, readLastWrite } from './last-write.ts';
import { identityAt } from './place.ts';
import { isDamaged, mayFollow, readLog, saltsOf } from './write-ahead-log.ts';

interface LogFinding {
  /**
   * `orphaned`: the database beside it is empty or gone, and SQLite would delete the log. `damaged`: SQLite would
   * drop a part of it. `foreign`: it was made for another database, which SQLite can't know.
   */
  readonly kind: 'orphaned' | 'damaged' | 'foreign';
  readonly what: string;
}

/** Only reads. */
export function checkLog(path: string): LogFinding | undefined {
  const log = readLog(`${path}-wal`);
  if (log === undefined) return undefined;
  const { frames, framesValid, commitsBehind } = log;
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0) {
    return { kind: 'orphaned', what: `the database is empty, and its log holds ${frames} pages` };
  }
  if (isDamaged(log)) {
    const what = `of ${frames} pages in the log ${framesValid} are sound; behind them are ${commitsBehind} commits or more that can't be read`;
    return { kind: 'damaged', what };
  }
  return undefined;
}

/** Whether the log was made for another database. Needs room for a copy if that is not clear at once. */
export function checkOrigin(path: string): LogFinding | undefined {
  const salts = saltsOf(`${path}-wal`);
  const last = readLastWrite(path);
  if (salts === '' || last === undefined || last.salts === '') return undefined;
  const follows = mayFollow(salts, last.salts);
  if (follows && identityAt(path) === last.file) return undefined;
  // Somebody may have written since, in a log of its own, or copied both files. So it is tried.
  if (isWholeWith(path, follows ? undefined : last.atMs)) return undefined;
  return { kind: 'foreign', what: 'it was made for another database, and would break this one' };
}

/** Is the database sound with its log, and does it hold what was on the disk at that time? */
function isWholeWith(path: string, atMs: number | undefined): boolean {
  const folder = mkdtempSync(`${path}.check-`);
  const copy = join(folder, 'bridge.db');
  try {
    for (const suffix of ['', '-wal']) copyFileSync(path + suffix, copy + suffix);
    const connection = connect(copy);
    try {
      const verdict = connection.prepare('PRAGMA integrity_check(1)').get() ?? {};
      if (Object.values(verdict)[0] !== 'ok') return false;
      if (atMs === undefined) return true;
      return (lastWriteIn(connection) ?? 0) >= atMs;
    } finally {
      connection.close();
    }
  } catch (error) {
    // Its own tables may be missing.
    if (isSystemError(error)) throw error;
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
