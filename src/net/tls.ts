import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext, type ConnectionOptions } from 'node:tls';
import { errorText } from '../core/errors.ts';

/** Trusts only this certificate, for a server of our own on this machine. The name in it is not checked. */
export function trustOnly(
  certificatePem: string,
): Pick<ConnectionOptions, 'ca' | 'checkServerIdentity'> {
  return { ca: certificatePem, checkServerIdentity: () => undefined };
}

/**
 * `unusable`: a server with this pair answers nobody. `refused`: it works, but clients that check the
 * certificate refuse it. `part`: which of the two files is at fault. `what` completes a sentence about it.
 */
interface TlsTrouble {
  readonly kind: 'unusable' | 'refused';
  readonly part: 'certificate' | 'key';
  readonly what: string;
}

export interface TlsPair {
  readonly certPem: string;
  readonly keyPem: string;
}

/** Why a server can't use a certificate and its key. A server listens with most wrong pairs, and then fails. */
export function tlsTrouble({ certPem, keyPem }: TlsPair, nowMs: number): TlsTrouble | undefined {
  const certificate = triedTo(() => new X509Certificate(certPem));
  if ('failure' in certificate) return unusable('certificate', 'holds no certificate (PEM)');
  const key = triedTo(() => createPrivateKey(keyPem));
  if ('failure' in key) {
    const isLocked = /ENCRYPTED/.test(keyPem);
    return unusable(
      'key',
      isLocked ? 'holds a key with a password, which nobody can type' : 'holds no key (PEM)',
    );
  }
  if (!certificate.value.checkPrivateKey(key.value)) {
    return unusable('key', 'holds the key of another certificate');
  }
  // What OpenSSL itself refuses, such as a key that is too short.
  const context = triedTo(() => createSecureContext({ cert: certPem, key: keyPem }));
  if ('failure' in context) return unusable('certificate', `can't be used (${context.failure})`);
  const { validFrom, validTo } = certificate.value;
  if (nowMs > Date.parse(validTo)) return refused(`has expired on ${validTo}`);
  if (nowMs < Date.parse(validFrom)) return refused(`is not valid before ${validFrom}`);
  return undefined;
}

function unusable(part: TlsTrouble['part'], what: string): TlsTrouble {
  return { kind: 'unusable', part, what };
}

function refused(what: string): TlsTrouble {
  return { kind: 'refused', part: 'certificate', what };
}

/** OpenSSL has no common code for its errors, so every one counts. */
function triedTo<T>(work: () => T): { readonly value: T } | { readonly failure: string } {
  try {
    return { value: work() };
  } catch (error) {
    return { failure: errorText(error) };
  }
}
