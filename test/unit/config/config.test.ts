/** Where settings come from, which one wins, and that everything wrong is said at once. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Flags, checkConfig, loadConfig, saveSetting } from '../../../src/config/load.ts';
import type { Need } from '../../../src/config/gaps.ts';
import { BridgeError } from '../../../src/core/errors.ts';
import { temporaryFolder } from '../../kit/folder.ts';

const APP = 'cli_0123456789abcdef';
const OTHER_APP = 'cli_fedcba9876543210';
let home: string;
let stateDir: string;

beforeEach(() => {
  home = temporaryFolder();
  stateDir = join(home, '.lark-bridge');
});

type Env = Record<string, string>;

const load = (env: Env, needs: readonly Need[] = [], flags: Flags = {}) =>
  loadConfig({ env: { HOME: home, ...env }, flags, needs });

/** What is wrong, as one text; fails if nothing is. */
async function complaint(env: Env, needs: readonly Need[] = [], flags: Flags = {}) {
  const error: unknown = await load(env, needs, flags).then(
    () => expect.fail('nothing was wrong'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(BridgeError);
  const { code, exitCode, message, next } = error as BridgeError;
  expect({ code, exitCode }).toEqual({ code: 'config_invalid', exitCode: 2 });
  return `${message}\n${next ?? ''}`;
}

function writeState(name: string, content: unknown) {
  mkdirSync(stateDir, { recursive: true });
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  writeFileSync(join(stateDir, name), text);
}

const writeCredentials = (over: Env = {}) =>
  writeState('credentials.json', {
    app_id: APP,
    app_secret: 'secret-of-the-file',
    tenant_brand: 'lark',
    ...over,
  });

describe('where a value comes from', () => {
  test('LCM-ENV-09: the state directory is ~/.lark-bridge unless named', async () => {
    const config = await load({});
    expect(config.stateDir).toBe(stateDir);
    expect(config.dbPath).toBe(join(stateDir, 'bridge.db'));
    expect(existsSync(stateDir)).toBe(false);
  });

  test('defaults of the contract', async () => {
    expect(await load({})).toMatchObject({
      mode: 'poll',
      brand: 'feishu',
      turnTimeoutSecs: 600,
      maxTurns: 8,
      callLimits: 'lark',
      hubHost: '127.0.0.1',
      hubPort: 4001,
      logLevel: 'info',
      logFormat: 'text',
      agent: undefined,
      platformUrl: undefined,
    });
  });

  test('the environment beats the file, a flag beats both', async () => {
    writeState('config.json', { log_level: 'error', hub_port: 5001 });
    expect(await load({})).toMatchObject({ logLevel: 'error', hubPort: 5001 });
    expect(await load({ LARK_LOG_LEVEL: 'warn' })).toMatchObject({ logLevel: 'warn' });
    expect(await load({ LARK_LOG_LEVEL: 'warn' }, [], { logLevel: 'debug' })).toMatchObject({
      logLevel: 'debug',
      hubPort: 5001,
    });
  });

  test('an empty variable counts as unset', async () => {
    writeState('config.json', { hub_port: '5001' });
    expect(await load({ LARK_PORT: '', LARK_HOST: ' ' })).toMatchObject({
      hubPort: 5001,
      hubHost: '127.0.0.1',
    });
  });

  test('the state directory of a flag is the one whose files count', async () => {
    const flagged = join(home, 'flagged');
    mkdirSync(flagged);
    writeFileSync(join(flagged, 'config.json'), '{"hub_port": 5002}');
    writeState('config.json', { hub_port: 5001 });
    const env = { LARK_CHANNEL_STATE_DIR: stateDir };
    expect((await load(env)).hubPort).toBe(5001);
    expect((await load(env, [], { stateDir: flagged })).hubPort).toBe(5002);
    expect((await load({ LARK_CHANNEL_STATE_DIR: '~/flagged' })).hubPort).toBe(5002);
  });

  test('LCM-CLI-03: a log level may be in capitals', async () => {
    expect((await load({}, [], { logLevel: 'INFO' })).logLevel).toBe('info');
  });

  test('addresses lose the slash at their end and keep port and path', async () => {
    const config = await load({
      LARK_OPEN_BASE_URL: 'http://127.0.0.1:9000/',
      LARK_ACCOUNTS_BASE_URL: 'https://accounts.example.com:8443/lark//',
    });
    expect(config.openBaseUrl).toBe('http://127.0.0.1:9000');
    expect(config.accountsBaseUrl).toBe('https://accounts.example.com:8443/lark');
  });

  test('proxies may be named in small letters', async () => {
    expect(await load({ https_proxy: 'proxy:3128', no_proxy: 'a,b' })).toMatchObject({
      httpsProxy: 'http://proxy:3128',
      noProxy: 'a,b',
    });
  });
});

describe('ALL_PROXY', () => {
  const warningsFor = async (env: Env) =>
    (await checkConfig({ env: { HOME: home, ...env }, flags: {} })).warnings.map(
      ({ text }) => text,
    );

  test('is a proxy like the others, in either case', async () => {
    expect(await load({ ALL_PROXY: 'proxy:3128' })).toMatchObject({
      allProxy: 'http://proxy:3128',
    });
    expect(await load({ all_proxy: 'https://proxy' })).toMatchObject({ allProxy: 'https://proxy' });
    expect(await complaint({ ALL_PROXY: 'ftp://proxy' })).toContain('ALL_PROXY must be');
    expect(await warningsFor({ ALL_PROXY: 'proxy:3128' })).toEqual([]);
  });

  test('one of SOCKS, as desktops set it beside the others, is no reason to refuse: it is warned of where it would count', async () => {
    const socks = { ALL_PROXY: 'socks5h://127.0.0.1:7891' };
    await load(socks);
    expect(await warningsFor(socks)).toEqual([expect.stringContaining('ALL_PROXY')]);
    expect(await warningsFor({ ...socks, HTTPS_PROXY: 'p:1' })).toEqual([]);
  });
});

describe('credentials', () => {
  test('LCM-ENV-05: credentials.json is enough', async () => {
    writeCredentials();
    const config = await load({}, ['lark']);
    expect(config).toMatchObject({ appId: APP, brand: 'lark' });
    expect(config.appSecret?.reveal()).toBe('secret-of-the-file');
  });

  test('LCM-ENV-05, LCM-ENV-06: the environment wins over credentials.json', async () => {
    writeCredentials();
    const config = await load({ LARK_APP_SECRET: 'newer', LARK_BRAND: 'feishu' }, ['lark']);
    expect(config).toMatchObject({ appId: APP, brand: 'feishu' });
    expect(config.appSecret?.reveal()).toBe('newer');
  });

  test('LARK_APP_SECRET_FILE names a file with the secret', async () => {
    const file = join(home, 'secret');
    writeFileSync(file, 'from-a-file\n');
    const config = await load({ LARK_APP_ID: APP, LARK_APP_SECRET_FILE: file }, ['lark']);
    expect(config.appSecret?.reveal()).toBe('from-a-file');
    const both = { LARK_APP_ID: APP, LARK_APP_SECRET: 'other', LARK_APP_SECRET_FILE: file };
    expect(await complaint(both, ['lark'])).toContain('LARK_APP_SECRET_FILE and LARK_APP_SECRET');
    const gone = { LARK_APP_ID: APP, LARK_APP_SECRET_FILE: join(home, 'gone') };
    expect(await complaint(gone, ['lark'])).toMatch(/LARK_APP_SECRET_FILE names a file .*ENOENT/);
  });

  test('the secret and brand of one app are never used with another', async () => {
    writeCredentials();
    const text = await complaint({ LARK_APP_ID: OTHER_APP }, ['lark']);
    expect(text).toContain('LARK_APP_SECRET is not set');
    expect(text).toContain('belongs to another app');
    const config = await load({ LARK_APP_ID: OTHER_APP, LARK_APP_SECRET: 'x' }, ['lark']);
    expect(config).toMatchObject({ appId: OTHER_APP, brand: 'feishu' });
  });

  test('a broken credentials.json matters only if something of it is needed', async () => {
    writeState('credentials.json', '{"app_id": ');
    expect(await complaint({}, ['lark'])).toContain("credentials.json can't be used");
    const env = { LARK_APP_ID: APP, LARK_APP_SECRET: 'x' };
    expect(await load(env, ['lark'])).toMatchObject({ appId: APP });
    expect(readFileSync(join(stateDir, 'credentials.json'), 'utf8')).toBe('{"app_id": ');
  });

  test('a secret shows nowhere', async () => {
    const secret = 's3cr3t-value';
    const env = { LARK_APP_SECRET: secret, MOLECULE_WORKSPACE_TOKEN: secret };
    const config = await load(env);
    const { views } = await checkConfig({ env: { HOME: home, ...env }, flags: {} });
    const everything = `${inspect(config, { depth: 9 })}${JSON.stringify([config, views])}`;
    expect(everything).not.toContain(secret);
    expect(everything).toContain('[secret]');
    const wrong = { HOME: home, LARK_APP_SECRET: `${secret} x` };
    const { views: wrongViews, problems } = await checkConfig({ env: wrong, flags: {} });
    expect(problems).toHaveLength(1);
    expect(JSON.stringify([wrongViews, problems])).not.toContain(secret);
  });
});

describe('what is missing', () => {
  test('LCM-CLI-05: every missing variable is named in one message', async () => {
    const text = await complaint({ PLATFORM_URL: 'https://hub.example' }, ['lark', 'platform']);
    for (const name of [
      'LARK_APP_ID',
      'LARK_APP_SECRET',
      'WORKSPACE_ID',
      'MOLECULE_WORKSPACE_TOKEN',
      'MOLECULE_TARGET_WORKSPACE_ID',
    ]) {
      expect(text).toContain(`- ${name} is not set`);
    }
    expect(text).not.toContain('PLATFORM_URL is not set');
  });

  test('without a bot the next step is connect', async () => {
    expect(await complaint({}, ['lark', 'platform'])).toContain('lark-bridge connect');
  });

  test('LCM-ENV-01..04: what a hub that exists already needs', async () => {
    const lark = { LARK_APP_ID: APP, LARK_APP_SECRET: 'x' };
    const hub = {
      PLATFORM_URL: 'https://hub.example',
      WORKSPACE_ID: 'ws-1',
      MOLECULE_WORKSPACE_TOKEN: 't',
    };
    const both: Need[] = ['lark', 'platform'];
    await load(lark, both);
    expect(await complaint({ ...lark, ...hub }, both)).toContain('MOLECULE_TARGET_WORKSPACE_ID');
    await load({ ...lark, ...hub, MOLECULE_TARGET_WORKSPACE_ID: 'ws-2' }, both);
  });

  test('a hub is not silently swapped for the embedded one', async () => {
    const env = { LARK_APP_ID: APP, LARK_APP_SECRET: 'x', MOLECULE_WORKSPACE_TOKEN: 't' };
    expect(await complaint(env, ['lark', 'platform'])).toContain('PLATFORM_URL is not set');
  });

  test.each([
    ['WORKSPACE_ID', 'w'],
    ['MOLECULE_ORG_ID', 'o'],
    ['MOLECULE_WORKSPACE_TOKEN', 't'],
    ['MOLECULE_TARGET_WORKSPACE_ID', 'w'],
    ['PLATFORM_URL', 'https://hub.example'],
  ])(
    'LCM-CLI-05: %s alone means a hub elsewhere: what is missing for it is named',
    async (name, value) => {
      const lark = { LARK_APP_ID: APP, LARK_APP_SECRET: 'x' };
      const text = await complaint({ ...lark, [name]: value }, ['lark', 'platform']);
      const needed = [
        'PLATFORM_URL',
        'WORKSPACE_ID',
        'MOLECULE_WORKSPACE_TOKEN',
        'MOLECULE_TARGET_WORKSPACE_ID',
      ];
      for (const one of needed) {
        if (one === name) expect(text).not.toContain(`- ${one} is not set`);
        else expect(text).toContain(`- ${one} is not set, but ${name} is`);
      }
      expect(await load({ ...lark, [name]: value })).toMatchObject({ appId: APP });
    },
  );

  test('the same in config.json, named with its place', async () => {
    writeState('config.json', { org_id: 'o' });
    const lark = { LARK_APP_ID: APP, LARK_APP_SECRET: 'x' };
    expect(await complaint(lark, ['lark', 'platform'])).toContain(
      'PLATFORM_URL is not set, but org_id in config.json is',
    );
  });

  test('a command that needs nothing is given what there is', async () => {
    expect(await load({})).toMatchObject({ appId: undefined, appSecret: undefined });
  });
});

describe('what can hardly be right', () => {
  const hub = {
    LARK_APP_ID: APP,
    LARK_APP_SECRET: 'x',
    PLATFORM_URL: 'https://hub.example',
    MOLECULE_WORKSPACE_TOKEN: 't',
    WORKSPACE_ID: '11111111-1111-4111-8111-111111111111',
    MOLECULE_TARGET_WORKSPACE_ID: '22222222-2222-4222-8222-222222222222',
  };
  const warningsFor = async (env: Env, flags: Flags = {}) => {
    const request = { env: { HOME: home, ...hub, ...env }, flags };
    const { warnings, problems } = await checkConfig({ ...request, needs: ['lark', 'platform'] });
    expect(problems).toEqual([]);
    return warnings.map(({ text }) => text);
  };

  test('ids of workspaces that are UUIDs are no reason to warn, in either case', async () => {
    expect(await warningsFor({})).toEqual([]);
    expect(await warningsFor({ WORKSPACE_ID: 'ABCDEF00-1111-4111-8111-111111111111' })).toEqual([]);
  });

  test.each(['WORKSPACE_ID', 'MOLECULE_TARGET_WORKSPACE_ID'])('%s is no UUID', async (name) => {
    const found = await warningsFor({ [name]: 'my-workspace' });
    expect(found).toEqual([expect.stringContaining(`${name} is "my-workspace"`)]);
    expect(found[0]).toContain('UUID');
  });

  test('a target that is the bridge itself', async () => {
    const itself = { MOLECULE_TARGET_WORKSPACE_ID: hub.WORKSPACE_ID };
    expect(await warningsFor(itself)).toEqual([
      expect.stringContaining('MOLECULE_TARGET_WORKSPACE_ID is the same as WORKSPACE_ID'),
    ]);
    // There it is the workspace that started it.
    expect(await warningsFor(itself, { mode: 'daemon' })).toEqual([]);
  });
});

describe('what is wrong', () => {
  test.each<[Env, string]>([
    [{ LARK_APP_ID: 'cli_abc' }, 'LARK_APP_ID must be `cli_`'],
    [{ LARK_APP_ID: 'cli_abc' }, 'does nothing with any other app id'],
    [{ LARK_PORT: '65536' }, 'LARK_PORT must be a whole number from 0 to 65535, not "65536"'],
    [{ LARK_PORT: '80a' }, 'LARK_PORT must be a whole number'],
    [{ LARK_PORT: '-1' }, 'LARK_PORT must be a whole number'],
    [{ PLATFORM_URL: 'hub.example' }, 'PLATFORM_URL must be a URL'],
    [{ PLATFORM_URL: 'ftp://hub.example' }, 'PLATFORM_URL must be a URL'],
    [{ PLATFORM_URL: 'https://u:p@hub.example' }, 'PLATFORM_URL must not contain a user'],
    [
      { LARK_OPEN_BASE_URL: 'https://a.example/?x=1' },
      'LARK_OPEN_BASE_URL must not contain a query',
    ],
    [{ LARK_BRAND: 'larksuite' }, 'LARK_BRAND must be one of feishu, lark, not "larksuite"'],
    [{ LARK_LOG_LEVEL: 'loud' }, 'LARK_LOG_LEVEL must be one of debug, info, warn, error'],
    [{ LARK_LOG_FORMAT: 'xml' }, 'LARK_LOG_FORMAT must be one of text, json'],
    [{ LARK_BOT_OPEN_ID: 'oc_1' }, 'LARK_BOT_OPEN_ID must begin with ou_'],
    [{ WORKSPACE_ID: '../x' }, 'WORKSPACE_ID must be letters'],
    [{ LARK_HOST: 'a b' }, 'LARK_HOST must be a host name'],
    [{ LARK_BRIDGE_HEALTH_ADDRESS: '9464' }, 'LARK_BRIDGE_HEALTH_ADDRESS must be host:port'],
    [{ LARK_BRIDGE_HEALTH_ADDRESS: '::1:9464' }, 'must be host:port, such as 127.0.0.1:9464'],
    [{ LARK_BRIDGE_HEALTH_ADDRESS: 'localhost:99999' }, 'must be host:port'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4318' }, 'must be a URL that begins with https://'],
    [{ LARK_APP_SECRET: 'a\nb' }, 'LARK_APP_SECRET contains spaces'],
    [{ HTTPS_PROXY: 'socks5://p:1' }, 'HTTPS_PROXY must be the URL of an HTTP proxy'],
    [{ LARK_TLS_CERT: '/no/such/file' }, "LARK_TLS_CERT names a file that can't be read"],
    [{ LARK_TLS_KEY: import.meta.filename }, 'LARK_TLS_CERT is not set'],
    [{ LARK_TLS_CERT: import.meta.filename }, 'LARK_TLS_KEY is not set'],
  ])('%j: %s', async (env, words) => {
    expect(await complaint(env)).toContain(words);
  });

  test.each<[Flags, string]>([
    [{ turnTimeoutSecs: '0' }, '--turn-timeout-secs must be a whole number from 1'],
    [{ mode: 'push' }, '--mode must be one of poll, daemon, not "push"'],
    [{ stateDir: '' }, '--state-dir is empty'],
  ])('%j: %s', async (flags, words) => {
    expect(await complaint({}, [], flags)).toContain(words);
  });

  test('all of it is said at once', async () => {
    writeState('config.json', { hub_port: 'many', colour: 'red', max_turns: true });
    const text = await complaint({ LARK_BRAND: 'x', LARK_APP_ID: 'y' }, ['lark']);
    expect(text.match(/^ {2}- /gm)).toHaveLength(6);
    expect(text).toContain('hub_port in config.json must be a whole number');
    expect(text).toContain('max_turns in config.json must be a text or a number');
    expect(text).toContain(`"colour" in ${join(stateDir, 'config.json')} is not a setting`);
    expect(text).toContain('LARK_APP_SECRET is not set');
  });

  test.each([
    ['{"hub_port": 1 "lang": "en"}', 'line 1, column 16'],
    ['{\n  "agent": "claude"\n"lang": "en"}\n', 'line 3, column 1'],
    ['', 'it ends too early, at line 1, column 1'],
    ['[]', 'it is not a JSON object: line 1, column 1'],
    ['"x"', 'it is not a JSON object'],
  ])(
    'a config.json with a typo (%j) stays where it is, and is told each time',
    async (text, place) => {
      writeState('config.json', text);
      for (let look = 0; look < 2; look += 1) {
        const said = await complaint({});
        expect(said).toContain(place);
        expect(said).toContain(join(stateDir, 'config.json'));
      }
      const saving = saveSetting('hubPort', '1', { env: { HOME: home }, flags: {} });
      await expect(saving).rejects.toMatchObject({ code: 'config_invalid', exitCode: 2 });
      expect(readdirSync(stateDir)).toEqual(['config.json']);
      expect(readFileSync(join(stateDir, 'config.json'), 'utf8')).toBe(text);
    },
  );

  test('a byte order mark is taken in config.json and in credentials.json', async () => {
    writeState('config.json', '\uFEFF{"hub_port": 5001}');
    writeState('credentials.json', `\uFEFF{"app_id": "${APP}", "app_secret": "s"}`);
    expect(await load({}, ['lark'])).toMatchObject({ hubPort: 5001, appId: APP });
  });

  test('a config.json that is a folder is said to be unusable', async () => {
    mkdirSync(join(stateDir, 'config.json'), { recursive: true });
    expect(await complaint({})).toContain('EISDIR');
  });
});

describe('saveSetting', () => {
  const save = (name: 'hubPort' | 'agent' | 'appSecret', raw: string) =>
    saveSetting(name, raw, { env: { HOME: home }, flags: {} });
  const stored = () => JSON.parse(readFileSync(join(stateDir, 'config.json'), 'utf8')) as unknown;

  test('writes, changes and takes out, for the owner’s eyes only', async () => {
    await save('hubPort', '5001');
    await save('agent', 'helper');
    expect(stored()).toEqual({ hub_port: 5001, agent: 'helper' });
    await save('agent', '');
    expect(stored()).toEqual({ hub_port: 5001 });
    expect(statSync(join(stateDir, 'config.json')).mode & 0o777).toBe(0o600);
    expect(statSync(stateDir).mode & 0o777).toBe(0o700);
  });

  test('refuses what could not be used', async () => {
    await expect(save('hubPort', 'x')).rejects.toMatchObject({ code: 'config_invalid' });
    await expect(save('appSecret', 'x')).rejects.toMatchObject({ code: 'usage' });
    expect(existsSync(stateDir)).toBe(false);
  });
});
