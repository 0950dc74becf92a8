/** A folder of its own for a test, gone with it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

function createFolder(): string {
  return mkdtempSync(join(tmpdir(), 'lark-bridge-test-'));
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** To be called in a test; the folder is removed when it has finished. */
export function temporaryFolder(): string {
  const folder = createFolder();
  onTestFinished(() => remove(folder));
  return folder;
}
