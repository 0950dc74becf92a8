/** The files of answers on the disk, each answer in a folder of its own. */
import { randomUUID } from 'node:crypto';
import { lstatSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { AnswerFile } from '../core/content.ts';
import { BridgeError, isSystemError } from '../core/errors.ts';
import { forgetFiles, keepFiles, plannedFiles } from './kept-files.ts';
import { inWords } from './system-errors.ts';

/** Folders of runs that have not ended are not here for long, and an agent may still write into them. */
const OF_RUN = /^run-/;

export class AnswerFilesOnDisk {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = resolve(folder);
  }

  /** Keeps a file until it is sent. Throws a `BridgeError` if the disk does not take it. */
  keep({ name, bytes }: { readonly name: string; readonly bytes: Uint8Array }): AnswerFile {
    const folder = join(this.#folder, `tool-${randomUUID()}`);
    const given = [{ name, bytes, from: join(folder, name) }];
    const [file] = plannedFiles(given, folder);
    if (file === undefined) throw new Error('a file was given, and none is planned');
    try {
      keepFiles(given, folder);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      quietly(() => forgetFiles(folder));
      const { message } = inWords(error) ?? error;
      throw new BridgeError('store_unavailable', `the file could not be kept: ${message}`, {
        cause: error,
      });
    }
    return file;
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
