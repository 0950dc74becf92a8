import { createServer as createHttpServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { HttpClient, type HttpCall, type HttpOptions } from '../../../src/net/http.ts';
import { createServerIdentity } from '../../../src/sim/tls/certificates.ts';
import { json, type LocalServer, startServer } from '../lark/local-server.ts';
import { temporaryFolder } from '../../kit/folder.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function serve(answer: Parameters<typeof startServer>[0]): Promise<LocalServer> {
  const server = await startServer(answer);
  closers.push(() => server.stop());
  return server;
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return (server.address() as AddressInfo).port;
}

/** A server that does this with every connection. */
async function rawServer(take: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    take(socket);
  });
  const port = await listening(server);
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return port;
}

function client(options: Partial<HttpOptions> = {}): HttpClient {
  const made = new HttpClient({ connectTimeoutMs: 5_000, answerBytesMax: 100_000, ...options });
  closers.push(() => made.close());
  return made;
}

const get = (url: string, more: Partial<HttpCall> = {}) =>
  ({ method: 'GET', url, timeoutMs: 5_000, ...more }) as const;
const post = (url: string, more: Partial<HttpCall> = {}) =>
  ({ method: 'POST', url, json: {}, timeoutMs: 5_000, ...more }) as const;

describe('a call', () => {
  test('with JSON, and an answer with status, headers and JSON', async () => {
    const server = await serve((response) => {
      response.setHeader('X-Ogw-Ratelimit-Reset', '7');
      json(response, { code: 99991400 }, 429);
    });
    expect(await client().call(post(`${server.url}/x`, { json: { a: 'ä' } }))).toMatchObject({
      kind: 'answer',
      status: 429,
      headers: { 'x-ogw-ratelimit-reset': '7' },
      body: { code: 99991400 },
    });
    expect(server.seen[0]).toMatchObject({
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': '10' },
      body: Buffer.from('{"a":"ä"}').toString('latin1'),
    });
  });

  test('with a text that is sent as it is', async () => {
    const server = await serve((response) => json(response, {}));
    const headers = { 'content-type': 'text/x-own' };
    await client().call({ method: 'PUT', url: server.url, headers, text: 'a=b', timeoutMs: 5_000 });
    expect(server.seen[0]).toMatchObject({ method: 'PUT', headers, body: 'a=b' });
  });

  test('with a form of texts and bytes', async () => {
    const server = await serve((response) => json(response, {}));
    const form = [
      { name: 'kind', value: 'image' },
      { name: 'file', value: new Uint8Array([1, 2, 255]), fileName: 'a.png' },
    ];
    await client().call({ method: 'POST', url: server.url, form, timeoutMs: 5_000 });
    const [seen] = server.seen;
    expect(seen?.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
    expect(seen?.headers['content-length']).toBe(String(seen?.body.length));
    expect(seen?.body).toContain('name="kind"\r\n\r\nimage\r\n');
    expect(seen?.body).toContain('name="file"; filename="a.png"');
    expect(seen?.body).toContain('\r\n\r\n\u0001\u0002\u00FF\r\n');
  });

  test('goes over a kept connection, or over one of its own', async () => {
    const server = await serve((response) => json(response, {}));
    let connections = 0;
    server.server.on('connection', () => (connections += 1));
    const http = client({ keptMs: 60_000 });
    for (const alone of [false, false, true, true]) {
      await http.call(post(server.url, { alone }));
      // undici takes a connection back in the turn of the event loop after the answer's end.
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(connections).toBe(3);
    expect(server.seen.map(({ headers }) => headers.connection)).toEqual([
      'keep-alive',
      'keep-alive',
      'close',
      'close',
    ]);
  });

  test('that is a bug is thrown', async () => {
    await expect(client().call(get('not a url'))).rejects.toThrow();
    const headers = { 'bad name': 'x' };
    await expect(client().call(get('http://127.0.0.1:1', { headers }))).rejects.toThrow();
  });
});

describe('an answer', () => {
  test.each<[string, string, object]>([
    ['JSON', '{"a":1}', { form: 'json', body: { a: 1 } }],
    ['JSON behind a byte order mark', '\uFEFF[]', { form: 'json', body: [] }],
    ['a web page', '\n<html>502</html>', { form: 'html', body: undefined }],
    ['nothing', ' \n', { form: 'empty', body: undefined }],
    ['something else', '{"a":', { form: 'other', body: undefined }],
  ])('that is %s', async (_what, text, expected) => {
    const server = await serve((response) => response.writeHead(502).end(text));
    expect(await client().call(get(server.url))).toMatchObject({
      kind: 'answer',
      status: 502,
      ...expected,
    });
  });

  test('says when to come back, and what time it is there', async () => {
    const date = 'Thu, 01 Oct 2026 10:00:00 GMT';
    const server = await serve((response) => {
      response.writeHead(503, { 'retry-after': '7', date }).end();
    });
    expect(await client().call(get(server.url))).toMatchObject({
      retryAfterSecs: 7,
      dateMs: Date.UTC(2026, 9, 1, 10),
    });
  });

  test.each(['soon', '-1', 'Thu, 01 Oct 2026 10:00:00 GMT'])(
    'with retry-after: %s and no sound date says neither',
    async (retryAfter) => {
      const server = await serve((response) => {
        response.writeHead(503, { 'retry-after': retryAfter, date: 'x' }).end();
      });
      expect(await client().call(get(server.url))).toMatchObject({
        retryAfterSecs: undefined,
        dateMs: undefined,
      });
    },
  );

  test('beyond the limit is not read to its end', async () => {
    const server = await serve((response) => response.end('x'.repeat(3_000)));
    expect(await client({ answerBytesMax: 2_000 }).call(get(server.url))).toMatchObject({
      kind: 'no_answer',
      code: 'too large',
    });
    expect(await client({ answerBytesMax: 3_000 }).call(get(server.url))).toMatchObject({
      kind: 'answer',
    });
  });

  test('as a stream is handed over unread, and has no bound', async () => {
    const server = await serve((response) => response.end(Buffer.from([0, 255, 1])));
    const http = client({ answerBytesMax: 2 });
    const outcome = await http.open(get(server.url), ({ status }) => status < 300);
    if (outcome.kind !== 'stream') throw new Error(outcome.kind);
    const chunks: Buffer[] = [];
    for await (const chunk of outcome.stream) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks)).toEqual(Buffer.from([0, 255, 1]));
  });

  test('that could have been a stream and is none is read as JSON', async () => {
    const server = await serve((response) => json(response, { code: 234003 }, 400));
    const outcome = await client().open(get(server.url), ({ status }) => status < 300);
    expect(outcome).toMatchObject({ kind: 'answer', status: 400, body: { code: 234003 } });
  });
});

