/** What a network and a broken or hostile platform can do to a call. */
import { createServer as createTcpServer, type Socket } from 'node:net';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { PlatformDouble, Scripted } from './double.ts';
import { clientOf, eventually, NEVER, openDouble, turnFor } from './rig.ts';

const MB = 1024 * 1024;

let platform: PlatformDouble;

beforeEach(async () => {
  platform = await openDouble();
});

async function sendTo(answer: Scripted, options: Parameters<typeof clientOf>[1] = {}) {
  const { client, log } = clientOf(platform, options);
  await client.start();
  platform.script('a2a', { ...answer, late: true });
  const result = await client.send(turnFor(platform), NEVER);
  return { result, log };
}

/** Endless bytes, as long as somebody takes them. */
function pour(response: ServerResponse, poured: { bytes: number; over: boolean }): void {
  const chunk = Buffer.alloc(MB, 'x');
  response.on('close', () => (poured.over = true));
  const next = () => {
    while (!poured.over) {
      poured.bytes += chunk.byteLength;
      if (!response.write(chunk)) {
        response.once('drain', next);
        return;
      }
    }
  };
  next();
}

/** A server that speaks no HTTP: it does this with a connection. */
async function rawServer(take: (socket: Socket) => void): Promise<string> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    take(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A client of that address whose registration is not waited for. */
const clientAt = (url: string) => clientOf(platform, { url }).client;

describe('an answer', () => {
  test('MOL-RES-12: beyond 64 MB is not read to its end; the turn is in doubt, and not sent again', async () => {
    const poured = { bytes: 0, over: false };
    const { result } = await sendTo({ act: (_request, response) => pour(response, poured) });
    expect(result).toEqual({ kind: 'unknown', detail: 'its answer is larger than 64 MB' });
    await eventually(() => poured.over).toBe(true);
    expect(poured.bytes).toBeLessThan(100 * MB);
  });

  test('of 60 MB is taken', async () => {
    const text = 'y'.repeat(60 * MB);
    const { result } = await sendTo({ json: { result: { parts: [{ kind: 'text', text }] } } });
    expect(result.kind === 'answered' && result.text.length).toBe(60 * MB);
  });

  test('that breaks off in the middle leaves the turn in doubt', async () => {
    const { result } = await sendTo({
      act: (request, response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('{"result":', () => request.socket.destroy());
      },
    });
    expect(result).toEqual({
      kind: 'unknown',
      detail: expect.stringMatching(/closed|terminated|length/),
    });
  });

  test('that never ends is given up when the time of the turn is over', async () => {
    const act: Scripted['act'] = (_request, response) => {
      response.writeHead(200);
      response.write('{');
    };
    const { result } = await sendTo({ act }, { turnTimeoutMs: 1_000 });
    expect(result).toEqual({ kind: 'unknown', detail: 'no whole answer within 1 s' });
  });

  test('that is no HTTP leaves the turn in doubt', async () => {
    const url = await rawServer((socket) => {
      socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.6\r\n'));
    });
    expect(await clientAt(url).send(turnFor(platform), NEVER)).toMatchObject({ kind: 'unknown' });
  });

  test.each([
    ['half of a JSON', { text: '{"result": {"parts": [' }],
    ['JSON in another encoding', { text: '\uFEFFÿþ{' }],
    ['JSON with a byte order mark', { text: '\uFEFF{"result":null}' }],
  ])('%s is no answer', async (_name, answer) => {
    expect((await sendTo(answer)).result).toMatchObject({ kind: 'unknown' });
  });

  test('a text with every kind of character comes through', async () => {
    const text = '\u0000 \uD83D\uDE00 世界 \u2028 </script> "\\';
    const { result } = await sendTo({ json: { result: { parts: [{ kind: 'text', text }] } } });
    expect(result).toEqual({ kind: 'answered', text });
  });
});

describe('a connection', () => {
  test.each([
    ['MOL-A2A-08: that nobody takes', 'http://127.0.0.1:1', /ECONNREFUSED/],
    ['to a name that does not exist', 'http://no-such-host.invalid', /no-such-host/],
    ['over TLS to a server without it', 'https', /./],
  ])('%s means that nothing was sent: it goes out again', async (_name, at, words) => {
    const url = at === 'https' ? platform.url.replace('http', 'https') : at;
    expect(await clientAt(url).send(turnFor(platform), NEVER)).toEqual({
      kind: 'unreachable',
      detail: expect.stringMatching(words),
    });
  });

  test('MOL-A2A-08: that is closed after the request came in leaves the turn in doubt', async () => {
    const url = await rawServer((socket) => socket.once('data', () => socket.destroy()));
    expect(await clientAt(url).send(turnFor(platform), NEVER)).toMatchObject({ kind: 'unknown' });
  });

  test('through a proxy that refuses means that nothing was sent', async () => {
    const proxy = await rawServer((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'));
    });
    const { client } = clientOf(platform, {
      proxies: { httpProxy: proxy },
    });
    expect(await client.send(turnFor(platform), NEVER)).toEqual({
      kind: 'unreachable',
      detail: expect.stringMatching(/407.* \(through the proxy http:\/\/127\.0\.0\.1:\d+\)$/),
    });
  });

  test('through a proxy that is dead means the same, and names it without its password', async () => {
    const { client } = clientOf(platform, {
      proxies: { allProxy: 'http://ann:geheim@127.0.0.1:1' },
    });
    expect(await client.send(turnFor(platform), NEVER)).toEqual({
      kind: 'unreachable',
      detail: expect.stringMatching(
        /ECONNREFUSED.* \(through the proxy http:\/\/127\.0\.0\.1:1\)$/,
      ),
    });
  });
});

test('a stop cuts what is under way, and nothing is logged as trouble', async () => {
  const { client, log } = clientOf(platform);
  await client.start();
  platform.script('a2a', { act: () => {} });
  const ending = new AbortController();
  const sent = client.send(turnFor(platform), ending.signal);
  await eventually(() => platform.callsOf('a2a').length).toBe(1);
  ending.abort();
  expect(await sent).toMatchObject({ kind: 'unknown' });
  await client.stop();
  expect(log.lines.map(({ event }) => event)).toEqual(['registered']);
});
