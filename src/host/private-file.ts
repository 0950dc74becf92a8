import { renameSync, writeFileSync } from 'node:fs';

/** A file for its owner's eyes only. Written beside it and moved, so that no other process ever reads half of it. */
export function writePrivateFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
