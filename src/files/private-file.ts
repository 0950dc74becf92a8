/** Writes files that no other user may read or lead elsewhere. */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isSystemError } from '../core/errors.ts';
import { ownUser } from './rights.ts';

/** The name of a file that is being written: the name that it will get, and what can't be guessed. */
const TEMPORARY_NAME = /^(.+)\.[0-9a-f]{16}\.new$/;
/** A write takes far less. Whatever is older was left by a process that was killed. */
const UNFINISHED_AFTER_MS = 60_000;

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

interface UnfinishedOptions {
  /** The files that are written this way there. */
  readonly names: ReadonlySet<string>;
  readonly nowMs: number;
}

/**
 * Removes what processes that were killed left unfinished in a folder, because it may hold a secret, and returns
 * the names. Only files of our own form and of this user: whatever else has such a name is not ours.
 */
export function removeUnfinished(folder: string, { names, nowMs }: UnfinishedOptions): string[] {
  const unfinished = readdirSync(folder).filter((name) => {
    const [, finished = ''] = TEMPORARY_NAME.exec(name) ?? [];
    return names.has(finished);
  });
  return unfinished.filter((name) => removeIfLeft(join(folder, name), nowMs)).toSorted();
}

function removeIfLeft(path: string, nowMs: number): boolean {
  try {
    const stat = lstatSync(path);
    const isOwn = stat.uid === (ownUser() ?? stat.uid);
    if (!stat.isFile() || !isOwn || nowMs - stat.mtimeMs < UNFINISHED_AFTER_MS) return false;
    unlinkSync(path);
    return true;
  } catch (error) {
    // Another process has finished it, or the disk is read-only. It does no harm where it is.
    if (!isSystemError(error)) throw error;
    return false;
  }
}
