/**
 * Reads SQLite's write-ahead log before SQLite does (https://sqlite.org/fileformat2.html#walformat). SQLite reads
 * frames up to the first one that is not valid, and drops all behind it without a word.
 *
 * That is right after a crash. A process that is killed leaves its last frame unfinished. A transaction that was
 * rolled back leaves frames without a commit. After a power loss the frames of the last commit may be there in
 * part, because the system writes them in any order. This program begins no commit before the one before it is
 * on the disk, so a power loss cuts one commit at most. Two commits behind a frame that is not valid are
 * therefore damage: at least one of them was on the disk, and somebody was told so.
 *
 * Frames of an earlier round of the log stay behind the new ones. They have another salt and do not count.
 */
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
/** The last bit says in which order of bytes the checksums were made. */
const MAGIC = 0x377f0682;
const COMMITS_LOST_MIN = 2;
const FRAMES_AT_ONCE = 256;
/** A round takes 16 MB of writes, and a note is made every few seconds. */
const ROUNDS_BETWEEN_NOTES_MAX = 1_000;

interface Checksum {
  readonly first: number;
  readonly second: number;
}

interface Header {
  readonly isValid: boolean;
  readonly isBigEndian: boolean;
  readonly pageBytes: number;
  readonly salts: string;
  readonly checksum: Checksum;
}

interface LogFacts {
  /** Changes with each round of the log. Empty if the head of the log is not valid. */
  readonly salts: string;
  readonly frames: number;
  /** Frames from the first on that are valid. */
  readonly framesValid: number;
  /** Commits behind the first frame that is not valid. Their frames fit together and are of this round. */
  readonly commitsBehind: number;
}

/** `undefined` if there is no log, or nothing in it. */
export function readLog(path: string): LogFacts | undefined {
  if (!existsSync(path)) return undefined;
  const file = openSync(path, 'r');
  try {
    const before = headOf(file);
    const facts = before && factsOf(file, headerIn(before));
    // Another process may begin a new round meanwhile. Then there is no damage, because it has read the log.
    if (before === undefined || headOf(file)?.equals(before) !== true) return undefined;
    return facts;
  } finally {
    closeSync(file);
  }
}

/** The salts of the round that the log is in; empty if there is none. */
export function saltsOf(path: string): string {
  if (!existsSync(path)) return '';
  const file = openSync(path, 'r');
  try {
    const head = headOf(file);
    const header = head && headerIn(head);
    return header?.isValid === true ? header.salts : '';
  } finally {
    closeSync(file);
  }
}

/** Each round has the first salt of the round before it and one more, and a new second one. */
export function mayFollow(salts: string, before: string): boolean {
  const rounds = (firstSalt(salts) - firstSalt(before)) >>> 0;
  return rounds < ROUNDS_BETWEEN_NOTES_MAX && (rounds > 0 || salts === before);
}

function firstSalt(salts: string): number {
  return Number.parseInt(salts.slice(0, 8), 16);
}

export function isDamaged({ commitsBehind }: LogFacts): boolean {
  return commitsBehind >= COMMITS_LOST_MIN;
}

function headOf(file: number): Buffer | undefined {
  const head = Buffer.alloc(HEADER_BYTES);
  return readSync(file, head, 0, HEADER_BYTES, 0) < HEADER_BYTES ? undefined : head;
}

function headerIn(head: Buffer): Header {
  const magic = head.readUInt32BE(0);
  const isBigEndian = (magic & 1) === 1;
  const checksum = { first: head.readUInt32BE(24), second: head.readUInt32BE(28) };
  const made = checksumOf(head.subarray(0, 24), { first: 0, second: 0 }, isBigEndian);
  const isValid = (magic & ~1) === MAGIC && isSame(made, checksum);
  const pageBytes = head.readUInt32BE(8);
  return { isValid, isBigEndian, pageBytes, salts: head.toString('hex', 16, 24), checksum };
}

function factsOf(file: number, header: Header): LogFacts | undefined {
  const { pageBytes, isBigEndian } = header;
  const isPageSize = pageBytes >= 512 && pageBytes <= 65_536 && (pageBytes & (pageBytes - 1)) === 0;
  // In a damaged head only the usual size can be tried.
  const frameBytes = FRAME_HEADER_BYTES + (isPageSize ? pageBytes : 4096);
  const frames = Math.floor((fstatSync(file).size - HEADER_BYTES) / frameBytes);
  if (frames <= 0) return undefined;
  let { checksum, salts } = header;
  let framesValid = 0;
  let commitsBehind = 0;
  let isBroken = !header.isValid;
  for (const [index, frame] of framesIn(file, frameBytes, frames)) {
    const ofFrame = frame.toString('hex', 8, 16);
    if (index === 0 && !header.isValid) salts = ofFrame;
    const stored = { first: frame.readUInt32BE(16), second: frame.readUInt32BE(20) };
    const begun = checksumOf(frame.subarray(0, 8), checksum, isBigEndian);
    const made = checksumOf(frame.subarray(FRAME_HEADER_BYTES), begun, isBigEndian);
    // The next frame was made with what this one says, whether that is true or not.
    checksum = stored;
    const isFit = ofFrame === salts && isSame(made, stored);
    if (!isBroken && isFit) framesValid += 1;
    else if (!isBroken) isBroken = true;
    else if (isFit && frame.readUInt32BE(4) !== 0) commitsBehind += 1;
  }
  return { salts: header.isValid ? salts : '', frames, framesValid, commitsBehind };
}

function* framesIn(file: number, frameBytes: number, frames: number): Generator<[number, Buffer]> {
  const block = Buffer.alloc(frameBytes * Math.min(frames, FRAMES_AT_ONCE));
  for (let index = 0; index < frames; index += FRAMES_AT_ONCE) {
    const bytes = readSync(file, block, 0, block.length, HEADER_BYTES + index * frameBytes);
    for (let at = 0; (at + 1) * frameBytes <= bytes && index + at < frames; at += 1) {
      yield [index + at, block.subarray(at * frameBytes, (at + 1) * frameBytes)];
    }
  }
}

function checksumOf(bytes: Buffer, { first, second }: Checksum, isBigEndian: boolean): Checksum {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; at += 8) {
    first = (first + view.getUint32(at, !isBigEndian) + second) | 0;
    second = (second + view.getUint32(at + 4, !isBigEndian) + first) | 0;
  }
  return { first: first >>> 0, second: second >>> 0 };
}

function isSame(one: Checksum, other: Checksum): boolean {
  return one.first === other.first && one.second === other.second;
}
