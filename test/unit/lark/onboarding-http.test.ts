import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createHttp, type LarkHttp } from '../../../src/lark/outbound/http.ts';
import { createPost, type Post } from '../../../src/lark/connect/onboarding-http.ts';

const quiet = new AbortController().signal;
let server: Server;
let http: LarkHttp;
let post: Post;
let base: string;
let seen: { type: string | undefined; body: string }[];

beforeEach(async () => {
  seen = [];
  server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  http = createHttp();
  post = createPost(http);
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  seen.push({ type: request.headers['content-type'], body: await text(request) });
  if (request.url === '/silent') return;
  if (request.url === '/cut') request.socket.destroy();
  response.statusCode = 400;
  response.end(request.url === '/html' ? '<h1>no</h1>' : '{"error":"authorization_pending"}');
}

afterEach(async () => {
  await http.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

test('LCM-CON-05: a form is sent url-encoded, and an answer with an error status has its body', async () => {
  const reply = await post(`${base}/x`, { form: { action: 'poll', device_code: 'a b&c' } }, quiet);
  expect(reply).toMatchObject({
    kind: 'answered',
    status: 400,
    body: { error: 'authorization_pending' },
  });
  expect(seen).toEqual([
    { type: 'application/x-www-form-urlencoded', body: 'action=poll&device_code=a+b%26c' },
  ]);
});

test('JSON is sent as JSON', async () => {
  await post(`${base}/x`, { json: { app_id: 'a' } }, quiet);
  expect(seen).toEqual([{ type: 'application/json', body: '{"app_id":"a"}' }]);
});

test('a page that is not JSON has no body', async () => {
  expect(await post(`${base}/html`, { form: {} }, quiet)).toMatchObject({
    status: 400,
    body: undefined,
  });
});

test('a connection that was cut gives no answer', async () => {
  expect(await post(`${base}/cut`, { form: {} }, quiet)).toMatchObject({ kind: 'lost' });
});

test('an interruption does not wait for a silent server', async () => {
  const abort = new AbortController();
  const reply = post(`${base}/silent`, { form: {} }, abort.signal);
  await expect.poll(() => seen.length).toBe(1);
  abort.abort();
  expect(await reply).toEqual({ kind: 'lost', detail: 'interrupted' });
});
