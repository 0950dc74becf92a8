/** The places that a secret may come from besides the environment and credentials.json. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { checkConfig, loadConfig } from '../../../src/config/load.ts';
import type { Need } from '../../../src/config/gaps.ts';
import { systemdName } from '../../../src/config/sources.ts';
import { SETTINGS } from '../../../src/config/settings.ts';
import { settingRows } from '../../../src/config/setting-rows.ts';
import { temporaryFolder } from '../../kit/folder.ts';

const APP = 'cli_0123456789abcdef';
let home: string;
let folder: string;

beforeEach(() => {
  home = temporaryFolder();
  folder = join(home, 'credentials');
  mkdirSync(folder);
});

type Env = Record<string, string>;

const requestOf = (env: Env, needs: readonly Need[]) => ({
  env: { HOME: home, LARK_APP_ID: APP, ...env },
  flags: {},
  needs,
});
const load = (env: Env, needs: readonly Need[] = ['lark']) => loadConfig(requestOf(env, needs));
const inspect = (env: Env, needs: readonly Need[] = ['lark']) => checkConfig(requestOf(env, needs));

function writeState(name: string, content: unknown) {
  mkdirSync(join(home, '.lark-bridge'), { recursive: true });
  writeFileSync(join(home, '.lark-bridge', name), JSON.stringify(content));
}

describe('what systemd hands over', () => {
  test('each secret has the name of its variable, in lower case and with dashes', () => {
    const named = settingRows().flatMap(([, row]) => systemdName(row) ?? []);
    expect(named).toEqual([
      'lark-app-secret',
      'molecule-workspace-token',
      'molecule-channel-a2a-token',
    ]);
    expect(systemdName(SETTINGS.appId)).toBeUndefined();
  });

  test('is used where it is, before credentials.json', async () => {
    writeState('credentials.json', { app_id: APP, app_secret: 'of-the-file' });
    writeFileSync(join(folder, 'lark-app-secret'), 'of-systemd\n');
    const { appSecret } = await load({ CREDENTIALS_DIRECTORY: folder });
    expect(appSecret?.reveal()).toBe('of-systemd');
    const { views } = await inspect({ CREDENTIALS_DIRECTORY: folder });
    expect(views.find(({ name }) => name === 'appSecret')).toEqual({
      name: 'appSecret',
      value: '[secret]',
      source: `the credential ${join(folder, 'lark-app-secret')}`,
    });
  });

  test('the environment wins, by value and by file, and they need not agree', async () => {
    writeFileSync(join(folder, 'lark-app-secret'), 'of-systemd');
    writeFileSync(join(home, 'named'), 'of-the-named-file');
    const env = { CREDENTIALS_DIRECTORY: folder };
    expect((await load({ ...env, LARK_APP_SECRET: 'of-env' })).appSecret?.reveal()).toBe('of-env');
    const byFile = await load({ ...env, LARK_APP_SECRET_FILE: join(home, 'named') });
    expect(byFile.appSecret?.reveal()).toBe('of-the-named-file');
  });

  test('a folder without it says nothing, one that can’t be read is told', async () => {
    const without = await inspect({ CREDENTIALS_DIRECTORY: folder });
    expect(without.problems).toMatchObject([{ name: 'appSecret', missing: true }]);
    mkdirSync(join(folder, 'lark-app-secret'));
    const { problems } = await inspect({ CREDENTIALS_DIRECTORY: folder });
    expect(problems).toMatchObject([{ name: 'appSecret', missing: false }]);
    expect(problems[0]?.text).toMatch(/^the credential .*lark-app-secret can't be read/);
  });

  test('the file of a workspace token is known, so that it can be read anew', async () => {
    const path = join(folder, 'molecule-workspace-token');
    writeFileSync(path, 'of-systemd');
    const env = { CREDENTIALS_DIRECTORY: folder };
    expect((await load(env, [])).workspaceTokenFile).toBe(path);
    const direct = await load({ ...env, MOLECULE_WORKSPACE_TOKEN: 'of-env' }, []);
    expect(direct.workspaceTokenFile).toBeUndefined();
  });
});

describe('the keyring', () => {
  const CHOSEN = { LARK_BRIDGE_SECRETS: 'keyring' };

  test('without its package: what is missing, and the command that helps', async () => {
    const { problems } = await inspect(CHOSEN);
    expect(problems).toMatchObject([{ name: 'appSecret', missing: true }]);
    expect(problems[0]?.text).toContain('npm install --global @napi-rs/keyring');
  });

  test('is not looked into for a secret that is set, or that nobody needs', async () => {
    expect((await load({ ...CHOSEN, LARK_APP_SECRET: 'of-env' })).appSecret?.reveal()).toBe(
      'of-env',
    );
    const { problems, views } = await inspect(CHOSEN, []);
    expect(problems).toEqual([]);
    expect(views.find(({ name }) => name === 'appSecret')).toEqual({
      name: 'appSecret',
      value: null,
      source: 'the keyring',
    });
  });

  test('a credentials.json without a secret leads to it', async () => {
    writeState('credentials.json', { app_id: APP, tenant_brand: 'lark' });
    const { problems } = await inspect({});
    expect(problems).toHaveLength(1);
    expect(problems[0]?.text).toContain('LARK_BRIDGE_SECRETS=keyring');
    writeState('config.json', { secrets: 'keyring' });
    const chosen = await inspect({});
    expect(chosen.problems[0]?.text).toContain('@napi-rs/keyring');
  });

  test('a secret that credentials.json holds is used as long as the keyring has none', async () => {
    writeState('credentials.json', { app_id: APP, app_secret: 'of-the-file' });
    expect((await load(CHOSEN)).appSecret?.reveal()).toBe('of-the-file');
  });
});

test('what is only missing leaves the rest usable', async () => {
  const { config, incomplete } = await inspect({ LARK_PORT: '5001' });
  expect(config).toBeUndefined();
  expect(incomplete).toMatchObject({ hubPort: 5001, appId: APP, appSecret: undefined });
  expect((await inspect({ LARK_PORT: 'x' })).incomplete).toBeUndefined();
});
