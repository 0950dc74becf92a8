/** The Chromium of this machine, such as Debian's. Tests that need one are skipped where there is none. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** Undefined: there is none on the PATH. */
export const CHROMIUM = (process.env['PATH'] ?? '')
  .split(delimiter)
  .flatMap((folder) => NAMES.map((name) => join(folder, name)))
  .find(isProgram);

export function launchBrowser(): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error('there is no Chromium on the PATH');
  return chromium.launch({
    executablePath: CHROMIUM,
    // Root can't use its sandbox, and the pages of the tests are ours.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
