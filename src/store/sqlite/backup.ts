/**
 * A backup is a database: a copy of ours, with two tables more. One holds the files of the state directory, the other
 * says where it comes from. So it needs no format of its own, and SQLite reads it on any machine.
 */
import { existsSync } from 'node:fs';
import { BridgeError, errorText } from '../../core/errors.ts';
import type { BackupFacts, KeptFile } from '../backup-facts.ts';
import { connect, type Connection } from './driver.ts';
import { MIGRATIONS } from './migrations.ts';
import { refuseForeign } from './opening.ts';
import { refuseDamagedLog } from './recovery.ts';
import { isCorrupt, openError } from './sqlite-errors.ts';

const TABLES = `
CREATE TABLE backup (facts TEXT NOT NULL) STRICT;
CREATE TABLE backup_files (path TEXT PRIMARY KEY, mode INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT`;
const BUSY_TIMEOUT_MS = 5_000;

/**
 * Writes the database as it is at this moment, with what `addMore` adds, into a new empty file. Whoever writes to the
 * database meanwhile is not kept waiting. Throws `store_unavailable`, and `failed` if there is no database.
 */
export function writeBackup(
  { database, to }: { readonly database: string; readonly to: string },
  addMore: (backup: BackupWriter) => void,
): void {
  if (!existsSync(database)) {
    throw new BridgeError('failed', `there is nothing to back up: no bot has run on ${database}`, {
      next: 'Name the right folder with --state-dir, or start the bot with `lark-bridge run`.',
    });
  }
  refuseForeign(database);
  refuseDamagedLog(database);
  const source = connect(database);
  try {
    source.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    refuseNewer(source, `the database ${database}`);
    source.prepare('VACUUM INTO ?').run(to);
  } catch (error) {
    if (error instanceof BridgeError) throw error;
    throw openError("can't copy the database", database, error);
  } finally {
    source.close();
  }
  addTo(to, addMore);
}

function addTo(path: string, addMore: (backup: BackupWriter) => void): void {
  const copy = connect(path);
  try {
    copy.exec(`BEGIN; ${TABLES}`);
    addMore(new BackupWriter(copy));
    copy.exec('COMMIT');
    mustBeWhole(copy, path);
  } catch (error) {
    if (error instanceof BridgeError) throw error;
    throw openError("can't write the backup", path, error);
  } finally {
    copy.close();
  }
}

/** Adds to a backup that is being written. */
class BackupWriter {
  readonly #copy: Connection;

  constructor(copy: Connection) {
    this.#copy = copy;
  }

  addFile({ path, mode, bytes }: KeptFile): void {
    this.#copy.prepare('INSERT INTO backup_files VALUES (?, ?, ?)').run(path, mode, bytes);
  }

  addFacts(facts: BackupFacts): void {
    this.#copy.prepare('INSERT INTO backup VALUES (?)').run(JSON.stringify(facts));
  }
}

/**
 * Reads a backup, and takes everything out of it that is not the database. `take` gets one file after another. Throws
 * `failed` for what is no backup or is damaged, and `state_newer` for one of a newer version.
 */
export function unpackBackup(
  path: string,
  { shown, take }: { readonly shown: string; readonly take: (file: KeptFile) => void },
): BackupFacts {
  let backup: Connection | undefined;
  try {
    backup = connect(path);
    mustBeWhole(backup, shown);
    refuseNewer(backup, `the backup ${shown}`);
    const facts = factsIn(backup);
    if (facts === undefined) throw noBackup(shown);
    const paths = backup.prepare('SELECT path FROM backup_files ORDER BY path').all();
    const file = backup.prepare('SELECT path, mode, bytes FROM backup_files WHERE path = ?');
    for (const { path: name } of paths) {
      const row = file.get(String(name));
      const bytes = row?.['bytes'];
      if (!(bytes instanceof Uint8Array)) throw damaged(shown, `it lacks ${String(name)}`);
      take({ path: String(name), mode: Number(row?.['mode']), bytes });
    }
    backup.exec('DROP TABLE backup; DROP TABLE backup_files');
    return facts;
  } catch (error) {
    if (error instanceof BridgeError) throw error;
    if (isCorrupt(error)) throw damaged(shown, errorText(error));
    throw openError("can't read the backup", shown, error);
  } finally {
    backup?.close();
  }
}

function factsIn(backup: Connection): BackupFacts | undefined {
  const tables = backup.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'backup'").get();
  const row = tables && backup.prepare('SELECT facts FROM backup').get();
  return row && (JSON.parse(String(row['facts'])) as BackupFacts);
}

function refuseNewer(connection: Connection, what: string): void {
  const version = Number(connection.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (version <= MIGRATIONS.length) return;
  throw new BridgeError(
    'state_newer',
    `${what} was written by a newer lark-bridge (schema ${version}, this one knows ${MIGRATIONS.length})`,
    { next: 'Install that newer version, and try again.' },
  );
}

function mustBeWhole(connection: Connection, path: string): void {
  const found = connection.prepare('PRAGMA integrity_check(1)').get() ?? {};
  const verdict = String(Object.values(found)[0]);
  if (verdict !== 'ok') throw damaged(path, verdict);
}

function damaged(path: string, detail: string): BridgeError {
  return new BridgeError('failed', `the backup ${path} is damaged: ${detail}`, {
    next: 'Use another backup. Nothing was changed.',
  });
}

function noBackup(path: string): BridgeError {
  return new BridgeError('usage', `${path} is no backup of lark-bridge`, {
    next: 'Name a file that `lark-bridge backup` made.',
  });
}