/** Every way of sending a body, and none. */
const CALLS: readonly (readonly [string, (url: string) => HttpCall])[] = [
  ['a GET', get],
  ['JSON', post],
  ['a form', (url) => post(url, { json: undefined, form: [{ name: 'a', value: 'b' }] })],
  ['a text', (url) => post(url, { json: undefined, text: 'a' })],
];

describe.each(CALLS)('nothing was sent of %s', (_what, call) => {
  async function closedPort(): Promise<number> {
    const server = createServer();
    const port = await listening(server);
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
    [
      'the connection is cut during the TLS handshake',
      async () => {
        const port = await rawServer((socket) => {
          socket.once('data', () => socket.resetAndDestroy());
        });
        return `https://127.0.0.1:${port}`;
      },
    ],
  ])('if %s', async (_why, url) => {
    expect(await client().call(call(await url()))).toMatchObject({ kind: 'not_sent' });
  });

  test('if the proxy refuses the way', async () => {
    const proxy = await serve(() => undefined);
    proxy.server.on('connect', (_request, socket) => {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    });
    const http = client({ proxies: { httpProxy: proxy.url } });
    expect(await http.call(call('http://lark.invalid/x'))).toMatchObject({
      kind: 'not_sent',
      code: 'UND_ERR_ABORTED',
      proxy: { name: proxy.url, status: 407 },
    });
  });

  test('if the proxy is dead: it is named, without its password', async () => {
    const proxy = await serve(() => undefined);
    await proxy.stop();
    const named = proxy.url.replace('http://', 'http://ann:geheim@');
    const outcome = await client({ proxies: { httpsProxy: named } }).call(
      call('https://lark.invalid/x'),
    );
    expect(outcome).toMatchObject({
      kind: 'not_sent',
      code: 'ECONNREFUSED',
      detail: expect.stringMatching(/^connect ECONNREFUSED .* \(through the proxy http:\/\/127/),
      proxy: { name: proxy.url, status: undefined },
    });
    expect(JSON.stringify(outcome)).not.toContain('geheim');
  });

  test('if the client is closed, for a kept connection and for one of its own', async () => {
    const server = await serve((response) => json(response, {}));
    const http = client();
    await http.close();
    for (const alone of [false, true]) {
      expect(await http.call({ ...call(server.url), alone })).toMatchObject({ kind: 'not_sent' });
    }
    expect(server.seen).toEqual([]);
  });

  test('if it was stopped before', async () => {
    const server = await serve((response) => json(response, {}));
    const outcome = await client().call({ ...call(server.url), signal: AbortSignal.abort() });
    expect(outcome).toMatchObject({ kind: 'not_sent', code: 'stopped' });
    expect(server.seen).toEqual([]);
  });
});

