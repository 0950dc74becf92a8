/** The files of answers on the disk, each answer in a folder of its own. */
import { lstatSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isSystemError } from '../core/errors.ts';

/** Folders of runs that have not ended are not here for long, and an agent may still write into them. */
const OF_RUN = /^run-/;

export class AnswerFilesOnDisk {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = resolve(folder);
  }

  /** Removes a file that is not needed any more, and its folder with the last one. */
  remove(path: string): void {
    const folder = dirname(resolve(path));
    // A row could name any file: only those in here are ours.
    if (dirname(folder) !== this.#folder) return;
    quietly(() => rmSync(path, { force: true }));
    quietly(() => rmdirSync(folder));
  }

  /** Removes the folders from before this time. */
  removeBefore(beforeMs: number): void {
    quietly(() => {
      for (const name of readdirSync(this.#folder)) {
        const path = join(this.#folder, name);
        if (OF_RUN.test(name) || lstatSync(path).mtimeMs >= beforeMs) continue;
        rmSync(path, { recursive: true, force: true });
      }
    });
  }
}

/** What can't be removed now is removed later, or is gone. */
function quietly(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}
