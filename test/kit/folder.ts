/** A folder of its own for a test, gone with it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';

const PREFIX = 'lark-bridge-test-';

function createFolder(prefix: string): string {
  return mkdtempSync(join(tmpdir(), prefix));
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** To be called in a test or before each; the folder is removed when the test has finished. */
export function temporaryFolder(prefix = PREFIX): string {
  const folder = createFolder(prefix);
  onTestFinished(() => remove(folder));
  return folder;
}

/** To be called outside of the tests of a file; the folder is removed after the last of them. */
export function temporaryFolderForFile(prefix = PREFIX): string {
  const folder = createFolder(prefix);
  afterAll(() => remove(folder));
  return folder;
}
