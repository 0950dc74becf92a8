import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';
import {
  bitString,
  boolean,
  explicit,
  implicit,
  integer,
  objectId,
  octetString,
  sequence,
  set,
  time,
  utf8String,
} from './der.ts';

/** What a TLS server needs, and what its clients must trust. */
export interface ServerIdentity {
  /** PEM. It never leaves this process. */
  readonly key: string;
  /** PEM of the server's certificate, followed by the authority's. */
  readonly cert: string;
  /** PEM of the authority: what `NODE_EXTRA_CA_CERTS`, `SSL_CERT_FILE` and `REQUESTS_CA_BUNDLE` take. */
  readonly caPem: string;
}

const OID = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const;

const DAY_MS = 24 * 3_600_000;
/** Some clients refuse a server certificate that is valid for more than 398 days. */
const VALID_FOR_MS = 397 * DAY_MS;
/** The clocks of containers and virtual machines may be behind. */
const BACKDATED_MS = DAY_MS;

const ECDSA_SHA256 = sequence(objectId(OID.ecdsaWithSha256));
const AUTHORITY = nameOf("Simulator of Lark's cloud");

/**
 * A new authority, and a server certificate from it for these names and IP addresses. The key of
 * the authority is not kept: a client that trusts the authority trusts this server and no other.
 */
export function createServerIdentity(hosts: readonly string[]): ServerIdentity {
  const authority = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const server = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keyId = keyIdOf(authority.publicKey);
  const ca = certificate(authority.privateKey, {
    subject: AUTHORITY,
    publicKey: authority.publicKey,
    extensions: [
      extension(OID.basicConstraints, sequence(boolean(true)), true),
      // keyCertSign and cRLSign: bits 5 and 6.
      extension(OID.keyUsage, bitString(Buffer.from([0b0000_0110]), 1), true),
      extension(OID.subjectKeyId, octetString(keyId)),
    ],
  });
  const leaf = certificate(authority.privateKey, {
    subject: nameOf(hosts[0] ?? 'localhost'),
    publicKey: server.publicKey,
    extensions: [
      extension(OID.basicConstraints, sequence(), true),
      // digitalSignature: bit 0.
      extension(OID.keyUsage, bitString(Buffer.from([0b1000_0000]), 7), true),
      extension(OID.extendedKeyUsage, sequence(objectId(OID.serverAuth))),
      extension(OID.subjectAltName, sequence(...hosts.map(generalName))),
      extension(OID.subjectKeyId, octetString(keyIdOf(server.publicKey))),
      extension(OID.authorityKeyId, sequence(implicit(0, keyId))),
    ],
  });
  const caPem = pem(ca);
  const key = server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { key, cert: pem(leaf) + caPem, caPem };
}

interface Subject {
  readonly subject: Uint8Array;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Uint8Array[];
}

/** X.509, version 3, signed by the authority. */
function certificate(authorityKey: KeyObject, { subject, publicKey, extensions }: Subject): Buffer {
  const nowMs = Date.now();
  const validity = sequence(
    time(new Date(nowMs - BACKDATED_MS)),
    time(new Date(nowMs - BACKDATED_MS + VALID_FOR_MS)),
  );
  const content = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(serialNumber()),
    ECDSA_SHA256,
    AUTHORITY,
    validity,
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...extensions)),
  );
  return sequence(content, ECDSA_SHA256, bitString(sign('sha256', content, authorityKey)));
}

/** Sixteen bytes. The first is from 0x40 to 0x7f, so that the number is positive and has no zeros to drop. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

function nameOf(commonName: string): Buffer {
  return sequence(set(sequence(objectId(OID.commonName), utf8String(commonName))));
}

function extension(id: string, value: Uint8Array, critical = false): Buffer {
  return sequence(objectId(id), ...(critical ? [boolean(true)] : []), octetString(value));
}

/** An IP address or a name, `*.example.com` included. */
function generalName(host: string): Buffer {
  return isIP(host) === 0 ? implicit(2, Buffer.from(host)) : implicit(7, addressBytes(host));
}

/** The four or sixteen bytes of an IP address. */
function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  // A URL has the address in its shortest form: groups in hexadecimal, at most one gap (`::`).
  const [head = '', tail = ''] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const [before, after] = [head, tail].map((part) => part.split(':').filter(Boolean));
  const zeros = Array.from({ length: 8 - (before?.length ?? 0) - (after?.length ?? 0) }, () => '0');
  const groups = [...(before ?? []), ...zeros, ...(after ?? [])];
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

function keyIdOf(key: KeyObject): Buffer {
  return createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest();
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
