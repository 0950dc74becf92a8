import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext, type ConnectionOptions } from 'node:tls';
import { errorText } from '../core/errors.ts';
import type { Text } from '../core/language.ts';

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
  readonly what: Text;
}

export interface TlsPair {
  readonly certPem: string;
  readonly keyPem: string;
}

/** Why a server can't use a certificate and its key. A server listens with most wrong pairs, and then fails. */
export function tlsTrouble({ certPem, keyPem }: TlsPair, nowMs: number): TlsTrouble | undefined {
  const certificate = triedTo(() => new X509Certificate(certPem));
  if ('failure' in certificate) return unusable('certificate', NO_CERTIFICATE);
  const key = triedTo(() => createPrivateKey(keyPem));
  if ('failure' in key) {
    const isLocked = /ENCRYPTED/.test(keyPem);
    return unusable('key', isLocked ? LOCKED_KEY : NO_KEY);
  }
  if (!certificate.value.checkPrivateKey(key.value)) {
    return unusable('key', OTHER_KEY);
  }
  // What OpenSSL itself refuses, such as a key that is too short.
  const context = triedTo(() => createSecureContext({ cert: certPem, key: keyPem }));
  if ('failure' in context) return unusable('certificate', notUsable(context.failure));
  const { validFrom, validTo } = certificate.value;
  if (nowMs > Date.parse(validTo)) {
    return refused({ en: `has expired on ${validTo}`, zh: `已于 ${chineseDate(validTo)}过期` });
  }
  if (nowMs < Date.parse(validFrom)) {
    const from = chineseDate(validFrom);
    return refused({ en: `is not valid before ${validFrom}`, zh: `从 ${from}起才有效` });
  }
  return undefined;
}

const NO_CERTIFICATE: Text = { en: 'holds no certificate (PEM)', zh: '其中没有证书（PEM）' };
const NO_KEY: Text = { en: 'holds no key (PEM)', zh: '其中没有密钥（PEM）' };
const OTHER_KEY: Text = {
  en: 'holds the key of another certificate',
  zh: '其中是另一个证书的密钥',
};
const LOCKED_KEY: Text = {
  en: 'holds a key with a password, which nobody can type',
  zh: '其中的密钥有密码，没有人能输入',
};

function notUsable(failure: string): Text {
  return { en: `can't be used (${failure})`, zh: `无法使用（${failure}）` };
}

function chineseDate(date: string): string {
  const format = new Intl.DateTimeFormat('zh-CN', { dateStyle: 'long', timeZone: 'UTC' });
  return format.format(Date.parse(date));
}

function unusable(part: TlsTrouble['part'], what: Text): TlsTrouble {
  return { kind: 'unusable', part, what };
}

function refused(what: Text): TlsTrouble {
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
