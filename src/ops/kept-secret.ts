import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { BridgeError, errorText } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';

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
    // Written beside it and moved, so that no other process ever reads half of it.
    writeFileSync(`${path}.new`, `${secret.reveal()}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
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
