import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { createSocketAgent, proxyFor } from '../../../src/net/proxy.ts';
import { type LocalServer, startServer } from '../lark/local-server.ts';

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
    ['wss://a.b', { ...proxies, noProxy: 'x.y:80, *' }, undefined],
    ['wss://a.b.', { ...proxies, noProxy: 'a.b' }, undefined],
    ['wss://a.b', { ...proxies, noProxy: 'a.b.' }, undefined],
    // Ranges of addresses, as curl takes them.
    ['http://10.1.2.3', { ...proxies, noProxy: '10.0.0.0/8' }, undefined],
    ['http://11.1.2.3', { ...proxies, noProxy: '10.0.0.0/8' }, 'plain:1'],
    ['http://10.1.2.3:8080', { ...proxies, noProxy: '192.168.0.0/16,10.1.0.0/16' }, undefined],
    ['http://10.1.2.3', { ...proxies, noProxy: '10.0.0.0/33' }, 'plain:1'],
    ['http://10.1.2.3', { ...proxies, noProxy: '0.0.0.0/0' }, undefined],
    ['https://[fd00::7]', { ...proxies, noProxy: 'fd00::/8' }, undefined],
    ['https://[fe80::7]', { ...proxies, noProxy: 'fd00::/8' }, 'safe:2'],
    ['http://10.0.0.1', { ...proxies, noProxy: '0.1' }, 'plain:1'],
    ['http://ten.example', { ...proxies, noProxy: '0.0.0.0/0' }, 'plain:1'],
    // Addresses with and without a port.
    ['http://[::1]:4001', { ...proxies, noProxy: '::1' }, undefined],
    ['http://[::1]:4001', { ...proxies, noProxy: '[::1]' }, undefined],
    ['http://[::1]:4001', { ...proxies, noProxy: '[::1]:4001' }, undefined],
    ['http://[::1]:4001', { ...proxies, noProxy: '[::1]:4002' }, 'plain:1'],
    ['http://10.1.2.3:8080', { ...proxies, noProxy: '10.1.2.3:8080' }, undefined],
    ['http://10.1.2.3:8080', { ...proxies, noProxy: '10.1.2.3:80' }, 'plain:1'],
    // ALL_PROXY is for what has none of its own.
    ['https://a.b', { allProxy: 'http://all:3' }, 'all:3'],
    ['ws://a.b', { allProxy: 'http://all:3' }, 'all:3'],
    ['https://a.b', { ...proxies, allProxy: 'http://all:3' }, 'safe:2'],
    ['http://a.b', { ...proxies, allProxy: 'http://all:3' }, 'plain:1'],
    ['https://a.b', { httpProxy: 'http://plain:1', allProxy: 'http://all:3' }, 'all:3'],
    ['https://a.b', { allProxy: 'http://all:3', noProxy: 'b' }, undefined],
    ['https://a.b', { allProxy: 'socks5://all:3' }, undefined],
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
    expect(await dial().outcome).toBe(`the proxy ${proxy.url} answered 403`);
  });

  test('a proxy that is dead is named, without its password', async () => {
    await proxy.stop();
    const message = await dial().outcome;
    expect(message).toContain(`the proxy ${proxy.url} can't be reached`);
    expect(message).toContain('ECONNREFUSED');
    expect(message).not.toContain('p%40ss');
  });

  test('can be given up while the proxy is silent', async () => {
    answer = 'hang';
    const { agent, outcome } = dial();
    await expect.poll(() => asked.length).toBe(1);
    agent.destroy();
    expect(await outcome).not.toBe('open');
  });
});
