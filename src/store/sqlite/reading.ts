/** Opens the database's file so that nothing of it changes: not the schema, not the write-ahead log. */
import { existsSync } from 'node:fs';
import { connect, type Connection } from './driver.ts';

/** Without a write-ahead log nobody writes. Then SQLite can be told not to create one for reading. */
export function openReadOnly(path: string): Connection {
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
