/** What SQLite's errors mean for the program. */
import { accessSync, closeSync, constants, existsSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { BridgeError, errorText } from '../../core/errors.ts';
import { quoted } from '../../files/rights.ts';
import { inWords } from '../../files/system-errors.ts';

/** SQLite's primary result codes (https://sqlite.org/rescode.html). */
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
/**
 * Problems of the disk and of other processes, which pass: locked, out of memory, read-only, I/O, full, can't
 * open.
 */
const PASSING = new Set([SQLITE_BUSY, 6, 7, 8, 10, 13, 14]);

export function isCorrupt(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

/** An error as SQLite throws it. */
export function corruptError(text: string): Error {
  return Object.assign(new Error(text), { errcode: SQLITE_CORRUPT });
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
  if (isCorrupt(error)) {
    return new BridgeError('store_unavailable', `the database is damaged: ${errorText(error)}`, {
      next: 'Check the disk. The next start looks at the whole database, and sets it aside if it is broken.',
      cause: error,
    });
  }
  if (!PASSING.has(sqliteCode(error) ?? 0)) return error;
  return new BridgeError('store_unavailable', `the database refused a write: ${errorText(error)}`, {
    next: 'Check the free space and the rights of the state directory.',
    cause: error,
  });
}

/** SQLite's code for what can't be done in this schema, such as a table that is not there. */
const SQLITE_ERROR = 1;

/** SQLite only says that it can't open a file. `doing` begins the sentence, as in `can't lock`. */
export function openError(doing: string, path: string, error: unknown): BridgeError {
  if (sqliteCode(error) === SQLITE_ERROR) {
    return new BridgeError('state_corrupt', `${doing} ${path}: ${errorText(error)}`, {
      next: `It was made or changed by another program. Put a backup back with \`lark-bridge restore FILE\`, or move it away: mv ${quoted(path)} ${quoted(`${path}.old`)}`,
      cause: error,
    });
  }
  const {
    code,
    message,
    next = '',
  } = reasonOf(path) ?? {
    code: 'store_unavailable' as const,
    message: errorText(error),
    next: 'Check that its folder exists, is writable and has space left.',
  };
  return new BridgeError(code, `${doing} ${path}: ${message}`, { next, cause: error });
}

/** What the system says of the file. It is not opened: closing it would release the locks of this process. */
function reasonOf(path: string): Pick<BridgeError, 'code' | 'message' | 'next'> | undefined {
  try {
    closeSync(openSync(dirname(path), 'r'));
    accessSync(dirname(path), constants.W_OK | constants.X_OK);
    if (!existsSync(path)) return undefined;
    accessSync(path, constants.R_OK | constants.W_OK);
    if (statSync(path).isFile()) return undefined;
    const next = `Check what it is, and move it away: mv ${quoted(path)} ${quoted(`${path}.old`)}`;
    return { code: 'store_unavailable', message: 'that is no file', next };
  } catch (error) {
    return inWords(error);
  }
}

export function syncFailed(error: Error): BridgeError {
  return new BridgeError(
    'store_unavailable',
    `the disk did not keep a write: ${errorText(error)}`,
    { next: 'Check the disk, then start again: nothing that was confirmed is lost.', cause: error },
  );
}
