import { accessSync, constants, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { isSystemError } from '../../core/errors.ts';
import { failureSentence } from '../../wire/failure-sentences.ts';

/** Why an agent can't work in a folder. The system names a folder that is not there like a program that is not. */
export function folderTroubleOf(folder: string): string | undefined {
  if (!isAbsolute(folder)) return failureSentence('folder_not_absolute', folder);
  try {
    if (!statSync(folder).isDirectory()) return failureSentence('folder_not_usable', folder);
    accessSync(folder, constants.R_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const isMissing = error.code === 'ENOENT' || error.code === 'ENOTDIR';
    return failureSentence(isMissing ? 'folder_missing' : 'folder_not_usable', folder);
  }
}
