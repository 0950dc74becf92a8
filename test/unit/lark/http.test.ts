/** What Lark's callers get of the HTTP client; the client itself is in test/unit/net. */
import { afterEach, describe, expect, test } from 'vitest';
import { createHttp, type HttpOptions, type LarkHttp } from '../../../src/lark/outbound/http.ts';
import { json, type LocalServer, startServer } from './local-server.ts';
import { fasterLimit } from '../../kit/faster-limit.ts';

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
  test('comes with status, headers and JSON, and the request asks for JSON', async () => {
    const server = await serve((response) => {
      response.setHeader('X-Ogw-Ratelimit-Reset', '7');
      json(response, { code: 99991400 }, 429);
    });
    const outcome = await http().call({ method: 'POST', url: `${server.url}/x`, json: { a: 'ä' } });
    expect(outcome).toEqual({
      kind: 'answered',
      status: 429,
      headers: expect.objectContaining({ 'x-ogw-ratelimit-reset': '7' }) as object,
      body: { code: 99991400 },
    });
    expect(server.seen[0]).toMatchObject({
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: Buffer.from('{"a":"ä"}').toString('latin1'),
    });
  });

  test('that is not JSON has no body', async () => {
    const server = await serve((response) => response.writeHead(502).end('<html>502</html>'));
    expect(await http().call({ method: 'GET', url: server.url })).toMatchObject({
      kind: 'answered',
      status: 502,
      body: undefined,
    });
  });

  test('that is larger than the limit is not read to its end', async () => {
    const server = await serve((response) => response.end('x'.repeat(3_000)));
    const outcome = await http({ answerBytesMax: 2_000 }).call({ method: 'GET', url: server.url });
    expect(outcome).toMatchObject({ kind: 'no_answer' });
  });

  test('MOL-CC-04: is waited for 15 s, unless another time is set', async () => {
    const limits = fasterLimit(15_000);
    const server = await serve(() => undefined);
    const outcome = await http().call({ method: 'GET', url: server.url });
    expect(outcome.kind).toBe('no_answer');
    expect(limits.count).toBe(1);
  });

  test('that is asked for as a stream is returned unread', async () => {
    const server = await serve((response) => response.end(Buffer.from([0, 255, 1])));
    const outcome = await http().call({ method: 'GET', url: server.url, stream: true });
    if (outcome.kind !== 'answered') throw new Error(outcome.detail);
    const chunks: Buffer[] = [];
    for await (const chunk of outcome.body as AsyncIterable<Buffer>) chunks.push(chunk);
    expect(Buffer.concat(chunks)).toEqual(Buffer.from([0, 255, 1]));
  });

  test('with an error is read as JSON even if a stream was asked for', async () => {
    const server = await serve((response) => json(response, { code: 234003 }, 400));
    const outcome = await http().call({ method: 'GET', url: server.url, stream: true });
    expect(outcome).toMatchObject({ status: 400, body: { code: 234003 } });
  });
});

describe('a detail', () => {
  test('names the proxy that refuses the connection, and its answer', async () => {
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

  test('names a proxy that does not run, without its password', async () => {
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

  test('says that the time was over', async () => {
    const server = await serve(() => undefined);
    const outcome = await http({ callTimeoutMs: 100 }).call({ method: 'GET', url: server.url });
    expect(outcome).toMatchObject({
      code: 'timed out',
      detail: expect.stringContaining('timed out'),
    });
  });

  test('names the host, but neither the path nor the query', async () => {
    const server = await serve((response) => response.socket?.destroy());
    const outcome = await http().call({ method: 'GET', url: `${server.url}/p?ticket=t0p` });
    expect(outcome).toMatchObject({
      kind: 'no_answer',
      detail: expect.stringContaining('127.0.0.1'),
    });
    expect(JSON.stringify(outcome)).not.toMatch(/ticket|t0p/);
  });
});

test('a bug in the request is thrown', async () => {
  await expect(http().call({ method: 'GET', url: 'not a url' })).rejects.toThrow();
});
