import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { gatherWrites } from '../../../src/net/gathered-writes.ts';
import { createSocketAgent } from '../../../src/net/proxy.ts';

/** Keeps what leaves it, piece by piece: one piece is one system call of a socket. */
class Pieces extends Writable {
  readonly pieces: string[] = [];

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.pieces.push(chunk.toString());
    done();
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.pieces.push(chunks.map(({ chunk }) => chunk.toString()).join(''));
    done();
  }
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('writes of one turn of the event loop', () => {
  test('leave in one piece and in order, also those that a promise sets off', async () => {
    const socket = gatherWrites(new Pieces());
    socket.write('a');
    void Promise.resolve()
      .then(() => socket.write('b'))
      .then(() => socket.write('c'));
    expect(socket.pieces).toEqual([]);
    await nextTurn();
    expect(socket.pieces).toEqual(['abc']);
    socket.write('d');
    await nextTurn();
    expect(socket.pieces).toEqual(['abc', 'd']);
  });

  test('are told when they have left, each by itself', async () => {
    const socket = gatherWrites(new Pieces());
    const left: string[] = [];
    for (const text of ['a', 'b']) socket.write(text, () => left.push(text));
    await nextTurn();
    expect(left).toEqual(['a', 'b']);
  });

  test('are still refused one by one when they are too much', () => {
    const socket = gatherWrites(new Pieces({ highWaterMark: 3 }));
    expect([socket.write('ab'), socket.write('cd')]).toEqual([true, false]);
  });

  test('are not torn by somebody who gathers on his own', async () => {
    const socket = gatherWrites(new Pieces());
    socket.write('a');
    socket.cork();
    socket.write('b');
    socket.uncork();
    socket.write('c');
    expect(socket.pieces).toEqual([]);
    await nextTurn();
    expect(socket.pieces).toEqual(['abc']);
  });

  test('are all there when it ends in the same turn', async () => {
    const socket = gatherWrites(new Pieces());
    socket.write('a');
    socket.write('b');
    socket.end('c');
    await once(socket, 'finish');
    expect(socket.pieces.join('')).toBe('abc');
  });

  test('may lose their socket before they leave', async () => {
    const socket = gatherWrites(new Pieces());
    socket.write('a');
    socket.destroy();
    await nextTurn();
    expect(socket.pieces).toEqual([]);
  });
});

describe('a real WebSocket', () => {
  const ACKS = Array.from({ length: 200 }, (_, at) => `ack ${at}`);
  let server: WebSocketServer;

  beforeEach(async () => {
    server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
  });
  afterEach(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });

  async function dial() {
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const socket = new WebSocket(url, { agent: createSocketAgent(new URL(url), {}) });
    const [[peer]] = await Promise.all([
      once(server, 'connection') as Promise<[WebSocket]>,
      once(socket, 'open'),
    ]);
    const heard: string[] = [];
    peer.on('message', (frame: Buffer) => heard.push(frame.toString()));
    return { socket, peer, heard };
  }

  test('acks of one turn arrive in order, each in a frame of its own', async () => {
    const { socket, heard } = await dial();
    for (const ack of ACKS) socket.send(ack);
    await expect.poll(() => heard.length).toBe(ACKS.length);
    expect(heard).toEqual(ACKS);
  });

  test('acks that commits release one after another do too', async () => {
    const { socket, heard } = await dial();
    for (const ack of ACKS) {
      socket.send(ack);
      if (ack.endsWith('0')) await nextTurn();
    }
    await expect.poll(() => heard.length).toBe(ACKS.length);
    expect(heard).toEqual(ACKS);
  });

  test('nothing is held back when it closes in the same turn', async () => {
    const { socket, peer, heard } = await dial();
    for (const ack of ACKS) socket.send(ack);
    socket.close(1000, 'done');
    const [code] = (await once(peer, 'close')) as [number];
    expect(code).toBe(1000);
    expect(heard).toEqual(ACKS);
  });

  test('the peer may close while acks are on their way: they come before our goodbye', async () => {
    const { socket, peer, heard } = await dial();
    peer.close(1000);
    for (const ack of ACKS) socket.send(ack);
    await once(peer, 'close');
    expect(heard).toEqual(ACKS);
  });
});
