/** Whom the program asks when nobody names an address: a proxy stands where the internet would be. */
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { createServer } from 'node:tls';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createOnboarding, proveMessagesArrive } from '../../../src/app/connect.ts';
import { runDoctor } from '../../../src/app/doctor.ts';
import { startBridge } from '../../../src/app/start.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { Need } from '../../../src/config/gaps.ts';
import type { Brand } from '../../../src/core/brand.ts';
import { appId } from '../../../src/core/ids.ts';
import { Secret } from '../../../src/core/secret.ts';
import { acquireInstanceLock } from '../../../src/host/instance-lock.ts';
import { placesOf } from '../../../src/lark/connect/proof-problems.ts';
import { SCOPE_SELF_MANAGE } from '../../../src/sim/world/scopes.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import { tryFileLock } from '../../../src/store/sqlite/file-lock.ts';
import { createCertificate } from '../../kit/certificate.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { recordingLog, silentLog } from '../../kit/log.ts';
import { openProxy } from '../../kit/proxy.ts';

const APP = 'cli_0123456789abcdef';
const OPEN = { feishu: 'open.feishu.cn:443', lark: 'open.larksuite.com:443' };
const ACCOUNTS = { feishu: 'accounts.feishu.cn:443', lark: 'accounts.larksuite.com:443' };

/** Settings of a person behind a proxy, in a folder of their own. */
async function behindProxy(env: Readonly<Record<string, string>>, needs: readonly Need[] = []) {
  const proxy = await openProxy();
  const request = {
    env: { HOME: temporaryFolder(), HTTPS_PROXY: proxy.url, LARK_PORT: '0', ...env },
    flags: {},
  };
  const asked = () => [...new Set(proxy.asked)].toSorted();
  return { request, asked, proxy, config: await loadConfig({ ...request, needs }) };
}

