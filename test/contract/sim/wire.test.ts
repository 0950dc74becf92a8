import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import type { SimApp } from '../../../src/sim/world/model.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import { createClient } from './sdk-client.ts';

let lark: LarkCloud;
let app: SimApp;

beforeEach(async () => {
  lark = await startLarkCloud();
  app = lark.addApp({ name: 'Helper' });
});

afterEach(() => lark.stop());

interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

async function call(path: string, init: RequestInit = {}): Promise<Reply> {
  const response = await fetch(lark.openBaseUrl + path, init);
  const body = (await response.json()) as Record<string, unknown>;
  return { status: response.status, headers: response.headers, body };
}

const post = (path: string, body: unknown, headers = {}) =>
  call(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

const TOKEN_PATH = '/open-apis/auth/v3/tenant_access_token/internal';
const askToken = () => post(TOKEN_PATH, { app_id: app.appId, app_secret: app.appSecret });
const bearer = async () => ({
  authorization: `Bearer ${String((await askToken()).body['tenant_access_token'])}`,
});

describe('tokens', () => {
  test('come with their fields at the top level', async () => {
    expect((await askToken()).body).toEqual({
      code: 0,
      msg: 'ok',
      tenant_access_token: expect.stringMatching(/^t-/),
      expire: 7_200,
    });
  });

  test('are the same while 30 minutes are left, then new; both stay valid', async () => {
    const first = await askToken();
    lark.advance(5_399_000);
    const same = await askToken();
    expect(same.body['tenant_access_token']).toBe(first.body['tenant_access_token']);
    expect(same.body['expire']).toBeLessThanOrEqual(1_801);
    lark.advance(2_000);
    const second = await askToken();
    expect(second.body['tenant_access_token']).not.toBe(first.body['tenant_access_token']);
    for (const { body } of [first, second]) {
      const authorization = `Bearer ${String(body['tenant_access_token'])}`;
      const info = await call('/open-apis/bot/v3/info', { headers: { authorization } });
      expect(info.body['code']).toBe(0);
    }
    lark.advance(1_800_000);
    const authorization = `Bearer ${String(first.body['tenant_access_token'])}`;
    const info = await call('/open-apis/bot/v3/info', { headers: { authorization } });
    expect(info).toMatchObject({ status: 400, body: { code: 99991663 } });
  });

  test('are refused with HTTP 200', async () => {
    const answers = [
      await post(TOKEN_PATH, {}),
      await post(TOKEN_PATH, { app_id: app.appId, app_secret: 'no' }),
      await post(TOKEN_PATH, { app_id: 'cli_0000000000000000', app_secret: 'no' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(answers.map(({ body }) => body['code'])).toEqual([10003, 10014, 10014]);
  });

  test('are needed, and must be valid', async () => {
    const info = (headers = {}) => call('/open-apis/bot/v3/info', { headers });
    expect((await info()).body['code']).toBe(99991661);
    expect((await info({ authorization: 'Bearer t-0' })).body['code']).toBe(99991663);
    const headers = await bearer();
    lark.revokeTokens(app);
    expect((await info(headers)).body['code']).toBe(99991663);
  });
});

describe('HTTP', () => {
  test('every answer has a log id, and the error of a refusal has it too', async () => {
    const { status, headers, body } = await call('/open-apis/bot/v3/info');
    expect(status).toBe(400);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(body).toMatchObject({ error: { log_id: headers.get('x-tt-logid') } });
    expect((await askToken()).headers.get('x-tt-logid')).toBeTruthy();
  });

  test('the answer to an unknown path is not JSON', async () => {
    const response = await fetch(`${lark.openBaseUrl}/open-apis/im/v1/nothing`);
    expect(response.status).toBe(404);
    expect(await response.text()).toBe('404 page not found');
    expect(lark.calls()).toMatchObject([{ path: '/open-apis/im/v1/nothing', status: 404 }]);
  });

  test('GET and DELETE may have a body {}', async () => {
    const { port } = new URL(lark.openBaseUrl);
    const headers = {
      ...(await bearer()),
      'content-type': 'application/json',
      'content-length': 2,
    };
    const codes = [];
    for (const [method, path] of [
      ['GET', '/open-apis/bot/v3/info'],
      ['DELETE', '/open-apis/im/v1/messages/om_none'],
    ]) {
      codes.push(
        await new Promise((resolve, reject) => {
          const options = { port, host: '127.0.0.1', method, path, headers };
          const sent = request(options, (response) => {
            let text = '';
            response.on('data', (chunk: Buffer) => (text += chunk.toString()));
            response.on('end', () => resolve((JSON.parse(text) as { code: number }).code));
          });
          sent.on('error', reject).end('{}');
        }),
      );
    }
    expect(codes).toEqual([0, 230110]);
  });

  test('a body that does not fit its content type is refused', async () => {
    const headers = { 'content-type': 'application/json', ...(await bearer()) };
    for (const body of ['{', '[]', '"text"']) {
      const reply = await call('/open-apis/im/v1/messages', { method: 'POST', headers, body });
      expect(reply).toMatchObject({ status: 400, body: { code: 9499 } });
    }
  });

  test('multipart parts without a file name, in chunks, are files', async () => {
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64',
    );
    const client = createClient(lark, app);
    const answer = await client.im.v1.image.create({ data: { image_type: 'message', image: png } });
    expect(answer?.image_key).toMatch(/^img_v3_/);
    expect(lark.world.uploads.get(answer?.image_key ?? '')?.bytes.equals(png)).toBe(true);
  });

  test('bot info and the number of connections', async () => {
    const headers = await bearer();
    expect((await call('/open-apis/bot/v3/info', { headers })).body).toEqual({
      code: 0,
      msg: 'ok',
      bot: {
        activate_status: 2,
        app_name: 'Helper',
        avatar_url: expect.any(String),
        ip_white_list: [],
        open_id: app.botOpenId,
      },
    });
    lark.setStrangers(app, 2);
    expect((await call('/open-apis/event/v1/connection', { headers })).body).toMatchObject({
      data: { online_instance_cnt: 2 },
    });
  });

  test('a bug in a route gives the client a 500, and the process goes on', async () => {
    const warned = new Promise((resolve) => process.once('warning', resolve));
    lark.cloud.tokens.issue = () => {
      throw new Error('planted');
    };
    expect(await askToken()).toMatchObject({ status: 500, body: { code: 1500 } });
    expect(await warned).toMatchObject({ message: 'planted' });
  });

  test('keeps keptMax calls', async () => {
    await lark.stop();
    lark = await startLarkCloud({ keptMax: 3 });
    for (let at = 0; at < 10; at += 1) await fetch(`${lark.openBaseUrl}/none/${at}`);
    expect(lark.calls().map(({ path }) => path)).toEqual(['/none/7', '/none/8', '/none/9']);
  });
});