test('nothing was sent if the connection, or the whole call, takes too long', async () => {
  // It takes the connection, and never says a word of TLS.
  const url = `https://127.0.0.1:${await rawServer(() => {})}`;
  const http = client({ connectTimeoutMs: 200 });
  expect(
    await Promise.all([http.call(post(url)), http.call(post(url, { timeoutMs: 1 }))]),
  ).toMatchObject([{ kind: 'not_sent', code: 'UND_ERR_CONNECT_TIMEOUT' }, { kind: 'not_sent' }]);
});

describe.each(CALLS)('no answer came to %s: it may have happened', (_what, call) => {
  test('the connection was cut', async () => {
    const server = await serve((response) => response.socket?.resetAndDestroy());
    expect(await client().call(call(server.url))).toMatchObject({ kind: 'no_answer' });
    expect(server.seen).toHaveLength(1);
  });

  test('the answer was cut in the middle', async () => {
    const server = await serve((response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('{"code":', () => response.socket?.end());
    });
    expect(await client().call(call(server.url))).toMatchObject({ kind: 'no_answer' });
  });

  test('the other side speaks no HTTP', async () => {
    const port = await rawServer((socket) => {
      socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.6\r\n'));
    });
    expect(await client().call(call(`http://127.0.0.1:${port}`))).toMatchObject({
      kind: 'no_answer',
    });
  });

  test('the server says nothing', async () => {
    const server = await serve((response, { url }) => {
      if (url === '/first') json(response, {});
    });
    const http = client({ keptMs: 60_000 });
    // Opens the connection, so that the short time is that of the answer alone.
    await http.call(get(`${server.url}/first`));
    expect(await http.call({ ...call(server.url), timeoutMs: 100 })).toMatchObject({
      kind: 'no_answer',
      code: 'timed out',
      detail: 'no whole answer within 0.1 s',
    });
  });

  test('the client is closed', async () => {
    const server = await serve(() => undefined);
    const mine = client();
    const outcome = mine.call(call(server.url));
    await expect.poll(() => server.seen.length).toBe(1);
    await mine.close();
    expect((await outcome).kind).toBe('no_answer');
  });

  test('it was stopped', async () => {
    const server = await serve(() => undefined);
    const stop = new AbortController();
    const outcome = client().call({ ...call(server.url), signal: stop.signal });
    await expect.poll(() => server.seen.length).toBe(1);
    stop.abort();
    expect(await outcome).toMatchObject({ kind: 'no_answer', code: 'stopped' });
  });
});

test('no answer came where a stream could have come: it may have happened', async () => {
  const server = await serve(() => undefined);
  const outcome = await client().open(post(server.url, { timeoutMs: 100 }), () => true);
  expect(outcome).toMatchObject({ kind: 'no_answer', code: 'UND_ERR_HEADERS_TIMEOUT' });
});

test('a detail names neither path nor query', async () => {
  const server = await serve((response) => response.socket?.destroy());
  const outcome = await client().call(get(`${server.url}/p?ticket=t0p`));
  expect(outcome).toMatchObject({ kind: 'no_answer' });
  expect(JSON.stringify(outcome)).not.toMatch(/ticket|t0p/);
});

