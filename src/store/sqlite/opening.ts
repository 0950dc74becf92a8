/**
 * Opens the database's file: its settings, its schema, and whether this version of the program may use it.
 */
import { chmodSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { BridgeError } from '../../core/errors.ts';
import { folderRefusal, secretTrouble } from '../../files/rights.ts';
import { connect, type Connection } from './driver.ts';
import { MIGRATIONS } from './migrations.ts';
import { mustBeComplete } from './schema-check.ts';

/** Another process may be opening or closing it. Nothing else can run here before it is open. */
const OPEN_BUSY_TIMEOUT_MS = 5_000;

/** Creates the file if there is none, and updates its schema. */
export function openMigrated(path: string): Connection {
  const connection = connect(path);
  try {
    connection.exec(`PRAGMA busy_timeout = ${OPEN_BUSY_TIMEOUT_MS}`);
    connection.exec('PRAGMA journal_mode = WAL');
    // Checkpoints sync what they need. The program itself syncs the log after each commit.
    connection.exec('PRAGMA synchronous = NORMAL');
    connection.exec('PRAGMA foreign_keys = ON');
    connection.exec('PRAGMA wal_autocheckpoint = 4000');
    chmodSync(path, 0o600);
    migrate(connection, path);
    mustBeComplete(connection, path);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Only for reading. Throws `store_unavailable` for the schema of an older version. */
export function openAsItIs(path: string): Connection {
  const connection = connect(path);
  try {
    connection.exec(`PRAGMA busy_timeout = ${OPEN_BUSY_TIMEOUT_MS}`);
    // A file that was restored from a backup has no log yet. For all others this changes nothing.
    connection.exec('PRAGMA journal_mode = WAL');
    connection.exec('PRAGMA synchronous = NORMAL');
    const version = versionOf(connection, path);
    if (version < MIGRATIONS.length) {
      throw new BridgeError(
        'store_unavailable',
        `the database ${path} was written by an older lark-bridge (schema ${version}, this one needs ${MIGRATIONS.length})`,
        { next: 'Start the daemon of this version once. It updates the database.' },
      );
    }
    mustBeComplete(connection, path);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function migrate(connection: Connection, path: string): void {
  connection.exec('BEGIN IMMEDIATE');
  try {
    const version = versionOf(connection, path);
    for (const sql of MIGRATIONS.slice(version)) connection.exec(sql);
    connection.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
    connection.exec('COMMIT');
  } catch (error) {
    rollback(connection);
    throw error;
  }
}

/** Throws `state_newer` for a schema that this program does not know. */
function versionOf(connection: Connection, path: string): number {
  const version = Number(connection.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (version > MIGRATIONS.length) {
    throw new BridgeError(
      'state_newer',
      `the database ${path} was written by a newer lark-bridge (schema ${version}, this one knows ${MIGRATIONS.length})`,
      { next: 'Install that newer version, or choose another --state-dir.' },
    );
  }
  return version;
}

export function rollback(connection: Connection): void {
  try {
    connection.exec('ROLLBACK');
  } catch {
    // SQLite has rolled back by itself already, as it does when the disk is full. The first error is the
    // important one.
  }
}

/** SQLite would follow a link that somebody else put there, and believe what that file holds. */
export function refuseForeign(path: string): void {
  const folder = dirname(path);
  const folderStat = statSync(folder);
  const name = 'the folder of the database';
  const refusal = folderRefusal(folder, folderStat, { name, rootMayLook: true });
  if (refusal !== undefined) throw refusal;
  const stat = statSync(path, { throwIfNoEntry: false });
  const trouble = stat && secretTrouble(path, stat, folderStat.uid);
  if (trouble?.kind !== 'foreign') return;
  throw new BridgeError('config_invalid', `can't use the database ${path}: ${trouble.what}`, {
    next: trouble.next,
  });
}
