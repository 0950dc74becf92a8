import { readFileSync } from 'node:fs';
import { BridgeError, errorText } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';
import { writePrivateFile } from './private-file.ts';

/** The secret in this file; the first time, what `generate` makes, kept there for its owner's eyes only. */
export function keptSecret(path: string, generate: () => Secret): Secret {
  try {
    const kept = readFileSync(path, 'utf8').trim();
    if (kept !== '') return new Secret(kept);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unusable(path, error);
  }
  const secret = generate();
  try {
    writePrivateFile(path, `${secret.reveal()}\n`);
  } catch (error) {
    throw unusable(path, error);
  }
  return secret;
}

function unusable(path: string, cause: unknown): BridgeError {
  return new BridgeError('config_invalid', `can't use ${path}: ${errorText(cause)}`, {
    next: 'Check the rights of the state directory.',
    cause,
  });
}
