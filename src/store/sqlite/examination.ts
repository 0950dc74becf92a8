/** Checks the database's file without any change: not to its schema, its write-ahead log or its place. */
import { existsSync, statSync } from 'node:fs';
import type { DatabaseFact } from '../facts.ts';
import { BridgeError, errorText } from '../../core/errors.ts';
import type { Connection } from './driver.ts';
import { MIGRATIONS } from './migrations.ts';
import { checkLog } from './log-check.ts';
import { openReadOnly } from './reading.ts';
import { mustBeComplete } from './schema-check.ts';
import { isCorrupt } from './sqlite-errors.ts';

/** Works while a daemon writes. Reads the whole file. */
export function examineDatabase(path: string): DatabaseFact {
  if (!existsSync(path)) return { kind: 'none' };
  let connection: Connection | undefined;
  try {
    const ofLog = checkLog(path);
    if (ofLog !== undefined) return { kind: 'log_damaged', detail: ofLog.what };
    connection = openReadOnly(path);
    const { user_version: version } = connection.prepare('PRAGMA user_version').get() ?? {};
    const found = connection.prepare('PRAGMA quick_check(1)').get() ?? {};
    const verdict = String(Object.values(found)[0]);
    if (verdict !== 'ok') return { kind: 'corrupt', detail: verdict };
    if (Number(version) === MIGRATIONS.length) mustBeComplete(connection, path);
    return {
      kind: 'sound',
      version: Number(version),
      wanted: MIGRATIONS.length,
      bytes: bytesOf(path),
      walBytes: bytesOf(`${path}-wal`),
    };
  } catch (error) {
    if (error instanceof BridgeError) return { kind: 'incomplete', detail: error.message };
    return { kind: isCorrupt(error) ? 'corrupt' : 'unreadable', detail: errorText(error) };
  } finally {
    connection?.close();
  }
}

function bytesOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
