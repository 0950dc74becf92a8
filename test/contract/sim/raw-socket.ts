import protobuf from 'protobufjs';
import { WebSocket } from 'ws';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import type { SimApp } from '../../../src/sim/world/model.ts';
// The SDK removes Long from protobufjs for the whole process. It must do so before the types are made.
import './sdk-client.ts';

/** The schema as the platform's other SDKs publish it. It is decoded by code that the simulator does not use. */
const SCHEMA = `
syntax = "proto2";
package pbbp2;
message Header { required string key = 1; required string value = 2; }
message Frame {
  required uint64 SeqID = 1; required uint64 LogID = 2; required int32 service = 3; required int32 method = 4;
  repeated Header headers = 5; optional string payloadEncoding = 6; optional string payloadType = 7;
  optional bytes payload = 8; optional string LogIDNew = 9;
}`;
export const FrameType = protobuf
  .parse(SCHEMA, new protobuf.Root(), { keepCase: true })
  .root.lookupType('pbbp2.Frame');

export interface RawFrame {
  readonly SeqID: number;
  readonly LogID: number;
  readonly service: number;
  readonly method: number;
  readonly headers: readonly { readonly key: string; readonly value: string }[];
  readonly payload?: Uint8Array;
}

export function decode(bytes: Uint8Array): RawFrame {
  const options = { longs: Number, defaults: false } as const;
  return FrameType.toObject(FrameType.decode(bytes), options) as unknown as RawFrame;
}

export function headersOf(frame: RawFrame): Record<string, string> {
  return Object.fromEntries(frame.headers.map(({ key, value }) => [key, value]));
}

/** Asks for the URL of a connection. */
export async function bootstrap(lark: LarkCloud, credentials: object): Promise<unknown> {
  const response = await fetch(`${lark.openBaseUrl}/callback/ws/endpoint`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(credentials),
  });
  return response.json();
}

export async function socketUrl(lark: LarkCloud, app: SimApp): Promise<string> {
  const answer = await bootstrap(lark, { AppID: app.appId, AppSecret: app.appSecret });
  return (answer as { data: { URL: string } }).data.URL;
}

/** A connection that pings and acks only when the test calls for it. */
export class RawSocket {
  readonly frames: RawFrame[] = [];
  readonly socket: WebSocket;
  readonly #lark: LarkCloud;
  readonly #serviceId: number;

  private constructor(lark: LarkCloud, url: string) {
    this.#lark = lark;
    this.#serviceId = Number(new URL(url).searchParams.get('service_id'));
    this.socket = new WebSocket(url);
    this.socket.on('message', (data: Buffer) => {
      this.frames.push(decode(data));
      lark.cloud.changes.notify();
    });
  }

  static async open(lark: LarkCloud, app: SimApp): Promise<RawSocket> {
    const raw = new RawSocket(lark, await socketUrl(lark, app));
    await new Promise((resolve, reject) => {
      raw.socket.once('open', resolve).once('error', reject);
    });
    return raw;
  }

  ping(): void {
    this.#send({
      SeqID: 0,
      LogID: 0,
      service: this.#serviceId,
      method: 0,
      headers: [{ key: 'type', value: 'ping' }],
    });
  }

  /** Sends the frame back with an ack, as the SDKs do. */
  ack(frame: RawFrame, payload: unknown = { code: 200 }): void {
    this.#send({
      ...frame,
      headers: [...frame.headers, { key: 'biz_rt', value: '-1' }],
      payload: Buffer.from(JSON.stringify(payload)),
    });
  }

  /** Data frames so far. */
  data(): RawFrame[] {
    return this.frames.filter(({ method }) => method === 1);
  }

  /** The data frame at this place, as soon as it is there. */
  frame(at: number): Promise<RawFrame> {
    return this.#lark.waitFor(() => this.data()[at]);
  }

  pong(): Promise<RawFrame> {
    return this.#lark.waitFor(() => this.frames.find(({ method }) => method === 0));
  }

  /** Resolves after everything that the server has sent so far has arrived. */
  async caughtUp(): Promise<void> {
    const ponged = new Promise((resolve) => {
      this.socket.once('pong', resolve);
    });
    this.socket.ping();
    await ponged;
  }

  closed(): Promise<number> {
    return new Promise((resolve) => {
      this.socket.once('close', resolve);
    });
  }

  close(): void {
    this.socket.terminate();
  }

  #send(frame: RawFrame): void {
    this.socket.send(FrameType.encode(FrameType.fromObject(frame)).finish());
  }
}
