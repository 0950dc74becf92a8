/** The ASN.1 types of a certificate, encoded as DER. Each function returns the encoded bytes. */

const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

export function sequence(...items: readonly Uint8Array[]): Buffer {
  return wrap(TAG.sequence, ...items);
}

export function set(...items: readonly Uint8Array[]): Buffer {
  return wrap(TAG.set, ...items);
}

/** A value that is not negative, most significant byte first. */
export function integer(bytes: Uint8Array): Buffer {
  // A leading bit of 1 would make it negative.
  const sign = (bytes[0] ?? 0) >= 0x80 ? [Buffer.from([0])] : [];
  return wrap(TAG.integer, ...sign, bytes);
}

export function boolean(value: boolean): Buffer {
  return wrap(0x01, Buffer.from([value ? 0xff : 0]));
}

/** `unusedBits`: how many bits of the last byte are not part of the value. */
export function bitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return wrap(TAG.bitString, Buffer.from([unusedBits]), bytes);
}

export function octetString(bytes: Uint8Array): Buffer {
  return wrap(TAG.octetString, bytes);
}

export function utf8String(text: string): Buffer {
  return wrap(TAG.utf8String, Buffer.from(text));
}

/** `1.2.840.10045.4.3.2` */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [40 * first + second, ...rest].flatMap((number) => base128(number));
  return wrap(TAG.objectId, Buffer.from(bytes));
}

/** With seconds. X.509 wants years before 2050 with two digits. */
export function time(at: Date): Buffer {
  const digits = at.toISOString().replaceAll(/[-:T]|\..*/g, '');
  return at.getUTCFullYear() < 2050
    ? wrap(TAG.utcTime, Buffer.from(`${digits.slice(2)}Z`))
    : wrap(TAG.generalizedTime, Buffer.from(`${digits}Z`));
}

/** The tag `[number]` around encoded items. */
export function explicit(number: number, ...items: readonly Uint8Array[]): Buffer {
  return wrap(0xa0 + number, ...items);
}

/** The tag `[number]` in place of the type's own tag. */
export function implicit(number: number, bytes: Uint8Array): Buffer {
  return wrap(0x80 + number, bytes);
}

function wrap(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content.length)]), content]);
}

/** One byte up to 127. Above, the first byte is the number of length bytes. */
function lengthOf(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 + bytes.length, ...bytes];
}

/** Seven bits in each byte. All bytes but the last have the high bit set. */
function base128(number: number): number[] {
  const bytes = [number % 128];
  for (let rest = Math.floor(number / 128); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.unshift(0x80 + (rest % 128));
  }
  return bytes;
}
