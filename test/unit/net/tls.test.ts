import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { tlsTrouble } from '../../../src/net/tls.ts';
import { createCertificate } from '../../kit/certificate.ts';

const NOW_MS = Date.now();
const pair = createCertificate('a.example');
const other = createCertificate('b.example');
const locked = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
  cipher: 'aes-256-cbc',
  passphrase: 'x',
});

describe('F26: a certificate and its key are judged before anybody listens with them', () => {
  test('a pair that fits is fine', () => {
    expect(tlsTrouble(pair, NOW_MS)).toBeUndefined();
  });

  test.each([
    ['the key of another certificate', { ...pair, keyPem: other.keyPem }, 'key', /another/],
    ['an empty key file', { ...pair, keyPem: '' }, 'key', /no key/],
    ['a certificate in the place of the key', { ...pair, keyPem: pair.certPem }, 'key', /no key/],
    ['a key with a password', { ...pair, keyPem: String(locked) }, 'key', /password/],
    ['an empty certificate file', { ...pair, certPem: '' }, 'certificate', /no certificate/],
    ['a key for a certificate', { ...pair, certPem: pair.keyPem }, 'certificate', /no certificate/],
    ['garbage', { certPem: '\u0000', keyPem: '\u0000' }, 'certificate', /no certificate/],
  ] as const)('%s can not be used', (_name, files, part, what) => {
    const trouble = tlsTrouble(files, NOW_MS);
    expect(trouble).toMatchObject({ kind: 'unusable', part });
    expect(trouble?.what.en).toMatch(what);
  });

  test.each([
    [-3, /expired/],
    [3, /not valid before/],
  ])('a certificate of other days (%i) is used, and told', (shift, what) => {
    const trouble = tlsTrouble(createCertificate('a.example', shift), NOW_MS);
    expect(trouble).toMatchObject({ kind: 'refused', part: 'certificate' });
    expect(trouble?.what.en).toMatch(what);
  });
});
