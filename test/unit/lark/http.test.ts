import { connect, createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createHttp, type HttpOptions, type LarkHttp } from '../../../src/lark/outbound/http.ts';
import { json, type LocalServer, startServer } from './local-server.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function serve(answer: Parameters<typeof startServer>[0]): Promise<LocalServer> {
  const server = await startServer(answer);
  closers.push(() => server.stop());
  return server;
}

function http(options: HttpOptions = {}): LarkHttp {
  const made = createHttp(options);
  closers.push(() => made.close());
  return made;
}

describe('an answer', () => {
  test('comes with status, headers and JSON', async () => {
    const server = await serve((response) => {
      response.setHeader('X-Ogw-Ratelimit-Reset', '7');
      json(response, { code: 99991400 }, 429);
    });
    const outcome = await http().call({ method: 'POST', url: `${server.url}/x`, json: { a: 'ä' } });
    expect(outcome).toMatchObject({
      kind: 'answered',
      status: 429,
      headers: { 'x-ogw-ratelimit-reset': '7' },
      body: { code: 99991400 },
    });
    expect(server.seen[0]).toMatchObject({
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: Buffer.from('{"a":"ä"}').toString('latin1'),
    });
  });

  test('that is no JSON has no body', async () => {
    const server = await serve((response) => response.writeHead(502).end('<html>502</html>'));
    expect(await http().call({ method: 'GET', url: server.url })).toMatchObject({
      kind: 'answered',
      status: 502,
      body: undefined,
    });
  });

  test('beyond the limit is not read to its end', async () => {
    const server = await serve((response) => response.end('x'.repeat(3_000)));
    const outcome = await http({ answerBytesMax: 2_000 }).call({ method: 'GET', url: server.url });
    expect(outcome).toMatchObject({ kind: 'no_answer' });
  });

  test('MOL-CC-04: that does not come is waited for 15 s, unless told otherwise', async () => {
    const timeout = AbortSignal.timeout.bind(AbortSignal);
    // A hundred times as fast.
    const limits = vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => timeout(ms / 100));
    closers.push(() => limits.mockRestore());
    const server = await serve(() => undefined);
    const outcome = await http().call({ method: 'GET', url: server.url });
    expect(outcome.kind).toBe('no_answer');
    expect(limits.mock.calls).toEqual([[15_000]]);
  });

  test('as a stream is handed over unread', async () => {
    const server = await serve((response) => response.end(Buffer.from([0, 255, 1])));
    const outcome = await http().call({ method: 'GET', url: server.url, stream: true });
    if (outcome.kind !== 'answered') throw new Error(outcome.detail);
    const chunks: Buffer[] = [];
    for await (const chunk of outcome.body as AsyncIterable<Buffer>) chunks.push(chunk);
    expect(Buffer.concat(chunks)).toEqual(Buffer.from([0, 255, 1]));
  });

  test('with an error, where a stream was asked for, is read as JSON', async () => {
    const server = await serve((response) => json(response, { code: 234003 }, 400));
    const outcome = await http().call({ method: 'GET', url: server.url, stream: true });
    expect(outcome).toMatchObject({ status: 400, body: { code: 234003 } });
  });
});

describe('nothing was sent', () => {
  async function closedPort(): Promise<number> {
    const server: Server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }

  test.each<[string, () => Promise<string>]>([
    ['the connection is refused', async () => `http://127.0.0.1:${await closedPort()}`],
    ['the name is unknown', () => Promise.resolve('http://nobody.invalid')],
    [
      'it is not TLS',
      async () => (await serve((response) => response.end())).url.replace('http', 'https'),
    ],
  ])('if %s', async (_why, url) => {
    const outcome = await http().call({ method: 'POST', url: await url(), json: {} });
    expect(outcome).toMatchObject({ kind: 'not_sent' });
  });

  test('if the proxy refuses the way', async () => {
    const proxy = await serve(() => undefined);
    proxy.server.on('connect', (_request, socket) => {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    });
    const outcome = await http({ proxy: { httpProxy: proxy.url } }).call({
      method: 'POST',
      url: 'http://lark.invalid/x',
      json: {},
    });
    expect(outcome).toMatchObject({
      kind: 'not_sent',
      detail: `UND_ERR_ABORTED (lark.invalid through the proxy ${proxy.url}, which answered 407)`,
    });
  });

  test('if the proxy is dead: it is named, without its password', async () => {
    const proxy = await serve(() => undefined);
    await proxy.stop();
    const named = proxy.url.replace('http://', 'http://ann:geheim@');
    const outcome = await http({ proxy: { httpsProxy: named } }).call({
      method: 'POST',
      url: 'https://lark.invalid/x',
      json: {},
    });
    expect(outcome).toMatchObject({
      kind: 'not_sent',
      code: 'ECONNREFUSED',
      detail: `ECONNREFUSED (lark.invalid through the proxy ${proxy.url})`,
    });
  });
});

