import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { consentLinks } from '../../../src/lark/connect/consent-link.ts';

const SERVER = new URL('https://open.feishu.cn/page/launcher?user_code=AB-CD');

test('LCM-CON-06: the query is the one of the official SDK, in its order', () => {
  const { url } = consentLinks({
    serverUrl: SERVER,
    userCode: 'AB-CD',
    pageUrl: 'https://open.larksuite.com/page/cli',
  });
  expect([...new URL(url).searchParams.keys()]).toEqual([
    'user_code',
    'from',
    'source',
    'tp',
    'name',
    'addons',
    'createOnly',
  ]);
  expect(Object.fromEntries(new URL(url).searchParams)).toMatchObject({
    user_code: 'AB-CD',
    from: 'sdk',
    source: 'node-sdk/lark-bridge',
    tp: 'sdk',
    createOnly: 'true',
  });
});

test('addons are JSON, gzipped, in base64url without padding, and ask for what the bridge needs', () => {
  const { url } = consentLinks({ serverUrl: SERVER, userCode: 'AB-CD', pageUrl: undefined });
  const addons = new URL(url).searchParams.get('addons') ?? '';
  expect(addons).toMatch(/^[\w-]+$/);
  const asked = JSON.parse(gunzipSync(Buffer.from(addons, 'base64url')).toString()) as {
    preset: boolean;
    scopes: { tenant: string[] };
    events: { items: { tenant: string[] } };
    callbacks: { items: string[] };
  };
  expect(asked.preset).toBe(false);
  expect(asked.scopes.tenant).toEqual(
    expect.arrayContaining([
      'im:message.p2p_msg:readonly',
      'im:message.group_at_msg:readonly',
      'im:message:send_as_bot',
    ]),
  );
  expect(asked.events.items.tenant).toContain('im.message.receive_v1');
  expect(asked.callbacks.items).toEqual(['card.action.trigger']);
});

test('both links carry the same query', () => {
  const { url, launcherUrl } = consentLinks({
    serverUrl: SERVER,
    userCode: 'AB-CD',
    pageUrl: 'https://open.feishu.cn/page/cli',
  });
  expect(launcherUrl).toBe(url.replace('/page/cli', '/page/launcher'));
});

test('a server that names the same page has no second link', () => {
  const { launcherUrl } = consentLinks({
    serverUrl: new URL('https://open.feishu.cn/page/cli?user_code=AB-CD'),
    userCode: 'AB-CD',
    pageUrl: 'https://open.feishu.cn/page/cli',
  });
  expect(launcherUrl).toBeUndefined();
});

test('without a page the server’s address and its own parameters are kept', () => {
  const { url } = consentLinks({
    serverUrl: new URL('http://127.0.0.1:99/x/y?user_code=AB-CD&z=1'),
    userCode: 'AB-CD',
    pageUrl: undefined,
  });
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:99\/x\/y\?user_code=AB-CD&z=1&from=sdk&/);
});
