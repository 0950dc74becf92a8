/** Secrets that are kept in files. */
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BridgeError, errorText, isSystemError } from '../core/errors.ts';
import type { Json } from '../core/json-object.ts';
import type { Log } from '../core/log.ts';
import { parseJsonObject } from '../files/json-text.ts';
import { withOpened } from '../files/opened-file.ts';
import { namedSecretTrouble, type OpenSecret, secretTrouble } from '../files/rights.ts';
import { Secret } from '../core/secret.ts';
import { writePrivateFile } from '../files/private-file.ts';

/** What a private file holds. Throws `config_invalid` for the file of another user. */
export function readPrivateFile(path: string): string {
  return withOpened(path, ({ stat, read }) => {
    const trouble = secretTrouble(path, stat, statSync(dirname(path)).uid);
    if (trouble?.kind === 'foreign') {
      throw new BridgeError('config_invalid', `can't use ${path}: ${trouble.what}`, {
        next: trouble.next,
      });
    }
    return read();
  });
}

/** What a private file of JSON holds. A file that can't be read, or that another user made, counts as empty. */
export function readRecord(path: string): Json {
  try {
    return parseJsonObject(readPrivateFile(path));
  } catch (error) {
    if (error instanceof SyntaxError || isSystemError(error)) return {};
    if (error instanceof BridgeError) return {};
    throw error;
  }
}

/** From it the secrets of all webhooks are made. */
export const WEBHOOK_SECRET_FILE = 'webhook-secret';

const SECRET_FILES = [
  'credentials.json',
  'config.json',
  'connect.json',
  'provision-token',
  WEBHOOK_SECRET_FILE,
  'workspace-token.json',
];

/** One warning for each secret that other users may read: of a state directory, and of those `named` elsewhere. */
export function warnOfOpenSecrets(
  stateDir: string,
  log: Log,
  named: readonly OpenSecret[] = [],
): void {
  for (const one of named) log.warn('secret_file_open', { ...one });
  for (const path of SECRET_FILES.map((name) => join(stateDir, name))) {
    const stat = statSync(path, { throwIfNoEntry: false });
    const trouble = stat && secretTrouble(path, stat, statSync(stateDir).uid);
    if (trouble?.kind !== 'open') continue;
    log.warn('secret_file_open', { path, detail: trouble.what, next: trouble.next });
  }
}

/** The secret in this file. The first time it is made by `generate` and kept there. */
export function loadOrCreateSecret(path: string, generate: () => Secret): Secret {
  try {
    const kept = readPrivateFile(path).trim();
    if (kept !== '') return new Secret(kept);
  } catch (error) {
    if (error instanceof BridgeError) throw error;
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

interface SecretReaderOptions {
  readonly path: string;
  /** The secret that the file held at the start. */
  readonly first: Secret;
  readonly log: Log;
}

/** Gives the secret that the file holds now, so that it can be changed while the process runs. */
export function createSecretReader({ path, first, log }: SecretReaderOptions): () => Secret {
  let secret = first;
  let readStamp: string | undefined;
  let trouble: string | undefined;

  const keepOldSecret = (detail: string) => {
    // Each trouble is logged once.
    if (detail !== trouble) {
      log.warn('secret_file_not_used', { path, detail, effect: 'the secret before it stays' });
    }
    trouble = detail;
  };

  return () => {
    try {
      const stamp = stampOf(path);
      if (stamp === readStamp) return secret;
      const text = readNamed(path);
      readStamp = stamp;
      if (text === undefined) keepOldSecret('it belongs to another user');
      else if (!/^[\x21-\x7e]+$/.test(text)) keepOldSecret('it holds no secret');
      else {
        trouble = undefined;
        if (text !== secret.reveal()) log.info('secret_changed', { path });
        secret = new Secret(text);
      }
    } catch (error) {
      if (!isSystemError(error)) throw error;
      keepOldSecret(errorText(error));
    }
    return secret;
  };
}

/** Undefined for the file of another user than this one and root. */
function readNamed(path: string): string | undefined {
  return withOpened(path, ({ stat, read }) => {
    const trouble = namedSecretTrouble(path, stat, { handedOver: false });
    return trouble?.kind === 'foreign' ? undefined : read().trim();
  });
}

/** Differs whenever the file was written. */
function stampOf(path: string): string {
  const { ino, size, mtimeNs } = statSync(path, { bigint: true });
  return `${ino} ${size} ${mtimeNs}`;
}
