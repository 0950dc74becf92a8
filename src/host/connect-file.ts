/** How far a `connect` has come that has not ended, so that the next one goes on from there. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { isSystemError } from '../core/errors.ts';
import type { Json } from '../core/json-object.ts';
import { writePrivateFile } from '../files/private-file.ts';
import { readRecord } from './secret-files.ts';

export function connectFile(stateDir: string) {
  const path = join(stateDir, 'connect.json');
  return {
    /** Without fields if there is no such file. */
    load: (): Json => readRecord(path),

    /** A full disk is not an error here: without the file the next `connect` begins anew. */
    save: (record: Json) =>
      touch(() => writePrivateFile(path, `${JSON.stringify(record, undefined, 2)}\n`)),

    remove: () => touch(() => rmSync(path, { force: true })),
  };
}

function touch(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}
