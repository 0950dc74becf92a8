/** Checks the database's file without any change: not to its schema, its write-ahead log or its place. */
import { existsSync, statSync } from 'node:fs';
import type { DatabaseFact } from '../facts.ts';
import { BridgeError, errorText } from '../../core/errors.ts';
import { connect, type Connection } from './driver.ts';
import { MIGRATIONS } from './migrations.ts';
import { checkLog } from './log-check.ts';
import { mustBeComplete } from './schema-check.ts';
import { isCorrupt } from './sqlite-errors.ts';

/** Works while a daemon writes. Reads the whole file. */
export function examineDatabase(path: string): DatabaseFact {
  if (!existsSync(path)) return { kind: 'none' };
  let connection: Connection | undefined;
  try {
    const ofLog = checkLog(path);
    if (ofLog !== undefined) return { kind: 'log_damaged', detail: ofLog.what };
    connection = openToCheck(path);
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

/** Without a write-ahead log nobody writes. Then SQLite can be told not to create one for reading. */
function openToCheck(path: string): Connection {
  if (!existsSync(`${path}-wal`)) {
    const escaped = encodeURI(path).replaceAll('?', '%3F').replaceAll('#', '%23');
    try {
      return connect(`file:${escaped}?immutable=1`, { readOnly: true });
    } catch {
      // Early releases of Node's driver do not accept a URL. Any other error shows up below.
    }
  }
  return connect(path, { readOnly: true });
}

function bytesOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
