import protobuf from 'protobufjs/minimal.js';

/** `method` of a frame. */
export const CONTROL = 0;
export const DATA = 1;

/** One frame of the long connection (proto2 message `Frame` of package `pbbp2`). */
export interface Frame {
  /** Unsigned 64-bit on the wire. It is read as a number, as clients do, so it is exact up to 2^53 only. */
  readonly seqId: number;
  readonly logId: number;
  readonly service: number;
  readonly method: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly payload?: Uint8Array;
}

/** Field numbers, shifted for the wire: 0 varint, 2 length-delimited. */
const SEQ_ID = (1 << 3) | 0;
const LOG_ID = (2 << 3) | 0;
const SERVICE = (3 << 3) | 0;
const METHOD = (4 << 3) | 0;
const HEADER = (5 << 3) | 2;
const PAYLOAD = (8 << 3) | 2;
const KEY = (1 << 3) | 2;
const VALUE = (2 << 3) | 2;

export function encodeFrame(frame: Frame): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(SEQ_ID).uint64(frame.seqId);
  writer.uint32(LOG_ID).uint64(frame.logId);
  writer.uint32(SERVICE).int32(frame.service);
  writer.uint32(METHOD).int32(frame.method);
  for (const [key, value] of frame.headers) {
    writer.uint32(HEADER).fork();
    writer.uint32(KEY).string(key).uint32(VALUE).string(value).ldelim();
  }
  if (frame.payload !== undefined) writer.uint32(PAYLOAD).bytes(frame.payload);
  return writer.finish();
}

/** Undefined if the bytes are not a frame, or one of its four required numbers is missing. */
export function parseFrame(bytes: Uint8Array): Frame | undefined {
  try {
    return readFrame(protobuf.Reader.create(bytes));
  } catch (error) {
    // The reader throws these two for bytes that end early or are invalid. Anything else is a bug.
    if (error instanceof RangeError || isWireError(error)) return undefined;
    throw error;
  }
}

function readFrame(reader: protobuf.Reader): Frame | undefined {
  const numbers = new Map<number, number>();
  const headers = new Map<string, string>();
  let payload: Uint8Array | undefined;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === SEQ_ID || tag === LOG_ID) numbers.set(tag, numberOf(reader.uint64()));
    else if (tag === SERVICE || tag === METHOD) numbers.set(tag, reader.int32());
    else if (tag === HEADER) readHeader(reader, headers);
    else if (tag === PAYLOAD) payload = reader.bytes();
    else reader.skipType(tag & 7);
  }
  const seqId = numbers.get(SEQ_ID);
  const logId = numbers.get(LOG_ID);
  const service = numbers.get(SERVICE);
  const method = numbers.get(METHOD);
  if (seqId === undefined || logId === undefined) return undefined;
  if (service === undefined || method === undefined) return undefined;
  return { seqId, logId, service, method, headers, ...(payload && { payload }) };
}

/** The reader returns a number, a Long or two halves. It depends on what else the process has loaded. */
function numberOf(value: number | { readonly low: number; readonly high: number }): number {
  if (typeof value === 'number') return value;
  return (value.high >>> 0) * 2 ** 32 + (value.low >>> 0);
}

function readHeader(reader: protobuf.Reader, headers: Map<string, string>): void {
  const end = reader.uint32() + reader.pos;
  let key = '';
  let value = '';
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === KEY) key = reader.string();
    else if (tag === VALUE) value = reader.string();
    else reader.skipType(tag & 7);
  }
  headers.set(key, value);
}

function isWireError(error: unknown): boolean {
  return error instanceof Error && /invalid|index out of range/.test(error.message);
}
