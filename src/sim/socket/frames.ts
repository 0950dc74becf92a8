import { DATA, encodeFrame } from './pbbp2.ts';

interface FrameRequest {
  /** The same for all fragments. The ack has it too. */
  readonly frameId: string;
  readonly type: 'event' | 'card';
  readonly traceId: string;
  readonly atMs: number;
  readonly service: number;
  readonly nextSeqId: () => number;
  readonly payload: Buffer;
  readonly fragmentBytesMax: number;
  /** At least this many fragments, if there are enough bytes. */
  readonly fragmentsMin: number;
}

/** One event as data frames. It is cut by bytes, so a character may be in two fragments. */
export function eventFrames(request: FrameRequest): Uint8Array[] {
  const { payload, fragmentBytesMax, fragmentsMin } = request;
  const sum = Math.max(Math.ceil(payload.length / fragmentBytesMax), fragmentsMin, 1);
  const size = Math.ceil(payload.length / sum);
  return Array.from({ length: sum }, (_, seq) =>
    encodeFrame({
      seqId: request.nextSeqId(),
      logId: request.atMs,
      service: request.service,
      method: DATA,
      headers: new Map([
        ['type', request.type],
        ['message_id', request.frameId],
        ['sum', String(sum)],
        ['seq', String(seq)],
        ['trace_id', request.traceId],
        ['timestamp', String(request.atMs)],
        ['instance_id', '1'],
      ]),
      payload: payload.subarray(seq * size, (seq + 1) * size),
    }),
  );
}
