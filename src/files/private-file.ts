/** Writes files that no other user may read or lead elsewhere. */
import { randomBytes } from 'node:crypto';
import { closeSync, fchmodSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/**
 * Writes a new file and moves it into place, so that no other process reads half of it. Its temporary name can't
 * be guessed and must be new, and the move replaces a link. So nothing is written through a link of anybody.
 */
export function writePrivateFile(path: string, text: string | Uint8Array, mode = 0o600): void {
  const temporary = `${path}.${randomBytes(8).toString('hex')}.new`;
  // `x`: not a file that is there already, and not through a link.
  const file = openSync(temporary, 'wx', mode);
  try {
    try {
      // On the open file, because the mask of the process changes what `open` sets.
      fchmodSync(file, mode);
      writeFileSync(file, text);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
