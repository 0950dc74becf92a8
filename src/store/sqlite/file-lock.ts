import { BridgeError, errorText } from '../../core/errors.ts';
import { type Connection, connect } from './driver.ts';

/** Keeps the connections alive: one that is garbage collected is closed, and its lock with it. */
const held = new Set<Connection>();

/**
 * Takes the lock of a file for this process and gives back how to release it, or undefined if another
 * has it. It is SQLite's own lock on the file (nothing is written to it), which the kernel takes back
 * when the process ends, however it ends.
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