describe('proxies', () => {
  async function tunnel(): Promise<LocalServer & { ways: string[] }> {
    const proxy = await serve(() => undefined);
    const ways: string[] = [];
    proxy.server.on('connect', (request, caller) => {
      ways.push(request.url ?? '');
      const [host = '', port] = (request.url ?? '').split(':');
      const upstream = connect(Number(port), host, () => {
        caller.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.pipe(caller).pipe(upstream);
      });
      upstream.on('error', () => caller.destroy());
      caller.on('error', () => upstream.destroy());
      closers.push(() => (caller.destroy(), upstream.destroy()));
    });
    return Object.assign(proxy, { ways });
  }

  test('calls go through the one that is set', async () => {
    const server = await serve((response) => json(response, { code: 0 }));
    const proxy = await tunnel();
    const outcome = await client({ proxies: { httpProxy: proxy.url } }).call(get(server.url));
    expect(outcome).toMatchObject({ status: 200 });
    expect(proxy.ways).toEqual([new URL(server.url).host]);
  });

  test('through the one of ALL_PROXY where there is no other', async () => {
    const server = await serve((response) => json(response, { code: 0 }));
    const proxy = await tunnel();
    const http = client({ proxies: { allProxy: proxy.url } });
    for (let call = 0; call < 2; call += 1) {
      expect(await http.call(get(server.url))).toMatchObject({ status: 200 });
    }
    expect(new Set(proxy.ways)).toEqual(new Set([new URL(server.url).host]));
    await http.close();
    expect(await http.call(get(server.url))).toMatchObject({ kind: 'not_sent' });
  });

  test.each(['10.0.0.0/8, *', '127.0.0.0/8', '::1,127.0.0.1/32'])(
    'but not where NO_PROXY=%s says otherwise',
    async (noProxy) => {
      const server = await serve((response) => json(response, { code: 0 }));
      const proxy = await tunnel();
      const http = client({ proxies: { httpProxy: proxy.url, noProxy } });
      expect(await http.call(get(server.url))).toMatchObject({ status: 200 });
      expect(proxy.ways).toEqual([]);
    },
  );

  test('but not to hosts of NO_PROXY, and not by what the environment of the tests says', async () => {
    const server = await serve((response) => json(response, { code: 0 }));
    const proxy = await tunnel();
    process.env['HTTP_PROXY'] = proxy.url;
    closers.push(() => delete process.env['HTTP_PROXY']);
    for (const settings of [{ httpProxy: proxy.url, noProxy: 'example.org,127.0.0.1' }, {}]) {
      const outcome = await client({ proxies: settings }).call(get(server.url));
      expect(outcome).toMatchObject({ status: 200 });
    }
    expect(proxy.ways).toEqual([]);
  });
});

describe('a certificate of our own', () => {
  const own = createServerIdentity(['own.example']);

  async function serveTls(): Promise<string> {
    const server = createTlsServer({ cert: own.cert, key: own.key }, (_request, response) => {
      json(response, {});
    });
    const port = await listening(server);
    closers.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return `https://127.0.0.1:${port}`;
  }

  test('is trusted, whatever name it carries', async () => {
    const http = client({ certificatePem: own.caPem });
    expect(await http.call(get(await serveTls()))).toMatchObject({ kind: 'answer', status: 200 });
  });

  test.each([
    ['no other', createServerIdentity(['127.0.0.1']).caPem],
    ['not unless it is named', undefined],
  ])('%s', async (_what, certificatePem) => {
    const http = client({ certificatePem });
    expect(await http.call(post(await serveTls()))).toMatchObject({
      kind: 'not_sent',
      code: expect.stringMatching(/SELF_SIGNED|UNABLE_TO_VERIFY/),
    });
  });
});

test('calls go through a socket of the machine, whatever host their URL names', async () => {
  const folder = temporaryFolder();
  const socketPath = join(folder, 's');
  const http = client({ socketPath });
  expect(await http.call(post('http://some.invalid/'))).toMatchObject({
    kind: 'not_sent',
    code: 'ENOENT',
  });
  const server = createHttpServer((_request, response) => json(response, { a: 1 }));
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  expect(await http.call(post('http://some.invalid/'))).toMatchObject({ body: { a: 1 } });
});
