/** A seal at the end of a file, which shows whether each byte of it is still as it was written. */
import { createHash } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  writeFileSync,
  writeSync,
} from 'node:fs';

const MARK = '\nlark-bridge sha256 ';
const SEAL_BYTES = Buffer.byteLength(`${MARK}${'0'.repeat(64)}\n`);
const STEP_BYTES = 1024 * 1024;

/** Adds the seal, and puts all of the file on the disk. */
export function seal(path: string): void {
  const file = openSync(path, 'r+');
  try {
    const { size } = fstatSync(file);
    writeSync(file, `${MARK}${hashOf(file, size)}\n`, size);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Writes a sealed file without its seal to `to`, which is new and private. False: it has no seal that fits. */
export function unseal(path: string, to: string): boolean {
  const file = openSync(path, 'r');
  try {
    const size = fstatSync(file).size - SEAL_BYTES;
    if (size < 0) return false;
    const end = Buffer.alloc(SEAL_BYTES);
    readSync(file, end, 0, SEAL_BYTES, size);
    const found = copy(file, size, to);
    return end.toString('latin1') === `${MARK}${found}\n`;
  } finally {
    closeSync(file);
  }
}

function hashOf(file: number, bytes: number): string {
  const hash = createHash('sha256');
  eachPart(file, bytes, (part) => hash.update(part));
  return hash.digest('hex');
}

function copy(file: number, bytes: number, to: string): string {
  const hash = createHash('sha256');
  const target = openSync(to, 'wx', 0o600);
  try {
    eachPart(file, bytes, (part) => {
      hash.update(part);
      writeFileSync(target, part);
    });
  } finally {
    closeSync(target);
  }
  return hash.digest('hex');
}

function eachPart(file: number, bytes: number, take: (part: Buffer) => void): void {
  const buffer = Buffer.alloc(STEP_BYTES);
  for (let at = 0; at < bytes;) {
    const read = readSync(file, buffer, 0, Math.min(STEP_BYTES, bytes - at), at);
    if (read === 0) return;
    take(buffer.subarray(0, read));
    at += read;
  }
}
