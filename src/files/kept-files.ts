/** Files that are to be sent, copied so that they stay as they are until they are sent. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AnswerFile } from '../core/content.ts';
import { KIND_BYTES, kindOf } from './file-kind.ts';

const IMAGE_BYTES_MAX = 10 * 1024 * 1024;

interface GivenFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** By which its text may name it. */
  readonly from: string;
}

/** The files as they will lie in the folder. */
export function plannedFiles(given: readonly GivenFile[], folder: string): AnswerFile[] {
  return given.map(({ name, bytes, from }, at) => {
    const kind = kindOf(bytes.subarray(0, KIND_BYTES));
    const isLarge = kind === 'image' && bytes.length > IMAGE_BYTES_MAX;
    return { kind: isLarge ? 'file' : kind, name, path: join(folder, String(at + 1)), from };
  });
}

export function keepFiles(given: readonly GivenFile[], folder: string): void {
  if (given.length === 0) return;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const [at, { bytes }] of given.entries()) {
    writeFileSync(join(folder, String(at + 1)), bytes, { flag: 'wx', mode: 0o600 });
  }
}

export function forgetFiles(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
