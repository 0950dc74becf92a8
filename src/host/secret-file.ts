import { readFileSync, statSync } from 'node:fs';
import { errorText, isSystemError } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';
import type { Log } from '../core/log.ts';

export interface SecretFileOptions {
  readonly path: string;
  /** What it held at the start, judged. */
  readonly first: Secret;
  readonly log: Log;
}

/** The secret that a file holds at the moment of asking, so that it can be changed while the process runs. */
export function createSecretFile({ path, first, log }: SecretFileOptions): () => Secret {
  let secret = first;
  let stamp: string | undefined;
  let trouble: string | undefined;

  const unusable = (detail: string) => {
    // Said once; until it can be used again the last good one counts.
    if (detail !== trouble) {
      log.warn('secret_file_unusable', { path, detail, effect: 'the secret before it stays' });
    }
    trouble = detail;
  };

  return () => {
    try {
      const now = stampOf(path);
      if (now === stamp) return secret;
      const text = readFileSync(path, 'utf8').trim();
      stamp = now;
      if (!/^[\x21-\x7e]+$/.test(text)) unusable('it holds no secret');
      else {
        trouble = undefined;
        if (text !== secret.reveal()) log.info('secret_changed', { path });
        secret = new Secret(text);
      }
    } catch (error) {
      if (!isSystemError(error)) throw error;
      unusable(errorText(error));
    }
    return secret;
  };
}

function stampOf(path: string): string {
  const { ino, size, mtimeNs } = statSync(path, { bigint: true });
  return `${ino} ${size} ${mtimeNs}`;
}
