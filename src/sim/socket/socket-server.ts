import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { SOCKET_PATH, type Ticket, type Tickets } from './bootstrap.ts';
import type { Cloud } from '../cloud.ts';
import { Connection } from './connection.ts';
import { CONNECTIONS_PER_APP_MAX } from './connections.ts';

interface Refusal {
  readonly status: number;
  readonly msg: string;
  readonly authCode: number;
}

/** The second step of a long connection: the upgrade, pings and pongs. */
export class SocketServer {
  readonly #cloud: Cloud;
  readonly #tickets: Tickets;
  // The code sends pongs itself, so that a half-open connection can leave them out.
  readonly #server = new WebSocketServer({ noServer: true, autoPong: false });
  readonly #raw = new Set<Duplex>();

  constructor(cloud: Cloud, tickets: Tickets) {
    this.#cloud = cloud;
    this.#tickets = tickets;
  }

  /** For the `upgrade` event of the HTTP server. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#raw.add(socket);
    socket.on('close', () => this.#raw.delete(socket));
    // The client went away during the handshake. 'close' follows.
    socket.on('error', () => undefined);
    const [path, query] = (request.url ?? '').split('?', 2);
    const ticket = this.#tickets.redeem(new URLSearchParams(query).get('ticket') ?? '');
    const appId = ticket?.app.appId;
    if (this.#cloud.faults.take('handshake_hang', { appId })) return;
    const refusal = this.#refusal(path ?? '', ticket);
    if (ticket === undefined || refusal !== undefined) {
      refuseUpgrade(socket, refusal ?? { status: 514, msg: 'invalid ticket', authCode: 0 });
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (client) => this.#open(client, ticket));
  }

  /** Ends every connection, also those whose handshake is not finished. */
  stop(): void {
    for (const socket of this.#raw) socket.destroy();
    this.#server.close();
  }

  #refusal(path: string, ticket: Ticket | undefined): Refusal | undefined {
    const { faults, connections } = this.#cloud;
    const appId = ticket?.app.appId;
    const hit = faults.take('handshake_refused', { appId });
    if (hit) return { status: hit.status, msg: hit.msg, authCode: hit.code };
    if (path !== SOCKET_PATH) return { status: 404, msg: 'not found', authCode: 0 };
    if (appId !== undefined && connections.count(appId) >= CONNECTIONS_PER_APP_MAX) {
      return { status: 514, msg: 'exceed connection limit', authCode: 1000040350 };
    }
    return undefined;
  }

  #open(client: WebSocket, ticket: Ticket): void {
    const { faults, connections, deliveries, changes } = this.#cloud;
    const { app } = ticket;
    if (faults.take('kick_after_upgrade', { appId: app.appId })) {
      client.terminate();
      return;
    }
    const connection = new Connection(client, ticket, {
      onPing: (from) => this.#pong(from),
      onAck: (from, frame) => deliveries.onAck(from, frame),
      onClose: (from) => {
        connections.remove(from);
        changes.notify();
      },
    });
    connections.add(connection);
    if (faults.take('early_frame', { appId: app.appId })) {
      connection.open();
      deliveries.redeliverNow(app.appId);
    }
    changes.notify();
  }

  /** The payload of the pong: always the full configuration, if no fault changes it. */
  #pong(connection: Connection): string | undefined {
    const { faults, clientConfig, changes } = this.#cloud;
    const context = { appId: connection.app.appId };
    changes.notify();
    if (faults.take('half_open', context)) {
      connection.freeze();
      return undefined;
    }
    const kick = faults.take('kick', context);
    if (kick) {
      connection.disconnect(kick.code);
      return undefined;
    }
    return faults.take('pong_payload', context)?.payload ?? JSON.stringify(clientConfig);
  }
}

function refuseUpgrade(socket: Duplex, refusal: Refusal): void {
  socket.end(
    [
      `HTTP/1.1 ${refusal.status} Refused`,
      `Handshake-Status: ${refusal.status}`,
      `Handshake-Msg: ${refusal.msg}`,
      `Handshake-Autherrcode: ${refusal.authCode}`,
      'Connection: close',
      'Content-Length: 0',
      '\r\n',
    ].join('\r\n'),
  );
}
