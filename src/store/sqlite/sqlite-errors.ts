/** What SQLite's errors mean for the program. */
import { BridgeError, errorText } from '../../core/errors.ts';

/** SQLite's primary result codes (https://sqlite.org/rescode.html). */
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
/**
 * Problems of the disk and of other processes, which pass: locked, out of memory, read-only, I/O, full, can't
 * open.
 */
const PASSING = new Set([SQLITE_BUSY, 6, 7, 8, 10, SQLITE_CORRUPT, 13, 14]);

export function isCorrupt(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

/** An error of SQLite, or what `asStoreError` made of it. */
export function isLocked(error: unknown): boolean {
  return sqliteCode(error instanceof BridgeError ? error.cause : error) === SQLITE_BUSY;
}

function sqliteCode(error: unknown): number | undefined {
  const { errcode } = error as { errcode?: unknown };
  // The low byte is the primary code. The rest is more detail.
  return typeof errcode === 'number' ? errcode & 0xff : undefined;
}

/** The error as the program names it. A bug stays unchanged. */
export function asStoreError(error: unknown): unknown {
  // A broken constraint or a wrong type is a bug. It must not look like a problem that passes.
  if (!PASSING.has(sqliteCode(error) ?? 0)) return error;
  return new BridgeError('store_unavailable', `the database refused a write: ${errorText(error)}`, {
    next: 'Check the free space and the rights of the state directory.',
    cause: error,
  });
}
