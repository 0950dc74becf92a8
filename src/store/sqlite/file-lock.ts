import { chmodSync, closeSync, lstatSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { BridgeError, errorText, isSystemError } from '../../core/errors.ts';
import { ownUser, quoted } from '../../files/rights.ts';
import { type Connection, connect } from './driver.ts';
import { openError } from './sqlite-errors.ts';

/** Keeps the connections alive: a connection that is garbage collected loses its lock. */
const held = new Set<Connection>();

/**
 * Takes the lock of a file for this process. Returns a function that releases it, or undefined if another
 * process has it. It is SQLite's own lock on the file, to which nothing is written. The kernel releases the
 * lock when the process ends, however it ends.
 */
export function tryFileLock(path: string): (() => void) | undefined {
  let connection: Connection | undefined;
  try {
    makeOwnFile(path);
    connection = connect(path);
    connection.exec('PRAGMA busy_timeout = 0');
    connection.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    connection?.close();
    if (error instanceof BridgeError) throw error;
    if (/database is locked/.test(errorText(error))) return undefined;
    throw openError("can't lock", path, error);
  }
  const taken = connection;
  held.add(taken);
  return () => {
    if (held.delete(taken)) taken.close();
  };
}

/**
 * SQLite would follow a link and make the file readable for others. An existing file is never opened here:
 * closing it would release a lock that this process holds on it.
 */
function makeOwnFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (!isSystemError(error) || error.code !== 'EEXIST') throw error;
  }
  const stat = lstatSync(path);
  // Root may look at the lock of another user, in the folder of that user.
  const isForeign =
    stat.uid !== (ownUser() ?? stat.uid) && stat.uid !== statSync(dirname(path)).uid;
  if (stat.isSymbolicLink() || isForeign) {
    const what = stat.isSymbolicLink() ? 'it is a link' : `it belongs to user ${stat.uid}`;
    throw new BridgeError('config_invalid', `can't lock ${path}: ${what}`, {
      next: `Remove it while no lark-bridge runs: rm ${quoted(path)}`,
    });
  }
  if (stat.isFile() && (stat.mode & 0o077) !== 0) chmodSync(path, 0o600);
}