describe('no answer came: it may have happened', () => {
  test('the connection was cut', async () => {
    const server = await serve((response) => response.socket?.resetAndDestroy());
    const outcome = await http().call({ method: 'POST', url: server.url, json: {} });
    expect(outcome).toMatchObject({ kind: 'no_answer' });
    expect(server.seen).toHaveLength(1);
  });

  test('the answer was cut in the middle', async () => {
    const server = await serve((response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('{"code":', () => response.socket?.end());
    });
    expect(await http().call({ method: 'POST', url: server.url, json: {} })).toMatchObject({
      kind: 'no_answer',
    });
  });

  test('the server says nothing', async () => {
    const server = await serve(() => undefined);
    const outcome = await http({ callTimeoutMs: 100 }).call({ method: 'GET', url: server.url });
    expect(outcome).toMatchObject({
      kind: 'no_answer',
      detail: expect.stringContaining('timed out'),
    });
  });

  test('we stop', async () => {
    const server = await serve(() => undefined);
    const mine = createHttp();
    const outcome = mine.call({ method: 'GET', url: server.url });
    await expect.poll(() => server.seen.length).toBe(1);
    await mine.close();
    expect((await outcome).kind).not.toBe('answered');
  });
});

test('a detail names the host, and neither path nor query', async () => {
  const server = await serve((response) => response.socket?.destroy());
  const outcome = await http().call({ method: 'GET', url: `${server.url}/p?ticket=t0p` });
  expect(outcome).toMatchObject({ detail: expect.stringContaining('127.0.0.1') });
  expect(JSON.stringify(outcome)).not.toMatch(/ticket|t0p/);
});

test('a bug in the request is thrown', async () => {
  await expect(http().call({ method: 'GET', url: 'not a url' })).rejects.toThrow();
});

describe('proxies', () => {
  async function tunnel(): Promise<LocalServer & { ways: string[] }> {
    const proxy = await serve(() => undefined);
    const ways: string[] = [];
    proxy.server.on('connect', (request, client) => {
      ways.push(request.url ?? '');
      const [host = '', port] = (request.url ?? '').split(':');
      const upstream = connect(Number(port), host, () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.pipe(client).pipe(upstream);
      });
      upstream.on('error', () => client.destroy());
      client.on('error', () => upstream.destroy());
      closers.push(() => (client.destroy(), upstream.destroy()));
    });
    return Object.assign(proxy, { ways });
  }

  test('calls go through the one that is set', async () => {
    const server = await serve((response) => json(response, { code: 0 }));
    const proxy = await tunnel();
    const outcome = await http({ proxy: { httpProxy: proxy.url } }).call({
      method: 'GET',
      url: server.url,
    });
    expect(outcome).toMatchObject({ status: 200 });
    expect(proxy.ways).toEqual([new URL(server.url).host]);
  });

  test('through the one of ALL_PROXY where there is no other', async () => {
    const server = await serve((response) => json(response, { code: 0 }));
    const proxy = await tunnel();
    const client = http({ proxy: { allProxy: proxy.url } });
    for (let call = 0; call < 2; call += 1) {
      expect(await client.call({ method: 'GET', url: server.url })).toMatchObject({ status: 200 });
    }
    expect(new Set(proxy.ways)).toEqual(new Set([new URL(server.url).host]));
    await client.close();
    expect(await client.call({ method: 'GET', url: server.url })).toMatchObject({
      kind: 'not_sent',
    });
  });

  test.each(['10.0.0.0/8, *', '127.0.0.0/8', '::1,127.0.0.1/32'])(
    'but not where NO_PROXY=%s says otherwise',
    async (noProxy) => {
      const server = await serve((response) => json(response, { code: 0 }));
      const proxy = await tunnel();
      const client = http({ proxy: { httpProxy: proxy.url, noProxy } });
      expect(await client.call({ method: 'GET', url: server.url })).toMatchObject({ status: 200 });
      expect(proxy.ways).toEqual([]);
    },
  );

  test('but not to hosts of NO_PROXY, and not by what the environment of the tests says', async () => {
    const server = await serve((response) => json(response, { code: 0 }));
    const proxy = await tunnel();
    process.env['HTTP_PROXY'] = proxy.url;
    closers.push(() => delete process.env['HTTP_PROXY']);
    for (const settings of [{ httpProxy: proxy.url, noProxy: 'example.org,127.0.0.1' }, {}]) {
      const outcome = await http({ proxy: settings }).call({ method: 'GET', url: server.url });
      expect(outcome).toMatchObject({ status: 200 });
    }
    expect(proxy.ways).toEqual([]);
  });
});
