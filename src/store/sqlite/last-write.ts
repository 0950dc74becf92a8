/**
 * What the database held for certain a few seconds ago, noted in a file beside it. A log that was deleted or cut,
 * and a database that was emptied or replaced by an older one, look sound to SQLite. This note tells.
 */
import { readFileSync } from 'node:fs';
import { isSystemError } from '../../core/errors.ts';
import { asObject } from '../../core/json-object.ts';
import { parseJsonObject } from '../../files/json-text.ts';
import { writePrivateFile } from '../../files/private-file.ts';
import type { Connection } from './driver.ts';
import { identityAt } from './place.ts';
import { saltsOf } from './write-ahead-log.ts';

interface LastWrite {
  /** When the row of the daemon was written that was then on the disk. */
  readonly atMs: number;
  /** Those of the log at that time. */
  readonly salts: string;
  /** The file of the database then. */
  readonly file: string;
}

function notePath(path: string): string {
  return `${path}.last`;
}

/** To be called when the row of this time is on the disk. */
export function noteLastWrite(path: string, atMs: number): void {
  try {
    const note = { alive_at_ms: atMs, salts: saltsOf(`${path}-wal`), file: identityAt(path) };
    writePrivateFile(notePath(path), `${JSON.stringify(note)}\n`);
  } catch (error) {
    // An older note tells less, but nothing wrong. The database itself says when the disk is full.
    if (!isSystemError(error)) throw error;
  }
}

/** What the database itself says about it. */
export function lastWriteIn(connection: Connection): number | undefined {
  const row = connection.prepare('SELECT alive_at_ms FROM daemon WHERE id = 1').get();
  return row === undefined ? undefined : Number(row['alive_at_ms']);
}

export function readLastWrite(path: string): LastWrite | undefined {
  try {
    const note = asObject(parseJsonObject(readFileSync(notePath(path), 'utf8')));
    const { alive_at_ms: atMs, salts, file } = note ?? {};
    if (typeof atMs !== 'number' || typeof salts !== 'string') return undefined;
    return { atMs, salts, file: typeof file === 'string' ? file : '' };
  } catch (error) {
    if (error instanceof SyntaxError || isSystemError(error)) return undefined;
    throw error;
  }
}
