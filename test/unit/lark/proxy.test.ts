import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { createSocketAgent, proxyFor } from '../../../src/net/proxy.ts';
import { type LocalServer, startServer } from './local-server.ts';

describe('which way', () => {
  const proxies = { httpProxy: 'http://plain:1', httpsProxy: 'http://safe:2' };

  test.each<[string, object, string | undefined]>([
    ['wss://msg-frontier.feishu.cn/ws', proxies, 'safe:2'],
    ['https://open.feishu.cn', proxies, 'safe:2'],
    ['ws://127.0.0.1:80', proxies, 'plain:1'],
    ['wss://a.b', { httpProxy: 'http://plain:1' }, 'plain:1'],
    ['ws://a.b', { httpsProxy: 'http://safe:2' }, undefined],
    ['wss://a.b', {}, undefined],
    ['wss://a.b', { httpsProxy: '' }, undefined],
    ['wss://a.b', { ...proxies, noProxy: '*' }, undefined],
    ['wss://x.a.b', { ...proxies, noProxy: 'other, A.B' }, undefined],
    ['wss://x.a.b', { ...proxies, noProxy: '.a.b' }, undefined],
    ['wss://x.a.b', { ...proxies, noProxy: '*.a.b' }, undefined],
    ['wss://xa.b', { ...proxies, noProxy: 'a.b' }, 'safe:2'],
    ['wss://a.b', { ...proxies, noProxy: 'a.b:444' }, 'safe:2'],
    ['wss://a.b', { ...proxies, noProxy: 'a.b:443' }, undefined],
    ['wss://a.b:444', { ...proxies, noProxy: 'a.b:444' }, undefined],
  ])('to %s with %j: %s', (target, settings, host) => {
    expect(proxyFor(new URL(target), settings)?.host).toBe(host);
  });
});

describe('a WebSocket through a proxy', () => {
  let proxy: LocalServer;
  let sockets: WebSocketServer;
  let answer: 'tunnel' | 'refuse' | 'hang';
  const asked: { way: string; authorization: string | undefined }[] = [];
  const open: Socket[] = [];

  beforeEach(async () => {
    answer = 'tunnel';
    asked.length = 0;
    sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await new Promise((resolve) => sockets.once('listening', resolve));
    proxy = await startServer(() => undefined);
    proxy.server.on('connect', (request, duplex) => {
      const client = duplex as Socket;
      open.push(client);
      asked.push({ way: request.url ?? '', authorization: request.headers['proxy-authorization'] });
      if (answer === 'refuse') client.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      if (answer !== 'tunnel') return;
      const upstream = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.pipe(client).pipe(upstream);
      });
      open.push(upstream);
    });
  });
  afterEach(async () => {
    for (const client of sockets.clients) client.terminate();
    sockets.close();
    for (const socket of open.splice(0)) socket.destroy();
    await proxy.stop();
  });

  function dial(settings = { httpProxy: proxy.url.replace('http://', 'http://ann:p%40ss@') }) {
    const { port } = sockets.address() as { port: number };
    const url = `ws://lark.test:${port}/x`;
    const agent = createSocketAgent(new URL(url), settings);
    const socket = new WebSocket(url, { agent });
    const outcome = new Promise<string>((resolve) => {
      socket.once('open', () => resolve('open'));
      socket.once('error', (error) => resolve(error.message));
    });
    return { agent, socket, outcome };
  }

  test('opens, and says who asks', async () => {
    const { socket, outcome } = dial();
    expect(await outcome).toBe('open');
    const { port } = sockets.address() as { port: number };
    expect(asked).toEqual([
      {
        way: `lark.test:${port}`,
        authorization: `Basic ${Buffer.from('ann:p@ss').toString('base64')}`,
      },
    ]);
    socket.terminate();
  });

  test('fails if the proxy refuses', async () => {
    answer = 'refuse';
    expect(await dial().outcome).toBe('the proxy answered 403');
  });

  test('can be given up while the proxy is silent', async () => {
    answer = 'hang';
    const { agent, outcome } = dial();
    await expect.poll(() => asked.length).toBe(1);
    agent.destroy();
    expect(await outcome).not.toBe('open');
  });
});
