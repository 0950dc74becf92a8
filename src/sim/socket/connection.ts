import type { WebSocket } from 'ws';
import type { SimApp } from '../world/model.ts';
import { CONTROL, DATA, encodeFrame, parseFrame, type Frame } from './pbbp2.ts';

/** Pushed to the client at bootstrap and in every pong; all four in seconds. */
export interface ClientConfig {
  readonly ReconnectCount: number;
  readonly ReconnectInterval: number;
  readonly ReconnectNonce: number;
  readonly PingInterval: number;
}

export interface ConnectionHandlers {
  /** The client pinged; the pong is what this returns, or nothing at all. */
  onPing(connection: Connection): string | undefined;
  onAck(connection: Connection, frame: Frame): void;
  onClose(connection: Connection): void;
}

const HEADER_TYPE = 'type';

/** One socket of an app. Frames wait for the client's first ping: before it, clients may not listen yet. */
export class Connection {
  readonly app: SimApp;
  /** Parameter `service_id` of the URL; comes back as `service` in every ping. */
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
    // A broken socket always closes too, and that is where it is handled.
    socket.on('error', () => undefined);
  }

  /** True after the first ping. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Number of the next data frame of this connection. */
  nextSeqId(): number {
    this.#frames += 1;
    return this.#frames;
  }

  send(frame: Uint8Array): void {
    if (this.#halfOpen) return;
    if (this.#ready) this.#socket.send(frame);
    else this.#held.push(frame);
  }

  /** From here on, frames go out at once. */
  open(): void {
    if (this.#ready) return;
    this.#ready = true;
    for (const frame of this.#held.splice(0)) this.send(frame);
  }

  /** The socket stays open, but nothing is answered or sent any more, not even WebSocket pongs. */
  freeze(): void {
    this.#halfOpen = true;
  }

  /** With a close code in order; without one the TCP connection just ends. */
  hangUp(code?: number): void {
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
