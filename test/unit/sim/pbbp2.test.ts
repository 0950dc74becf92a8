import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { encodeFrame, parseFrame } from '../../../src/sim/socket/pbbp2.ts';

// As sent by the official client.
const PING = Buffer.from('0800100018f681801020002a0c0a0474797065120470696e67', 'hex');

const { root } = protobuf.parse(
  `syntax = "proto2";
   message Header { required string key = 1; required string value = 2; }
   message Frame {
     required uint64 SeqID = 1; required uint64 LogID = 2; required int32 service = 3; required int32 method = 4;
     repeated Header headers = 5; optional string payloadEncoding = 6; optional string payloadType = 7;
     optional bytes payload = 8; optional string LogIDNew = 9;
   }`,
  new protobuf.Root(),
  { keepCase: true },
);
const FrameType = root.lookupType('Frame');

describe('parseFrame', () => {
  test('reads the ping of the official client', () => {
    expect(parseFrame(PING)).toEqual({
      seqId: 0,
      logId: 0,
      service: 33_554_678,
      method: 0,
      headers: new Map([['type', 'ping']]),
    });
  });

  test('reads the frames of another encoder, also with unknown fields', () => {
    const bytes = FrameType.encode(
      FrameType.fromObject({
        SeqID: 2 ** 40 + 3,
        LogID: 7,
        service: 1,
        method: 1,
        headers: [
          { key: 'type', value: 'event' },
          { key: 'sum', value: '1' },
        ],
        payloadEncoding: 'none',
        payload: Buffer.from('{}'),
        LogIDNew: 'x',
      }),
    ).finish();
    const frame = parseFrame(bytes);
    expect(frame).toMatchObject({ seqId: 2 ** 40 + 3, logId: 7, service: 1, method: 1 });
    expect(frame?.headers.get('sum')).toBe('1');
    expect(Buffer.from(frame?.payload ?? []).toString()).toBe('{}');
  });

  test.each([
    ['nothing', ''],
    ['a missing method', '0800100018f68180102a0c0a0474797065120470696e67'],
    ['an end in the middle', '0800100018f681801020002a0c0a0474797065120470'],
    ['bytes that are no frame', 'ffffffffffffffffffffffff'],
    ['a group that never ends', '0b'],
  ])('is undefined for %s', (_what, hex) => {
    expect(parseFrame(Buffer.from(hex, 'hex'))).toBeUndefined();
  });
});

describe('encodeFrame', () => {
  test('writes the ping byte for byte', () => {
    const headers = new Map([['type', 'ping']]);
    const frame = { seqId: 0, logId: 0, service: 33_554_678, method: 0, headers };
    expect(Buffer.from(encodeFrame(frame)).equals(PING)).toBe(true);
  });

  test('writes frames that another decoder reads', () => {
    const bytes = encodeFrame({
      seqId: 2 ** 40 + 3,
      logId: 1_774_004_563_541,
      service: -1,
      method: 1,
      headers: new Map([['trace_id', '汉字']]),
      payload: Buffer.from('🙂'),
    });
    const frame = FrameType.toObject(FrameType.decode(bytes), { longs: Number, bytes: String });
    expect(frame).toEqual({
      SeqID: 2 ** 40 + 3,
      LogID: 1_774_004_563_541,
      service: -1,
      method: 1,
      headers: [{ key: 'trace_id', value: '汉字' }],
      payload: Buffer.from('🙂').toString('base64'),
    });
  });
});
