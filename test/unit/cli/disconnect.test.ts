/** `lark-bridge disconnect`: what it removes, what it leaves, and what it says of both. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../../kit/folder.ts';
import { runProgram } from './program.ts';

const APP = 'cli_0123456789abcdef';
const BOT = JSON.stringify({ app_id: APP, app_secret: 'the-secret', tenant_brand: 'lark' });

let home: string;
let stateDir: string;

beforeEach(() => {
  home = temporaryFolder();
  stateDir = join(home, '.lark-bridge');
  mkdirSync(stateDir, { mode: 0o700 });
  write('credentials.json', BOT);
  for (const name of ['bridge.db', 'bridge.db-wal', 'config.json', 'owner.json', 'qr.png']) {
    write(name, '{}');
  }
  for (const folder of ['agents', 'attachments']) {
    mkdirSync(join(stateDir, folder));
    write(join(folder, 'file'), 'x');
  }
});

function write(name: string, text: string): void {
  writeFileSync(join(stateDir, name), text, { mode: 0o600 });
}

const disconnect = (words: string[] = [], env: Record<string, string> = {}) =>
  runProgram(['disconnect', ...words], { HOME: home, PATH: '/nowhere', ...env });

/** Without the lock, which stays for the next process. */
const names = () =>
  readdirSync(stateDir)
    .filter((name) => !name.startsWith('instance.lock'))
    .toSorted();

test('removes the credentials, keeps the rest, and says where the app still exists', async () => {
  write('connect.json', '{}');
  const aside = ['credentials.json.corrupt-2026-01-01T00-00-00-000Z', 'credentials.json.ab.new'];
  for (const name of aside) write(name, BOT);
  const { code, stdout, stderr } = await disconnect();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const left = ['agents', 'attachments', 'bridge.db', 'bridge.db-wal', 'config.json', 'owner.json'];
  expect(names()).toEqual(left);
  expect(stdout).toContain(`Disconnected the bot ${APP} on Lark.`);
  expect(stdout).toContain(`The app still exists in Lark.`);
  expect(stdout).toContain(`https://open.larksuite.com/app/${APP}\n`);
  expect(stdout).toContain(`Left in ${stateDir}: ${left.join(', ')}\n`);
  expect(stdout).toContain('lark-bridge disconnect --all');
  expect(stdout).not.toContain('the-secret');
});

test('--all removes the database too, and leaves settings and the folders of agents', async () => {
  const { code, stdout } = await disconnect(['--all', '--json']);
  expect(code).toBe(0);
  expect(names()).toEqual(['agents', 'config.json']);
  expect(existsSync(join(stateDir, 'agents', 'file'))).toBe(true);
  expect(JSON.parse(stdout)).toMatchObject({
    app_id: APP,
    tenant_brand: 'lark',
    console_url: `https://open.larksuite.com/app/${APP}`,
    removed_from_keyring: false,
    left: ['agents', 'config.json'],
    unit: null,
  });
});

test('--all finds the database where the settings say that it is', async () => {
  const elsewhere = join(home, 'data');
  mkdirSync(elsewhere);
  const files = ['my.db', 'my.db-shm', 'my.db.corrupt-2026', 'my.dbx', 'my.db.bak', 'my.db-photos'];
  for (const name of files) writeFileSync(join(elsewhere, name), '');
  await disconnect(['--all'], { LARK_DB_PATH: join(elsewhere, 'my.db') });
  expect(readdirSync(elsewhere).toSorted()).toEqual(['my.db-photos', 'my.db.bak', 'my.dbx']);
});

test('credentials that nobody can read are removed all the same', async () => {
  write('credentials.json', '{"app_secret": half');
  const { code, stdout } = await disconnect();
  expect(code).toBe(0);
  expect(existsSync(join(stateDir, 'credentials.json'))).toBe(false);
  expect(stdout).toContain(join(stateDir, 'credentials.json'));
  expect(stdout).not.toContain('half');
});

test('twice, and without a state directory: there is no bot, and nothing is made', async () => {
  await disconnect();
  expect(await disconnect()).toMatchObject({
    code: 0,
    stdout: `There is no bot in ${stateDir}.\n`,
  });
  const other = join(home, 'none');
  const { stdout } = await disconnect(['--state-dir', other]);
  expect(stdout).toBe(`There is no bot in ${other}.\n`);
  expect(existsSync(other)).toBe(false);
});

test('names the service that is still there, and the variables that still name a bot', async () => {
  const units = join(home, '.config/systemd/user');
  mkdirSync(units, { recursive: true });
  writeFileSync(join(units, 'lark-bridge.service'), '');
  const env = { LARK_APP_ID: APP, LARK_APP_SECRET: 'the-secret' };
  const { stdout, stderr } = await disconnect([], env);
  expect(stdout).toContain('lark-bridge service uninstall --user');
  expect(stderr).toContain('LARK_APP_ID, LARK_APP_SECRET');
  expect(stdout + stderr).not.toContain('the-secret');
});

test('the program of an agent may not do it', async () => {
  const { code } = await disconnect([], { LARK_RUN_ID: 'x' });
  expect(code).toBe(2);
  expect(existsSync(join(stateDir, 'credentials.json'))).toBe(true);
});
