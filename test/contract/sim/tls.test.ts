import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestOverTls } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { startLarkCloud } from '../../../src/sim/server.ts';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';

let lark: LarkCloud;

afterEach(() => lark.stop());

interface Answered {
  readonly status: number | undefined;
  readonly body: string;
  readonly certificate: X509Certificate | undefined;
}

/** `fetch` can choose neither the authority that it trusts nor the `Host`. */
function ask(url: string, options: RequestOptions & { ca?: string }, body = ''): Promise<Answered> {
  const open = url.startsWith('https:') ? requestOverTls : request;
  return new Promise((resolve, reject) => {
    const outgoing = open(url, { ...options, agent: false });
    outgoing.on('error', reject);
    outgoing.on('response', (answer: IncomingMessage) => {
      const certificate = (answer.socket as Partial<TLSSocket>).getPeerX509Certificate?.();
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.on('end', () => resolve({ status: answer.statusCode, body: text, certificate }));
    });
    outgoing.end(body);
  });
}

/** The addresses that bootstrap and registration return. */
async function addressesFor(headers: Readonly<Record<string, string>> = {}) {
  const { appId, appSecret } = lark.addApp();
  const post = async (path: string, fields: object) => {
    const options = {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      ...(lark.caPem && { ca: lark.caPem }),
    };
    const { body } = await ask(lark.openBaseUrl + path, options, JSON.stringify(fields));
    return JSON.parse(body) as Record<string, unknown>;
  };
  const credentials = { AppID: appId, AppSecret: appSecret };
  const bootstrap = await post('/callback/ws/endpoint', credentials);
  const begin = { action: 'begin', archetype: 'PersonalAgent', auth_method: 'client_secret' };
  const grant = await post('/oauth/v1/app/registration', begin);
  return {
    socket: (bootstrap['data'] as { URL: string }).URL,
    link: String(grant['verification_uri_complete']),
  };
}

/** A bot that answers with the text of the message. */
const BOT = `
import { Client, EventDispatcher, WSClient } from '@larksuiteoapi/node-sdk';
const settings = JSON.parse(process.env.SETTINGS);
const { im } = new Client(settings);
const answer = ({ message: { message_id, content } }) =>
  im.v1.message.reply({ path: { message_id }, data: { msg_type: 'text', content } });
const eventDispatcher = new EventDispatcher({}).register({ 'im.message.receive_v1': answer });
await new WSClient(settings).start({ eventDispatcher });
`;

describe('TLS of the simulator', () => {
  test('answers under every name of this machine, only to clients that trust the authority', async () => {
    lark = await startLarkCloud({ tls: true });
    const { port } = new URL(lark.openBaseUrl);
    expect(lark.openBaseUrl).toBe(`https://127.0.0.1:${port}`);
    const ca = lark.caPem ?? '';
    for (const host of ['127.0.0.1', 'localhost']) {
      expect((await ask(`https://${host}:${port}/_control`, { ca })).status).toBe(200);
    }
    await expect(ask(lark.controlUrl, {})).rejects.toThrow(/certificate/);
  });

  test('strict clients accept the certificate, also for given names', async () => {
    lark = await startLarkCloud({ tls: { hosts: ['open.feishu.cn', 'fd00::12:7'] } });
    const { certificate: leaf } = await ask(lark.controlUrl, { ca: lark.caPem ?? '' });
    const authority = new X509Certificate(lark.caPem ?? '');
    expect([authority.ca, leaf?.ca]).toEqual([true, false]);
    expect(leaf?.checkIssued(authority)).toBe(true);
    expect(leaf?.verify(authority.publicKey)).toBe(true);
    expect(leaf?.checkHost('open.feishu.cn')).toBe('open.feishu.cn');
    expect(leaf?.checkHost('open.larksuite.com')).toBeUndefined();
    for (const ip of ['127.0.0.1', '::1', 'fd00::12:7']) expect(leaf?.checkIP(ip)).toBe(ip);
    const lifeMs = Date.parse(leaf?.validTo ?? '') - Date.parse(leaf?.validFrom ?? '');
    expect(lifeMs).toBeLessThanOrEqual(398 * 24 * 3_600_000);
    expect(leaf?.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  });

  test("the authority's certificate is written to the given file, without a private key", async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sim-tls-'));
    const caFile = join(folder, 'ca.pem');
    lark = await startLarkCloud({ tls: { caFile } });
    expect(await readFile(caFile, 'utf8')).toBe(lark.caPem);
    expect(lark.caPem).not.toContain('PRIVATE');
    await rm(folder, { recursive: true });
  });

  test('the official SDK needs only NODE_EXTRA_CA_CERTS to connect and answer', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sim-tls-'));
    const caFile = join(folder, 'ca.pem');
    lark = await startLarkCloud({ tls: { caFile } });
    const { appId, appSecret } = lark.addApp();
    const ada = lark.addUser({ name: 'Ada' });
    const bot = spawn(process.execPath, ['--input-type=module', '--eval', BOT], {
      env: {
        ...process.env,
        NODE_EXTRA_CA_CERTS: caFile,
        SETTINGS: JSON.stringify({ appId, appSecret, domain: lark.openBaseUrl, loggerLevel: 0 }),
      },
      stdio: 'ignore',
    });
    onTestFinished(async () => {
      bot.kill();
      await rm(folder, { recursive: true });
    });
    await lark.waitFor(() => lark.online(appId) === 1, 20_000);
    const chat = lark.directChat(ada, appId);
    lark.say({ chat, from: ada, text: 'over TLS' });
    await lark.waitFor(() => lark.shows(chat).length === 2, 20_000);
    expect(lark.shows(chat).map(({ text }) => text)).toEqual(['over TLS', 'over TLS']);
  });

  test('the addresses that it returns have TLS, and the socket opens there', async () => {
    lark = await startLarkCloud({ tls: true });
    const { host } = new URL(lark.openBaseUrl);
    const { socket, link } = await addressesFor();
    expect(socket).toContain(`wss://${host}/ws/v2?`);
    expect(link).toContain(`https://${host}/page/launcher?user_code=`);
    const client = new WebSocket(socket, { ca: lark.caPem });
    await new Promise((resolve, reject) => client.once('open', resolve).once('error', reject));
    client.terminate();
  });

  test('stops although a client has connected and sends nothing', async () => {
    lark = await startLarkCloud({ tls: true });
    const { port } = new URL(lark.openBaseUrl);
    const mute = connect(Number(port), '127.0.0.1');
    await new Promise((resolve) => mute.once('connect', resolve));
    const closed = new Promise((resolve) => mute.once('close', resolve));
    // The server ends it with a reset.
    mute.on('error', () => undefined);
    await lark.stop();
    await closed;
  }, 10_000);
});

describe('behind a proxy that ends TLS', () => {
  test('the addresses that it returns lead through the proxy', async () => {
    lark = await startLarkCloud();
    const secure = { Host: 'open.feishu.cn', 'X-Forwarded-Proto': 'https' };
    const { socket, link } = await addressesFor(secure);
    expect(socket).toContain('wss://open.feishu.cn/ws/v2?');
    expect(link).toContain('https://open.feishu.cn/page/launcher?user_code=');
    const { socket: plain } = await addressesFor({ Host: 'lark.test:8080' });
    expect(plain).toContain('ws://lark.test:8080/ws/v2?');
  });
});
