/** The text of config.json: read, and changed without a loss of its comments. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { BridgeError } from '../core/errors.ts';
import { parseCommented, withField } from '../files/commented-json.ts';
import { writePrivateFile } from '../files/private-file.ts';
import { secretTrouble } from '../files/rights.ts';
import { configPath, unusable } from './state-folder.ts';
import type { Stored } from './sources.ts';

/** Only reads: neither the folder nor the file is created, changed or moved. `text`: in the place of the file. */
export function readConfigFile(stateDir: string, text = configText(stateDir)): Stored {
  if (text === undefined) return {};
  try {
    return parseCommented(text);
  } catch (error) {
    throw unusable(configPath(stateDir), error);
  }
}

/** Undefined if there is no such file, as most people have none. */
export function configText(stateDir: string): string | undefined {
  const path = configPath(stateDir);
  if (!existsSync(path)) return undefined;
  try {
    const trouble = secretTrouble(path, statSync(path), statSync(stateDir).uid);
    if (trouble?.kind === 'foreign') {
      throw new BridgeError('config_invalid', `can't use ${path}: ${trouble.what}`, {
        next: trouble.next,
      });
    }
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw unusable(path, error);
  }
}

/** Sets one value, or removes it. Comments and all other values stay as they are. */
export function saveField(stateDir: string, key: string, value: string | number | undefined): void {
  const text = configText(stateDir) ?? '{\n}\n';
  // A text with a mistake is refused before it is changed.
  readConfigFile(stateDir, text);
  saveConfigText(stateDir, withField(text, key, value));
}

export function saveConfigText(stateDir: string, text: string): void {
  const path = configPath(stateDir);
  try {
    writePrivateFile(path, text);
  } catch (error) {
    throw unusable(path, error);
  }
}
