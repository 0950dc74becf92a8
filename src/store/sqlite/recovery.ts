/** What is kept of a database that is damaged, and what is said about it. Nothing of it is deleted. */
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { BridgeError, isSystemError } from '../../core/errors.ts';
import { keptName } from '../../files/kept-name.ts';
import { writePrivateFile } from '../../files/private-file.ts';
import type { Log } from '../../core/log.ts';
import type { Connection } from './driver.ts';
import { lastWriteIn, readLastWrite } from './last-write.ts';
import { checkLog, checkOrigin } from './log-check.ts';
import { DATABASE_SUFFIXES } from './place.ts';
import { corruptError } from './sqlite-errors.ts';

/** Renames the database with its log. Returns the new name. */
export function setAside(path: string): string {
  const kept = keptName(path, 'corrupt');
  for (const suffix of DATABASE_SUFFIXES) {
    if (existsSync(path + suffix)) renameSync(path + suffix, kept + suffix);
  }
  return kept;
}

/** Databases that were set aside, and are still there. */
export function setAsideOf(path: string): string[] {
  const begin = `${basename(path)}.corrupt-`;
  try {
    return readdirSync(dirname(path))
      .filter((name) => name.startsWith(begin) && !/-(?:wal|shm)$/.test(name))
      .map((name) => join(dirname(path), name));
  } catch (error) {
    // There is no state directory yet, or nobody may list it: a check of its own says so.
    if (!isSystemError(error)) throw error;
    return [];
  }
}

/** Keeps what SQLite would drop from the log, and says so. To be called before SQLite opens the database. */
export function secureLog(path: string, log: Log): void {
  const finding = checkLog(path) ?? checkOrigin(path);
  if (finding === undefined) return;
  const { kind, what } = finding;
  const wal = `${path}-wal`;
  switch (kind) {
    case 'orphaned': {
      const kept = setAside(path);
      log.error('database_set_aside', { path, kept, error: what, next: BACKUP });
      return;
    }
    case 'damaged': {
      const kept = keptName(wal, 'damaged');
      copyFileSync(wal, kept, constants.COPYFILE_EXCL);
      chmodSync(kept, 0o600);
      const effect = 'what was stored after the damage may be missing';
      log.error('database_log_damaged', { path: wal, kept, error: what, effect, next: BACKUP });
      return;
    }
    case 'foreign': {
      const kept = keptName(wal, 'foreign');
      renameSync(wal, kept);
      const effect = 'what was stored last may be missing';
      log.error('database_log_set_aside', { path: wal, kept, error: what, effect, next: BACKUP });
    }
  }
}

const BACKUP =
  'Check the disk. If a backup holds more, stop lark-bridge and run `lark-bridge restore FILE`.';

/** Whoever only reads must not let SQLite drop anything. */
export function refuseDamagedLog(path: string): void {
  const finding = checkLog(path);
  if (finding === undefined) return;
  throw new BridgeError('store_unavailable', `the log of ${path} is damaged: ${finding.what}`, {
    next: 'Start the daemon: it keeps a copy of the log, and goes on with what is sound.',
  });
}

/** Says so if the database holds less than was on the disk before. */
export function tellOfLoss(connection: Connection, path: string, log: Log): void {
  const last = readLastWrite(path);
  if (last === undefined) return;
  const foundMs = lastWriteIn(connection);
  if (foundMs !== undefined && foundMs >= last.atMs) return;
  log.error('database_lost_writes', {
    path,
    written_until: new Date(last.atMs).toISOString(),
    found_until: foundMs === undefined ? 'nothing' : new Date(foundMs).toISOString(),
    effect: 'messages of the time between may stay unanswered, or be answered twice',
    next: `It was replaced, emptied or damaged, or its log (${path}-wal) was removed. ${BACKUP}`,
  });
}

/** Keeps what a database without a name holds, and returns where; undefined if its folder is gone too. */
export function rescue(connection: Connection, path: string): string | undefined {
  if (!existsSync(dirname(path))) return undefined;
  const kept = keptName(path, 'kept');
  closeSync(openSync(kept, 'wx', 0o600));
  connection.prepare('VACUUM INTO ?').run(kept);
  return kept;
}

function suspicionPath(path: string): string {
  return `${path}.suspect`;
}

/** Has the next start look at the whole database, which takes too long for each one. */
export function noteSuspicion(path: string): void {
  try {
    writePrivateFile(suspicionPath(path), '');
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

/** Throws as SQLite does, if a process has found damage and it is there. */
export function mustBeSound(connection: Connection, path: string): void {
  if (!existsSync(suspicionPath(path))) return;
  rmSync(suspicionPath(path), { force: true });
  const verdict = Object.values(connection.prepare('PRAGMA quick_check(1)').get() ?? {})[0];
  if (verdict !== 'ok') throw corruptError(String(verdict));
}
