import type { WebSocket } from 'ws';
import type { SimApp } from '../world/model.ts';
import { CONTROL, DATA, encodeFrame, parseFrame, type Frame } from './pbbp2.ts';

/** Sent to the client at bootstrap and in every pong. Times are in seconds. */
export interface ClientConfig {
  readonly ReconnectCount: number;
  readonly ReconnectInterval: number;
  readonly ReconnectNonce: number;
  readonly PingInterval: number;
}

interface ConnectionHandlers {
  /** The client pinged. Returns the payload of the pong; undefined: no pong is sent. */
  onPing(connection: Connection): string | undefined;
  onAck(connection: Connection, frame: Frame): void;
  onClose(connection: Connection): void;
}

const HEADER_TYPE = 'type';

/** One socket of an app. Frames wait for the first ping of the client: before it, the client may not listen yet. */
export class Connection {
  readonly app: SimApp;
  /** Parameter `service_id` of the URL. Every ping has it as `service`. */
  readonly serviceId: number;
  readonly #socket: WebSocket;
  readonly #held: Uint8Array[] = [];
  #ready = false;
  #halfOpen = false;
  #frames = 0;

  constructor(
    socket: WebSocket,
    identity: { app: SimApp; serviceId: number },
    handlers: ConnectionHandlers,
  ) {
    this.app = identity.app;
    this.serviceId = identity.serviceId;
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.#receive(data, handlers));
    socket.on('ping', (data: Buffer) => {
      if (!this.#halfOpen) socket.pong(data);
    });
    socket.on('close', () => handlers.onClose(this));
    // After an error the socket always closes too, and 'close' handles it.
    socket.on('error', () => undefined);
  }

  /** True after the first ping. */
  get ready(): boolean {
    return this.#ready;
  }

  /** The number of the next data frame of this connection. */
  nextSeqId(): number {
    this.#frames += 1;
    return this.#frames;
  }

  send(frame: Uint8Array): void {
    if (this.#halfOpen) return;
    if (this.#ready) this.#socket.send(frame);
    else this.#held.push(frame);
  }

  /** After this, frames are sent at once. */
  open(): void {
    if (this.#ready) return;
    this.#ready = true;
    for (const frame of this.#held.splice(0)) this.send(frame);
  }

  /** The socket stays open, but nothing is sent any more, not even WebSocket pongs. */
  freeze(): void {
    this.#halfOpen = true;
  }

  /** With a code, the WebSocket is closed with it. Without one, the TCP connection ends. */
  disconnect(code?: number): void {
    if (code === undefined) this.#socket.terminate();
    else this.#socket.close(code);
  }

  #receive(data: Buffer, handlers: ConnectionHandlers): void {
    const frame = this.#halfOpen ? undefined : parseFrame(data);
    if (frame === undefined) return;
    if (frame.method === DATA) {
      handlers.onAck(this, frame);
    } else if (frame.method === CONTROL && frame.headers.get(HEADER_TYPE) === 'ping') {
      const payload = handlers.onPing(this);
      if (payload !== undefined) this.#socket.send(pong(frame, payload));
      this.open();
    }
  }
}

function pong(ping: Frame, payload: string): Uint8Array {
  return encodeFrame({
    seqId: 0,
    logId: 0,
    service: ping.service,
    method: CONTROL,
    headers: new Map([[HEADER_TYPE, 'pong']]),
    payload: Buffer.from(payload),
  });
}
