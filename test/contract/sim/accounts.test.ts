import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import { startLarkCloud, type LarkCloudOptions } from '../../../src/sim/server.ts';
import { createClient, sdk } from './sdk-client.ts';

const PATH = '/oauth/v1/app/registration';
const BEGIN = { action: 'begin', archetype: 'PersonalAgent', auth_method: 'client_secret' };

let lark: LarkCloud;
const undo: (() => void)[] = [];

async function start(options: LarkCloudOptions = {}): Promise<void> {
  lark = await startLarkCloud(options);
}

afterEach(async () => {
  for (const one of undo.splice(0)) one();
  await lark.stop();
});

interface Reply {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

async function send(form: Record<string, string>): Promise<Reply> {
  const response = await fetch(lark.accountsBaseUrl + PATH, {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function begin(): Promise<{ deviceCode: string; userCode: string; url: string }> {
  const { body } = await send(BEGIN);
  return {
    deviceCode: String(body['device_code']),
    userCode: String(body['user_code']),
    url: String(body['verification_uri_complete']),
  };
}

function poll(deviceCode: string): Promise<Reply> {
  return send({ action: 'poll', device_code: deviceCode });
}

/** Sends the SDK, which knows only https, to the simulator. */
function redirectSdk(): void {
  const { interceptors } = sdk.defaultHttpInstance;
  const id = interceptors.request.use((request) => {
    const https = /^https:\/\/accounts\.(feishu\.cn|larksuite\.com)/;
    request.url = (request.url ?? '').replace(https, lark.accountsBaseUrl);
    return request;
  });
  undo.push(() => interceptors.request.eject(id));
}

describe('the official registerApp', () => {
  test('gets the credentials of a new app that works', async () => {
    await start({ accounts: { interval: 0.01 } });
    redirectSdk();
    const user = lark.addUser({ name: 'Ada' });
    const seen: string[] = [];
    const result = await sdk.registerApp({
      appPreset: { name: 'Helper' },
      addons: { preset: false, scopes: { tenant: ['im:resource'] } },
      onQRCodeReady: ({ url, expireIn }) => {
        expect(expireIn).toBe(600);
        lark.scan({ url, approve: true, as: user });
      },
      onStatusChange: ({ status }) => seen.push(status),
    });
    expect(result.user_info).toEqual({ open_id: user.openId, tenant_brand: 'feishu' });
    expect(seen).not.toContain('domain_switched');
    const app = lark.findApp(result.client_id);
    expect(app).toMatchObject({ name: 'Helper', appSecret: result.client_secret, brand: 'feishu' });
    expect([...app.scopes]).toEqual(['im:resource']);
    const info = await createClient(lark, app).request({
      method: 'GET',
      url: '/open-apis/bot/v3/info',
    });
    expect(info).toMatchObject({ code: 0, bot: { open_id: app.botOpenId, app_name: 'Helper' } });
  });

  test('asks the Lark side for the secret of a Lark tenant', async () => {
    await start({ accounts: { interval: 0.01 } });
    redirectSdk();
    const seen: string[] = [];
    const result = await sdk.registerApp({
      onQRCodeReady: ({ url }) => void lark.scan({ url, approve: true, brand: 'lark' }),
      onStatusChange: ({ status }) => seen.push(status),
    });
    expect(result.user_info?.tenant_brand).toBe('lark');
    expect(result.client_secret).toBe(lark.findApp(result.client_id).appSecret);
    expect(seen).toEqual(['domain_switched']);
  });

  test('polls until somebody approves or denies, and reports a denial', async () => {
    await start({ accounts: { interval: 0.01 } });
    redirectSdk();
    let polls = 0;
    const denied = sdk.registerApp({
      onQRCodeReady: () => undefined,
      onStatusChange: ({ status }) => {
        expect(status).toBe('polling');
        polls += 1;
        const [userCode = ''] = lark.accounts.waiting();
        if (polls === 3) lark.scan({ userCode, approve: false });
      },
    });
    await expect(denied).rejects.toMatchObject({ code: 'access_denied' });
    expect(lark.world.apps.size).toBe(0);
  });
});

describe('the device grant on the wire', () => {
  test('init returns the authentication methods', async () => {
    await start();
    expect(await send({ action: 'init' })).toEqual({
      status: 200,
      body: { supported_auth_methods: ['client_secret'] },
    });
  });

  test('begin returns the codes, the link and both names of the lifetime', async () => {
    await start({ accounts: { interval: 7, expiresIn: 90 } });
    const { status, body } = await send(BEGIN);
    const code = String(body['user_code']);
    expect(status).toBe(200);
    expect(code).toMatch(/^[A-Z0-9]{4}-[A-Z0-9]{4}$/);
    expect(body).toMatchObject({
      interval: 7,
      expires_in: 90,
      expire_in: 90,
      verification_uri: `${lark.accountsBaseUrl}/page/launcher`,
      verification_uri_complete: `${lark.accountsBaseUrl}/page/launcher?user_code=${code}`,
    });
  });

  test('a client that polls faster than the interval gets slow_down', async () => {
    await start({ accounts: { interval: 5 } });
    const { deviceCode } = await begin();
    const pending = { status: 400, body: { error: 'authorization_pending' } };
    expect(await poll(deviceCode)).toEqual(pending);
    expect(await poll(deviceCode)).toEqual({ status: 400, body: { error: 'slow_down' } });
    lark.advance(5_000);
    expect(await poll(deviceCode)).toEqual(pending);
  });

  test('a code expires after expires_in', async () => {
    await start({ accounts: { expiresIn: 30 } });
    const { deviceCode, userCode } = await begin();
    lark.advance(30_000);
    expect(await poll(deviceCode)).toMatchObject({ status: 400, body: { error: 'expired_token' } });
    expect(() => lark.scan({ userCode, approve: true })).toThrow('it is expired');
  });

  test('an unknown or used code is an invalid grant', async () => {
    await start();
    const refused = { status: 400, body: { error: 'invalid_grant' } };
    expect(await poll('nobody')).toMatchObject(refused);
    const { deviceCode, userCode } = await begin();
    lark.scan({ userCode, approve: true });
    expect(await poll(deviceCode)).toMatchObject({
      status: 200,
      body: { client_id: expect.stringMatching(/^cli_/) },
    });
    expect(await poll(deviceCode)).toMatchObject(refused);
  });

  test('a denied code stays denied', async () => {
    await start();
    const { deviceCode, userCode } = await begin();
    lark.scan({ userCode, approve: false });
    const denied = { status: 400, body: { error: 'access_denied' } };
    expect(await poll(deviceCode)).toMatchObject(denied);
    expect(await poll(deviceCode)).toMatchObject(denied);
  });

  test('one host serves both brands: first the brand is returned, then the secret', async () => {
    await start();
    const { deviceCode, userCode } = await begin();
    const app = lark.scan({ userCode, approve: true, brand: 'lark' });
    const first = await poll(deviceCode);
    expect(first.body).toMatchObject({
      client_id: app?.appId,
      user_info: { tenant_brand: 'lark' },
    });
    expect(first.body).not.toHaveProperty('client_secret');
    const second = await poll(deviceCode);
    expect(second).toMatchObject({ status: 200, body: { client_secret: app?.appSecret } });
  });

  test('a request that does not belong to this protocol is refused', async () => {
    await start();
    const refused = { status: 400, body: { error: 'invalid_request' } };
    expect(await send({})).toMatchObject(refused);
    expect(await send({ ...BEGIN, archetype: 'Robot' })).toMatchObject(refused);
    expect(await send({ ...BEGIN, auth_method: 'none' })).toMatchObject(refused);
  });

  test('the option beginError makes begin fail', async () => {
    await start({ accounts: { beginError: { error: 'unauthorized_client', description: 'no' } } });
    expect(await send(BEGIN)).toEqual({
      status: 400,
      body: { error: 'unauthorized_client', error_description: 'no' },
    });
  });

  test('a closed socket or a 502 does not change the grant', async () => {
    await start();
    const { deviceCode, userCode } = await begin();
    lark.faults.inject({ kind: 'request_lost', path: PATH });
    await expect(poll(deviceCode)).rejects.toThrow('fetch failed');
    lark.faults.inject({ kind: 'html_502', path: PATH });
    const page = await fetch(lark.accountsBaseUrl + PATH, {
      method: 'POST',
      body: new URLSearchParams({ action: 'poll', device_code: deviceCode }),
    });
    expect(page.status).toBe(502);
    lark.scan({ userCode, approve: true });
    expect(await poll(deviceCode)).toMatchObject({ status: 200 });
  });
});

describe('what the link asks for', () => {
  const addons = (value: unknown) => gzipSync(JSON.stringify(value)).toString('base64url');

  test('scopes in addons are added to the usual set, if the link does not turn the set off', async () => {
    await start();
    const extra = { scopes: { tenant: ['im:message.group_msg'] }, callbacks: { items: ['x.y'] } };
    const usual = lark.scan({
      url: `${(await begin()).url}&addons=${addons(extra)}`,
      approve: true,
    });
    expect(usual?.scopes).toContain('im:message.group_msg');
    expect(usual?.scopes).toContain('im:message:send_as_bot');
    expect(usual?.subscriptions).toContain('x.y');
    const bare = addons({ ...extra, preset: false, events: { items: { tenant: ['a.b'] } } });
    const alone = lark.scan({ url: `${(await begin()).url}&addons=${bare}`, approve: true });
    expect([...(alone?.scopes ?? [])]).toEqual(['im:message.group_msg']);
    expect([...(alone?.subscriptions ?? [])].toSorted()).toEqual(['a.b', 'x.y']);
  });

  test('an existing app is extended, if the link does not ask for a new one', async () => {
    await start();
    const app = lark.addApp({ scopes: [] });
    const wish = `clientID=${app.appId}&addons=${addons({ scopes: ['im:resource'] })}`;
    expect(lark.scan({ url: `${(await begin()).url}&${wish}`, approve: true })).toBe(app);
    expect([...app.scopes]).toEqual(['im:resource']);
    const fresh = lark.scan({
      url: `${(await begin()).url}&${wish}&createOnly=true`,
      approve: true,
    });
    expect(fresh).not.toBe(app);
  });

  test('unreadable addons are ignored', async () => {
    await start();
    const app = lark.scan({ url: `${(await begin()).url}&addons=nonsense`, approve: true });
    expect(app?.scopes).toContain('im:message:send_as_bot');
  });
});

describe('the page behind the link', () => {
  async function open(url: string): Promise<{ status: number; text: string }> {
    const response = await fetch(url);
    return { status: response.status, text: await response.text() };
  }

  /** Sends the page's form, as a browser does. */
  async function decide(url: string, choice: Record<string, string>): Promise<string> {
    const { text } = await open(url);
    const link = /name="link" value="([^"]*)"/.exec(text)?.[1] ?? '';
    const form = { link: link.replaceAll('&#38;', '&'), ...choice };
    const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form) });
    return response.text();
  }

