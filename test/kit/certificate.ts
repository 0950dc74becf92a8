/**
 * A certificate that signs itself, with its key, made when a test needs one: no private key lies in the
 * repository. Node makes keys and signatures, but no certificate, so its few fields are put together here
 * (RFC 5280, in DER).
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

export interface Certificate {
  readonly certPem: string;
  readonly keyPem: string;
}

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const SEQUENCE = 0x30;
const SET = 0x31;
/** A name of a host, among the names of a subject. */
const DNS_NAME = 0x82;
/** A field with a number of its own, of which a certificate has two. */
const VERSION_FIELD = 0xa0;
const EXTENSIONS_FIELD = 0xa3;

const ECDSA_WITH_SHA256 = Buffer.from('06082a8648ce3d040302', 'hex');
const COMMON_NAME = Buffer.from('0603550403', 'hex');
const SUBJECT_ALTERNATIVE_NAME = Buffer.from('0603551d11', 'hex');
const BASIC_CONSTRAINTS = Buffer.from('0603551d13', 'hex');
const TRUE = Buffer.from('0101ff', 'hex');
const VERSION_3 = Buffer.from('020102', 'hex');

const DAY_MS = 24 * 60 * 60 * 1000;

/** For `host` alone, and good for a day before and after; `shiftDays`: these many days later. */
export function createCertificate(host: string, shiftDays = 0): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = der(SEQUENCE, ECDSA_WITH_SHA256);
  const name = der(
    SEQUENCE,
    der(SET, der(SEQUENCE, COMMON_NAME, der(UTF8_STRING, Buffer.from(host)))),
  );
  const days = [-1, 1].map((day) =>
    der(UTC_TIME, utcTime(Date.now() + (day + shiftDays) * DAY_MS)),
  );
  const extensions = der(
    SEQUENCE,
    // It stands for itself as an authority too, so that a client can be told to trust it.
    der(SEQUENCE, BASIC_CONSTRAINTS, TRUE, der(OCTET_STRING, der(SEQUENCE, TRUE))),
    der(
      SEQUENCE,
      SUBJECT_ALTERNATIVE_NAME,
      der(OCTET_STRING, der(SEQUENCE, der(DNS_NAME, Buffer.from(host)))),
    ),
  );
  const body = der(
    SEQUENCE,
    der(VERSION_FIELD, VERSION_3),
    // The first bit clear: a serial number is positive.
    der(INTEGER, Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    algorithm,
    name,
    der(SEQUENCE, ...days),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(EXTENSIONS_FIELD, extensions),
  );
  // A string of bits says first how many of its last ones do not count.
  const signature = der(BIT_STRING, Buffer.from([0]), sign('sha256', body, privateKey));
  return {
    certPem: pem('CERTIFICATE', der(SEQUENCE, body, algorithm, signature)),
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** One value: what it is, how long it is, and itself. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  const length =
    value.length < 0x80
      ? Buffer.from([value.length])
      : Buffer.from([0x82, value.length >> 8, value.length & 0xff]);
  return Buffer.concat([Buffer.from([tag]), length, value]);
}

/** `YYMMDDhhmmssZ`. */
function utcTime(atMs: number): Buffer {
  const digits = new Date(atMs).toISOString().replaceAll(/\D/g, '').slice(2, 14);
  return Buffer.from(`${digits}Z`);
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
