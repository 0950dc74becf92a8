import { closeSync, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';

interface OpenedFile {
  readonly stat: Stats;
  readonly read: () => string;
}

/**
 * Opens a file, and closes it again after `use`. Whoever judges its rights judges what is then read: nobody can put
 * another file in its place in between. Throws the errors of the system.
 */
export function withOpened<T>(
  path: string,
  use: (file: OpenedFile) => T,
  flags: string | number = 'r',
): T {
  const file = openSync(path, flags);
  try {
    return use({ stat: fstatSync(file), read: () => readFileSync(file, 'utf8') });
  } finally {
    closeSync(file);
  }
}
