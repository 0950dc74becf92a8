import { BridgeError, errorText } from '../../core/errors.ts';
import { type Connection, connect } from './driver.ts';

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
    connection = connect(path);
    connection.exec('PRAGMA busy_timeout = 0');
    connection.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    connection?.close();
    if (/database is locked/.test(errorText(error))) return undefined;
    throw new BridgeError('store_unavailable', `can't lock ${path}: ${errorText(error)}`, {
      next: 'Check that its folder exists, is writable and has space left.',
      cause: error,
    });
  }
  const taken = connection;
  held.add(taken);
  return () => {
    if (held.delete(taken)) taken.close();
  };
}
