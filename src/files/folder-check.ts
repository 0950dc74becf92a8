/** Where agents may work. What counts is where a path leads, not how it is written. */
import { realpathSync, statSync } from 'node:fs';
import { isAbsolute, sep } from 'node:path';
import { isSystemError } from '../core/errors.ts';

type FoundFolder =
  | { readonly ok: true; readonly path: string }
  | { readonly ok: false; readonly why: 'relative' | 'missing' | 'not_a_folder' };

export type AllowedFolder =
  | { readonly ok: true; readonly path: string }
  | { readonly ok: false; readonly why: 'relative' | 'missing' | 'not_a_folder' | 'outside' };

/** The folder that an absolute path leads to, without symbolic links and `..`. */
export function findFolder(path: string): FoundFolder {
  if (!isAbsolute(path)) return { ok: false, why: 'relative' };
  try {
    const found = realpathSync(path);
    return statSync(found).isDirectory()
      ? { ok: true, path: found }
      : { ok: false, why: 'not_a_folder' };
  } catch (error) {
    // It may also be out of reach, or no path at all, such as one with a NUL character.
    if (!isSystemError(error) && !isBadPath(error)) throw error;
    return { ok: false, why: 'missing' };
  }
}

/** The folder that a path leads to, if that is one of the roots or below one. */
export function findAllowedFolder(path: string, roots: readonly string[]): AllowedFolder {
  const found = findFolder(path);
  if (!found.ok) return found;
  const isInside = roots.some((root) => {
    // A root that has become a link since it was added leads where nobody allowed it to.
    return found.path === root || found.path.startsWith(root.endsWith(sep) ? root : root + sep);
  });
  return isInside ? found : { ok: false, why: 'outside' };
}

function isBadPath(error: unknown): boolean {
  return error instanceof TypeError && 'code' in error && error.code === 'ERR_INVALID_ARG_VALUE';
}
