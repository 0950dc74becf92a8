import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { type BridgeError, isSystemError } from '../core/errors.ts';
import { inWords } from '../files/system-errors.ts';

/** The reason why this process can't open another file, checked now. A limit of the process or of the machine. */
export function whyNoFileOpens(): BridgeError | undefined {
  try {
    closeSync(openSync(devNull, 'r'));
    return undefined;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return inWords(error);
  }
}