/** The port of what speaks TLS and passes all on to `url`. */
async function openTlsFront(url: string): Promise<number> {
  const { certPem: cert, keyPem: key } = createCertificate('open.example');
  const port = Number(new URL(url).port);
  const front = createServer({ cert, key }, (client) => {
    const behind = connect(port, '127.0.0.1');
    client.on('error', () => behind.destroy());
    behind.on('error', () => client.destroy());
    client.pipe(behind).pipe(client);
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  onTestFinished(() => void front.close());
  return (front.address() as AddressInfo).port;
}

/** A proxy through which a brand's own address is there, and leads to the simulator. */
async function behindProxyToLark(brand: Brand) {
  const cloud = await startLarkCloud();
  onTestFinished(() => cloud.stop());
  const app = cloud.addApp({ name: 'Bot' });
  const proxy = await openProxy({
    [OPEN[brand]]: await openTlsFront(cloud.openBaseUrl),
    // The simulator speaks no TLS, so it hands out an address of its long connection without.
    [OPEN[brand].replace(':443', ':80')]: Number(new URL(cloud.openBaseUrl).port),
  });
  // Nobody has signed the certificate of the front.
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  onTestFinished(() => void vi.unstubAllEnvs());
  const env = {
    HOME: temporaryFolder(),
    HTTPS_PROXY: proxy.url,
    HTTP_PROXY: proxy.url,
    LARK_APP_ID: app.appId,
    LARK_APP_SECRET: app.appSecret,
    LARK_BRAND: brand,
  };
  return { app, env };
}

const ofAnApp = (brand: Brand) => ({
  LARK_APP_ID: APP,
  LARK_APP_SECRET: 'a-secret',
  LARK_BRAND: brand,
});

describe.each<Brand>(['feishu', 'lark'])('LCM-MODE-05, LCM-ENV-06: an app of %s', (brand) => {
  test('the daemon calls and connects there, and nowhere else', async () => {
    const { config, asked } = await behindProxy(ofAnApp(brand), ['lark', 'platform']);
    const log = recordingLog();
    const bridge = await startBridge({ config, env: {}, log });
    try {
      await expect
        .poll(log.events)
        .toEqual(expect.arrayContaining(['bot_not_identified', 'lark_connect_failed']));
      expect(asked()).toEqual([OPEN[brand]]);
    } finally {
      await bridge.stop();
    }
  });

  test('the check of `connect` connects there, whatever the settings say', async () => {
    const other = brand === 'lark' ? 'feishu' : 'lark';
    const { config, asked } = await behindProxy({ LARK_BRAND: other });
    const stop = new AbortController();
    const checked = proveMessagesArrive({
      config,
      log: silentLog,
      credentials: { appId: appId(APP), appSecret: new Secret('a-secret'), brand },
      timeoutMs: 60_000,
      signal: stop.signal,
      onEvent: () => {},
    }).catch(() => {});
    await expect.poll(asked).not.toEqual([]);
    stop.abort();
    await checked;
    expect(asked()).toEqual([OPEN[brand]]);
  });

  test('the check of `connect` sends to the chat in its app', async () => {
    const { app, env } = await behindProxyToLark(brand);
    const stop = new AbortController();
    const events: unknown[] = [];
    const credentials = { appId: appId(app.appId), appSecret: new Secret(app.appSecret), brand };
    const config = await loadConfig({ env: { ...env, LARK_BRAND: '' }, flags: {} });
    const checked = proveMessagesArrive({
      config,
      log: silentLog,
      credentials,
      timeoutMs: 60_000,
      signal: stop.signal,
      onEvent: (event) => events.push(event),
    }).catch(() => {});
    const domain = brand === 'lark' ? 'larksuite.com' : 'feishu.cn';
    await expect.poll(() => JSON.stringify(events)).toContain(`https://applink.${domain}/`);
    stop.abort();
    await checked;
  });

  test.each(['chosen', 'set'] as const)('`connect --app-id` asks there: %s', async (how) => {
    const { config, asked } = await behindProxy(how === 'set' ? { LARK_BRAND: brand } : {});
    const stop = new AbortController();
    const onboarding = await createOnboarding({
      config,
      brand: how === 'chosen' ? brand : undefined,
      force: false,
      timeoutMs: 60_000,
      signal: stop.signal,
      onEvent: () => {},
    });
    const adopted = onboarding.adoptApp(appId(APP), new Secret('a-secret')).catch(() => {});
    await expect.poll(asked).not.toEqual([]);
    stop.abort();
    await adopted;
    expect(asked()).toEqual([OPEN[brand]]);
  });

  test('`doctor` looks at its two hosts, and names no other', async () => {
    const { request, asked } = await behindProxy(ofAnApp(brand));
    const { findings } = await runDoctor({ config: request, offline: false });
    expect(asked()).toEqual([ACCOUNTS[brand], OPEN[brand]]);
    const named = JSON.stringify(findings).match(/[a-z]+\.(?:feishu|larksuite)\.[a-z]+/g);
    expect([...new Set(named)].toSorted().map((host) => `${host}:443`)).toEqual(asked());
  });

  test('`doctor` finds another bridge of this app', async () => {
    const { request, config } = await behindProxy(ofAnApp(brand));
    const of = { stateDir: temporaryFolder(), home: config.home, tryLock: tryFileLock };
    const rival = { appId: APP, openBaseUrl: `https://${OPEN[brand].replace(':443', '')}` };
    const lock = acquireInstanceLock({ ...of, app: rival });
    const { findings } = await runDoctor({ config: request, offline: true });
    lock.release();
    expect(JSON.stringify(findings)).toContain(of.stateDir);
  });

  test('`doctor` sends to its console for what is missing', async () => {
    const { app, env } = await behindProxyToLark(brand);
    app.scopes.add(SCOPE_SELF_MANAGE);
    app.scopes.delete('im:message:send_as_bot');
    const { findings } = await runDoctor({ config: { env, flags: {} }, offline: false });
    const missing = findings.find(({ check }) => check === 'permissions');
    expect(missing?.next).toContain(`https://${OPEN[brand].replace(':443', '')}/`);
  });

  test('a person is sent to its console and its app', () => {
    const places = placesOf({ appId: appId(APP), brand, openBaseUrl: undefined });
    const domain = brand === 'lark' ? 'larksuite.com' : 'feishu.cn';
    expect(new URL(places.console('events')).host).toBe(`open.${domain}`);
    expect(new URL(places.chatUrl ?? '').host).toBe(`applink.${domain}`);
  });
});
