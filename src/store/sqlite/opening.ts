/** Opens the database's file: its settings, its schema, and whether this program may touch it at all. */
import { chmodSync } from 'node:fs';
import { BridgeError } from '../../core/errors.ts';
import { connect, type Connection } from './driver.ts';
import { MIGRATIONS } from './migrations.ts';

/** Another process may be opening or closing it; nothing else goes on here before it is open. */
const OPEN_BUSY_TIMEOUT_MS = 5_000;

/** Creates the file if there is none, and brings its schema up to date. */
export function openMigrated(path: string): Connection {
  const connection = connect(path);
  try {
    connection.exec(`PRAGMA busy_timeout = ${OPEN_BUSY_TIMEOUT_MS}`);
    connection.exec('PRAGMA journal_mode = WAL');
    // Its checkpoints sync what they must; the sync of the log after each commit is ours.
    connection.exec('PRAGMA synchronous = NORMAL');
    connection.exec('PRAGMA foreign_keys = ON');
    connection.exec('PRAGMA wal_autocheckpoint = 4000');
    chmodSync(path, 0o600);
    migrate(connection, path);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** For a look only. Throws `store_unavailable` for the schema of an older version. */
export function openAsItIs(path: string): Connection {
  const connection = connect(path);
  try {
    connection.exec(`PRAGMA busy_timeout = ${OPEN_BUSY_TIMEOUT_MS}`);
    connection.exec('PRAGMA synchronous = NORMAL');
    const version = versionOf(connection, path);
    if (version < MIGRATIONS.length) {
      throw new BridgeError(
        'store_unavailable',
        `the database ${path} is of an older lark-bridge (schema ${version}, this one wants ${MIGRATIONS.length})`,
        { next: 'Start the daemon of this version once: it brings the database up to date.' },
      );
    }
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
    // SQLite has already rolled back by itself (a full disk does that); the first error is the one to see.
  }
}
