import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CallFailed, createHttpInstance } from '../../../src/lark/outbound/http-instance.ts';
import { createHttp, type LarkHttp } from '../../../src/lark/outbound/http.ts';
import { type Client, loadSdk } from '../../../src/lark/sdk.ts';
import { json, type LocalServer, startServer } from './local-server.ts';

/** The real client of the SDK over our HTTP. */
let server: LocalServer;
let http: LarkHttp;
let client: Client;
let answer: (response: Parameters<Parameters<typeof startServer>[0]>[0]) => void;

beforeEach(async () => {
  server = await startServer((response) => answer(response));
  http = createHttp();
  const drop = () => undefined;
  client = new (loadSdk().Client)({
    appId: 'cli_0123456789abcdef',
    appSecret: 's3cret',
    domain: server.url,
    disableTokenCache: true,
    httpInstance: createHttpInstance(http),
    logger: { error: drop, warn: drop, info: drop, debug: drop, trace: drop },
  });
});
afterEach(async () => {
  await http.close();
  await server.stop();
});

const token = { headers: { Authorization: 'Bearer t-1' } };

test('a POST with JSON', async () => {
  answer = (response) => json(response, { code: 0, data: { message_id: 'om_2' } });
  const body = await client.im.v1.message.reply(
    { path: { message_id: 'om_1' }, data: { content: '{}', msg_type: 'text', uuid: 'u' } },
    token,
  );
  expect(body.data?.message_id).toBe('om_2');
  expect(server.seen[0]).toMatchObject({
    method: 'POST',
    url: '/open-apis/im/v1/messages/om_1/reply',
    headers: {
      authorization: 'Bearer t-1',
      'user-agent': expect.stringContaining('oapi-node-sdk/'),
    },
    body: JSON.stringify({ content: '{}', msg_type: 'text', uuid: 'u' }),
  });
});

test('GET and DELETE go without the empty body that the SDK gives them', async () => {
  answer = (response) => json(response, { code: 0, data: {} });
  await client.im.v1.message.list(
    { params: { container_id_type: 'chat', container_id: 'oc_1' } },
    token,
  );
  await client.im.v1.messageReaction.delete(
    { path: { message_id: 'om_1', reaction_id: 'r1' } },
    token,
  );
  await client.request({ method: 'GET', url: '/open-apis/bot/v3/info' }, token);
  expect(server.seen.map(({ method, url, body }) => [method, url, body])).toEqual([
    ['GET', '/open-apis/im/v1/messages?container_id_type=chat&container_id=oc_1', ''],
    ['DELETE', '/open-apis/im/v1/messages/om_1/reactions/r1', ''],
    ['GET', '/open-apis/bot/v3/info', ''],
  ]);
  expect(server.seen.every(({ headers }) => headers['content-type'] === undefined)).toBe(true);
});

test('the key of a list is repeated for each value', async () => {
  answer = (response) => json(response, { code: 0, data: {} });
  await client.contact.v3.user.batch({ params: { user_ids: ['a', 'b c'] } }, token);
  expect(server.seen[0]?.url).toContain('user_ids=a&user_ids=b%20c');
});

test('an upload becomes a form', async () => {
  answer = (response) => json(response, { code: 0, data: { image_key: 'img_1' } });
  const image = Buffer.from([1, 2, 255]);
  expect(
    await client.im.v1.image.create({ data: { image_type: 'message', image } }, token),
  ).toEqual({
    image_key: 'img_1',
  });
  const [seen] = server.seen;
  expect(seen?.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
  expect(seen?.body).toContain('name="image_type"\r\n\r\nmessage\r\n');
  expect(seen?.body).toContain(`\r\n\r\n${image.toString('latin1')}\r\n`);
});

test('a download comes as a stream with its headers', async () => {
  answer = (response) => response.writeHead(200, { 'content-type': 'image/png' }).end('bytes');
  const resource = await client.im.v1.messageResource.get(
    { path: { message_id: 'om_1', file_key: 'f1' }, params: { type: 'image' } },
    token,
  );
  expect(resource.headers).toMatchObject({ 'content-type': 'image/png' });
  const chunks = await resource.getReadableStream().toArray();
  expect(Buffer.concat(chunks as Buffer[]).toString()).toBe('bytes');
});

describe('everything except a success is thrown, with all that is known', () => {
  const read = () => client.im.v1.chat.get({ path: { chat_id: 'oc_1' } }, token);

  test.each<[string, number, string, object]>([
    ['a business error', 400, '{"code":230002,"msg":"x"}', { status: 400, body: { code: 230002 } }],
    [
      'HTTP 200 with a code',
      200,
      '{"code":230020,"msg":"x"}',
      { status: 200, body: { code: 230020 } },
    ],
    ['an HTML page', 502, '<html>', { status: 502, body: undefined }],
    ['HTTP 200 that is no JSON', 200, 'ok', { status: 200, body: undefined }],
    ['JSON without a code', 200, '{}', { status: 200 }],
  ])('%s', async (_what, status, body, outcome) => {
    answer = (response) => response.writeHead(status).end(body);
    const error = await read().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CallFailed);
    expect((error as CallFailed).outcome).toMatchObject({ kind: 'answered', ...outcome });
  });

  test('a connection that was cut', async () => {
    answer = (response) => response.socket?.destroy();
    await expect(read()).rejects.toMatchObject({ outcome: { kind: 'no_answer' } });
  });
});