  test.each(['launcher', 'cli'])(
    '/page/%s shows what will be created; a click creates it',
    async (name) => {
      await start();
      const user = lark.addUser({ name: 'Ada <&>' });
      const { url, deviceCode } = await begin();
      const link = `${url.replace('launcher', name)}&name=My+%22Bot%22`;
      const shown = await open(link);
      expect(shown.status).toBe(200);
      expect(shown.text).toContain('My &#34;Bot&#34;');
      expect(shown.text).toContain('Ada &#60;&#38;&#62;');
      const done = await decide(link, { decision: 'approve', as: user.openId, brand: 'feishu' });
      expect(done).toContain('Approved');
      const { body } = await poll(deviceCode);
      expect(body['user_info']).toEqual({ open_id: user.openId, tenant_brand: 'feishu' });
      expect(lark.findApp(String(body['client_id'])).name).toBe('My "Bot"');
    },
  );

  test("a denial creates no app, and the link can't be used again", async () => {
    await start();
    const { url, deviceCode } = await begin();
    expect(await decide(url, { decision: 'deny' })).toContain('Denied');
    expect(await poll(deviceCode)).toMatchObject({ body: { error: 'access_denied' } });
    const again = await open(url);
    expect(again.status).toBe(410);
    expect(again.text).toContain('already approved or denied');
    const unknown = await open(`${lark.accountsBaseUrl}/page/launcher?user_code=%3Cb%3E`);
    expect(unknown.status).toBe(410);
    expect(unknown.text).not.toContain('<b>');
  });
});
