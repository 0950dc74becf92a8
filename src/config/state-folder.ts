/** The folder of all state: made, and not taken from another user. */
import { statSync, mkdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { BridgeError, isSystemError } from '../core/errors.ts';
import { CONFIG_FILE } from './sources.ts';
import { folderRefusal } from '../files/rights.ts';

export function makeStateDir(stateDir: string): void {
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unusable(configPath(stateDir), error);
  }
  refuseForeign(stateDir, { rootMayLook: false });
}

/** Nothing of a folder that others could have filled is read or written. */
export function refuseForeign(stateDir: string, role: { readonly rootMayLook: boolean }): void {
  const stat = folderStat(stateDir);
  const refusal = stat && folderRefusal(stateDir, stat, { name: 'the state directory', ...role });
  if (refusal !== undefined) throw refusal;
}

/** Undefined if there is no such folder. Whoever uses it says why. */
function folderStat(path: string): Stats | undefined {
  try {
    const stat = statSync(path);
    return stat.isDirectory() ? stat : undefined;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return undefined;
  }
}

/** Returns any other error as it is: it is a bug. */
export function unusable(path: string, error: unknown): unknown {
  if (error instanceof SyntaxError) {
    return new BridgeError('config_invalid', `can't use ${path}: ${error.message}`, {
      next: 'Correct the file at that place. The file was not changed.',
      cause: error,
    });
  }
  if (!isSystemError(error)) return error;
  return new BridgeError('config_invalid', `can't use ${path}: ${error.message}`, {
    next: 'Check that the folder and the file belong to you and can be read and written.',
    cause: error,
  });
}

export function configPath(stateDir: string): string {
  return join(stateDir, CONFIG_FILE);
}
