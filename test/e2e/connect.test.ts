/** `connect` up to the credentials, against the simulator. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { toBuffer } from 'qrcode';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { LarkCloud } from '../../src/sim/control/lark-cloud.ts';
import type { LarkCloudOptions } from '../../src/sim/server.ts';
import { ConnectRig, EVENTUALLY } from './connect-rig.ts';

const REGISTRATION = '/oauth/v1/app/registration';

let rig: ConnectRig;
let root: string;
let stateDir: string;

beforeEach(() => {
  rig = new ConnectRig();
  ({ root, stateDir } = rig);
});

afterEach(() => rig.close());

const startCloud = (accounts?: LarkCloudOptions['accounts']) => rig.startCloud(accounts);
const connect = (...call: Parameters<ConnectRig['connect']>) => rig.connect(...call);
const credentials = () => rig.credentials();

function registrations(cloud: LarkCloud): number {
  return cloud.calls({ path: REGISTRATION }).length;
}

test('LCM-CON-01, LCM-CON-03, LCM-CLI-04, LCM-CLI-06: a link, a QR code and a picture; then credentials', async () => {
  const cloud = await startCloud();
  const run = rig.program(['connect']);
  const app = cloud.scan({ url: await run.link(), approve: true });
  expect(await run.code).toBe(0);

  expect(credentials()).toEqual({
    app_id: app?.appId,
    app_secret: app?.appSecret,
    tenant_brand: 'feishu',
  });
  expect(statSync(join(stateDir, 'credentials.json')).mode & 0o777).toBe(0o600);
  expect(statSync(stateDir).mode & 0o777).toBe(0o700);
  expect(app?.name).toBe('lark-bridge');
  expect([...(app?.scopes ?? [])]).toEqual(
    expect.arrayContaining(['im:message.p2p_msg:readonly', 'im:message:send_as_bot']),
  );
  expect([...(app?.subscriptions ?? [])]).toEqual(
    expect.arrayContaining(['im.message.receive_v1', 'card.action.trigger']),
  );

  expect(run.out).toMatch(/██ ▄▄▄▄▄ █/);
  expect(readFileSync(join(stateDir, 'qr.png')).subarray(1, 4).toString()).toBe('PNG');
  expect(run.out).toContain(`Connected: bot ${app?.appId} on Feishu`);
  expect(run.err).toContain(`lark-bridge run --state-dir ${stateDir}`);
  expect(run.err).toMatch(/open this link again. Reloading that page does not help/);
  expect(run.err).toContain('/page/launcher?user_code=');
  expect(run.out + run.err).not.toContain(app?.appSecret);
});

test('LCM-CON-02: a Lark organisation is found out and kept', async () => {
  const cloud = await startCloud();
  const run = connect();
  const app = cloud.scan({ url: await run.link(), approve: true, brand: 'lark' });
  expect(await run.code).toBe(0);
  expect(credentials()).toMatchObject({ app_secret: app?.appSecret, tenant_brand: 'lark' });
  expect(run.err).toContain('on Lark. Continuing there');
});

test('--json: one event a line, and the secret in none of them', async () => {
  const cloud = await startCloud();
  const run = connect(['--json']);
  const link = await run.link();
  await expect.poll(() => run.events()).toContainEqual({ event: 'status', status: 'waiting' });
  const app = cloud.scan({ url: link, approve: true, brand: 'lark' });
  expect(await run.code).toBe(0);
  expect(run.events()).toEqual([
    {
      event: 'verification',
      url: link,
      expires_in: 600,
      launcher_url: link.replace('/page/cli', '/page/launcher'),
      qr_image: join(stateDir, 'qr.png'),
    },
    { event: 'status', status: 'waiting' },
    { event: 'status', status: 'brand_switched', tenant_brand: 'lark' },
    { event: 'done', app_id: app?.appId, tenant_brand: 'lark' },
  ]);
  expect(run.out + run.err).not.toContain(app?.appSecret);
});

test('--no-qr shows the link only; --qr-image writes where it is told, SVG by its name', async () => {
  const cloud = await startCloud();
  const image = join(root, 'code.svg');
  const run = connect(['--no-qr', '--qr-image', image]);
  cloud.scan({ url: await run.link(), approve: true });
  expect(await run.code).toBe(0);
  expect(run.out).not.toMatch(/[█▀▄]/);
  expect(readFileSync(image, 'utf8')).toContain('<svg');
  expect(readdirSync(stateDir)).toEqual(['credentials.json', 'owner.json']);
});

test('LCM-CON-04: a program that runs it finds the QR picture named while it waits, to post it into a chat', async () => {
  const cloud = await startCloud();
  const image = join(root, 'code.png');
  const run = connect(['--json', '--qr-image', image]);
  const url = await run.link();
  await expect.poll(() => run.events()[0], EVENTUALLY).toMatchObject({ url, qr_image: image });
  expect(run.isOver).toBe(false);
  expect(readFileSync(image)).toEqual(
    await toBuffer(url, { errorCorrectionLevel: 'L', type: 'png', scale: 6 }),
  );
  cloud.scan({ url, approve: true });
  expect(await run.code).toBe(0);
});

test('a person who declines: exit 3, nothing stored', async () => {
  const cloud = await startCloud();
  const run = connect(['--json']);
  cloud.scan({ url: await run.link(), approve: false });
  expect(await run.code).toBe(3);
  expect(run.events().at(-1)).toMatchObject({ event: 'error', code: 'access_denied' });
  expect(run.events().at(-1)).toHaveProperty('next');
  expect(existsSync(join(stateDir, 'credentials.json'))).toBe(false);
});

test('an expired code is replaced by a fresh one, which works', async () => {
  const cloud = await startCloud();
  const run = connect(['--json']);
  const first = await run.link();
  cloud.advance(600_000);
  const app = cloud.scan({ url: await run.link(1), approve: true });
  expect(await run.code).toBe(0);
  expect(await run.link(1)).not.toBe(first);
  expect(run.events()).toContainEqual({ event: 'status', status: 'code_expired' });
  expect(credentials()).toMatchObject({ app_id: app?.appId });
});

test('nobody confirms: exit 6', async () => {
  await startCloud({ expiresIn: 0.6 });
  const run = connect(['--json', '--timeout', '1']);
  expect(await run.code).toBe(6);
  expect(run.events().at(-1)).toMatchObject({ event: 'error', code: 'timed_out' });
});

test('LCM-CON-07: slow_down is obeyed and said; LCM-CON-05: begin asks for the brand', async () => {
  const forms: string[] = [];
  const server = createServer((request, response) => {
    request.setEncoding('utf8').on('data', (text: string) => {
      forms.push(text);
      const isBegin = text.startsWith('action=begin');
      response.statusCode = isBegin ? 200 : 400;
      const begun = {
        device_code: 'the-device-code',
        user_code: 'A-B',
        verification_uri_complete: `http://${request.headers.host}/page/launcher?user_code=A-B`,
      };
      response.end(JSON.stringify(isBegin ? begun : { error: 'slow_down' }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const run = connect(['--json'], { base: `http://127.0.0.1:${port}` });
    await expect
      .poll(() => run.events(), EVENTUALLY)
      .toContainEqual({ event: 'status', status: 'slow_down', interval: 10 });
    run.stop();
    expect(await run.code).toBe(130);
    expect(forms).toEqual([
      'action=begin&archetype=PersonalAgent&auth_method=client_secret&request_user_info=open_id+tenant_brand',
      'action=poll&device_code=the-device-code',
    ]);
    expect(run.out + run.err).not.toContain('the-device-code');
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('LCM-CON-09: network trouble in the middle does not end it', async () => {
  const cloud = await startCloud();
  const run = connect(['--json']);
  const url = await run.link();
  cloud.faults.inject({ kind: 'request_lost', path: REGISTRATION, times: 2 });
  cloud.faults.inject({ kind: 'html_502', path: REGISTRATION });
  await expect.poll(() => cloud.faults.waiting(), EVENTUALLY).toEqual([]);
  cloud.scan({ url, approve: true });
  expect(await run.code).toBe(0);
  expect(run.events()).toContainEqual(
    expect.objectContaining({ event: 'status', status: 'retrying' }),
  );
});

test('a begin that is refused is said in words: exit 1', async () => {
  await startCloud({ beginError: { error: 'invalid_request', description: 'not today' } });
  const run = connect();
  expect(await run.code).toBe(1);
  expect(run.err).toContain('invalid_request: not today');
  expect(run.err).toContain('next: ');
});

test('a host that can’t be reached: exit 4', async () => {
  const run = connect(['--json'], { base: 'http://127.0.0.1:1' });
  expect(await run.code).toBe(4);
  expect(run.events().at(-1)).toMatchObject({ event: 'error', code: 'unreachable' });
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s: exit 130, no bot stored, start again',
  async (signal) => {
    await startCloud({ interval: 30 });
    const run = rig.program(['connect', '--json']);
    await expect
      .poll(() => run.events(), EVENTUALLY)
      .toContainEqual({ event: 'status', status: 'waiting' });
    run.stop(signal);
    expect(await run.code).toBe(130);
    expect(run.events().at(-1)).toMatchObject({ event: 'error', code: 'interrupted' });
    expect(run.err).toContain('Run the same command again');
    expect(readdirSync(stateDir)).toEqual(['connect.json', 'qr.png']);
  },
);

test('an existing app is taken after Lark has accepted its secret', async () => {
  const cloud = await startCloud();
  const app = cloud.addApp({});
  const args = ['--json', '--brand', 'lark', '--app-id', app.appId, '--app-secret-stdin'];
  const run = connect(args, { stdin: `${app.appSecret}\n` });
  expect(await run.code).toBe(0);
  expect(run.events()).toEqual([{ event: 'done', app_id: app.appId, tenant_brand: 'lark' }]);
  expect(credentials()).toEqual({
    app_id: app.appId,
    app_secret: app.appSecret,
    tenant_brand: 'lark',
  });
  expect(registrations(cloud)).toBe(0);
});

/** What the Python bridge keeps, in the folder that it takes unless told otherwise. */
function pythonBridge(content: unknown, folder = join(root, '.lark-channel-molecule')): string {
  mkdirSync(folder);
  const path = join(folder, 'credentials.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  writeFileSync(join(folder, 'sessions.json'), '{}');
  return folder;
}

test.each(['', 'elsewhere'])(
  'LCM-ENV-09, LCM-CON-03: --import takes over the bot of the Python bridge (folder: "%s")',
  async (name) => {
    const cloud = await startCloud();
    const app = cloud.addApp({});
    const kept = { app_id: app.appId, app_secret: app.appSecret, tenant_brand: 'lark' };
    const folder = pythonBridge(kept, name === '' ? undefined : join(root, name));
    const before = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
    const run = connect(['--json', '--import', ...(name === '' ? [] : [folder])]);
    expect(await run.code, run.err).toBe(0);
    expect(run.events()).toEqual([{ event: 'done', app_id: app.appId, tenant_brand: 'lark' }]);
    expect(credentials()).toEqual(kept);
    expect(run.err).toContain('Stop the Python bridge');
    expect(run.out + run.err).not.toContain(app.appSecret);
    expect(registrations(cloud)).toBe(0);
    // Its folder is only read: it can go on if need be.
    expect(readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'))).toEqual(
      before,
    );
  },
);

test.each<[string, unknown, string]>([
  ['none', undefined, 'there is no '],
  ['half a file', '{"app_secret": half', 'it is not JSON'],
  ['no secret', { app_id: 'cli_0123456789abcdef', tenant_brand: 'feishu' }, 'has no app_secret'],
])('--import of %s: exit 2 and what to do, nothing stored', async (_what, content, words) => {
  if (content !== undefined) pythonBridge(content);
  const run = connect(['--import'], { base: 'http://127.0.0.1:1' });
  expect(await run.code).toBe(2);
  expect(run.err).toContain(words);
  expect(run.err).toContain('next: ');
  expect(run.out + run.err).not.toContain('half');
  expect(existsSync(join(stateDir, 'credentials.json'))).toBe(false);
});

test('`run` without credentials mentions the bot of the Python bridge, if there is one', async () => {
  const without = rig.command(['run']);
  expect(await without.code).toBe(2);
  expect(without.err).not.toContain('--import');
  pythonBridge({ app_id: 'cli_0123456789abcdef', app_secret: 'x', tenant_brand: 'feishu' });
  const beside = rig.command(['run']);
  expect(await beside.code).toBe(2);
  expect(beside.err.match(/lark-bridge connect --import/g)).toHaveLength(1);
});

test('a wrong secret on stdin: exit 3, nothing stored, the secret nowhere', async () => {
  const cloud = await startCloud();
  const { appId } = cloud.addApp({});
  const run = connect(['--app-id', appId, '--app-secret-stdin'], { stdin: 'wrong-secret' });
  expect(await run.code).toBe(3);
  expect(readdirSync(stateDir)).toEqual([]);
  expect(run.err).toContain('next: ');
  expect(run.out + run.err).not.toContain('wrong-secret');
});

test('a bot that is there is not replaced without --force, and Lark is not even asked', async () => {
  const cloud = await startCloud();
  const first = connect();
  const old = cloud.scan({ url: await first.link(), approve: true });
  await first.code;
  const asked = registrations(cloud);

  const second = connect(['--json']);
  expect(await second.code).toBe(2);
  expect(second.events()).toMatchObject([{ event: 'error', code: 'usage' }]);
  expect(second.out).toContain(old?.appId);
  expect(second.out).toContain('--force');
  expect(registrations(cloud)).toBe(asked);

  const third = connect(['--force']);
  const app = cloud.scan({ url: await third.link(), approve: true });
  expect(await third.code).toBe(0);
  expect(credentials()).toMatchObject({ app_id: app?.appId });
});

test('credentials that can’t be read are kept aside', async () => {
  const cloud = await startCloud();
  mkdirSync(stateDir);
  writeFileSync(join(stateDir, 'credentials.json'), '{"app_secret": half');
  const run = connect();
  cloud.scan({ url: await run.link(), approve: true });
  expect(await run.code).toBe(0);
  const kept = readdirSync(stateDir).find((name) => name.includes('.corrupt-')) ?? '';
  expect(readFileSync(join(stateDir, kept), 'utf8')).toBe('{"app_secret": half');
  expect(run.err).toContain(kept);
  expect(credentials()).toHaveProperty('app_id');
});

test.each([
  [['--app-id', 'cli_0123456789abcdef'], '--app-secret-stdin'],
  [['--app-secret-stdin'], '--app-id'],
  [['--app-id', 'x', '--app-secret-stdin'], 'hexadecimal'],
  [['--app-id', 'cli_0123456789abcdef', '--app-secret-stdin'], 'stdin holds no app secret'],
  [['--import', '--app-id', 'cli_0123456789abcdef', '--app-secret-stdin'], 'exclude each other'],
  [['--timeout', 'soon'], '--timeout must be a whole number'],
  [['--timeout', '0'], '--timeout must be a whole number'],
  [['--brand', 'x'], '--help'],
])('%j is refused with exit 2 and what to do', async (args, words) => {
  const run = connect(args, { base: 'http://127.0.0.1:1' });
  expect(await run.code).toBe(2);
  expect(run.err).toContain(words);
  expect(run.err).toContain('next: ');
});

test('a picture that can’t be written: exit 2', async () => {
  await startCloud();
  const run = connect(['--qr-image', join(root, 'no', 'where.png')]);
  expect(await run.code).toBe(2);
  expect(run.err).toContain('where.png');
});
