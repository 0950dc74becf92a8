/** daemon-bootstrap.sh, killed before each of its steps, started twice at once, and without what it needs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WAIT_MS } from '../kit/bounds.ts';
import { onPath, SCRIPT } from './boot.ts';
import { BootstrapPlace, QUICK_NODE, STUB } from './bootstrap-place.ts';

const KILLS_TIMEOUT_MS = 600_000;
const WAIT = { timeout: WAIT_MS };

let place: BootstrapPlace;

beforeEach(() => {
  place = new BootstrapPlace();
});
afterEach(() => place.close());

test('LCM-MODE-03, LCM-MODE-04: the first start installs, the next one just starts, without npm', async () => {
  const first = place.boot();
  expect(await first.code).toBe(0);
  expect(first.daemon.words).toEqual(['run', '--mode', 'daemon']);
  expect(place.installs()).toHaveLength(1);
  place.step('npm', 'exit 1');
  const next = place.boot();
  expect(await next.code).toBe(0);
  expect(next.daemon.words).toEqual(['run', '--mode', 'daemon']);
  expect(place.callsOf('npm')).toEqual([]);
  expect(next.stderr).toBe('');
});

test('MOL-DAE-04, MOL-DAE-08: becomes the daemon itself, in its place, on the plugin’s state', async () => {
  const one = place.boot({ LARK_BRAND: 'lark' });
  expect(await one.code).toBe(0);
  const { pid, cwd, env } = one.daemon;
  expect(pid).toBe(one.child.pid);
  expect(cwd).toBe(join(place.folder, 'plugin'));
  expect(env).toMatchObject({ LARK_CHANNEL_STATE_DIR: place.state, LARK_BRAND: 'lark' });
  expect(readdirSync(place.folder)).not.toContain('.npm');
});

test('MOL-DAE-04: the workspace’s variables beat the plugin’s settings, and unset ones hide nothing', async () => {
  const none = place.boot({ LARK_BRAND: 'lark', LARK_PLUGIN_BRAND: '', LARK_PLUGIN_LOG_LEVEL: '' });
  await none.code;
  expect(none.daemon.env).toMatchObject({ LARK_BRAND: 'lark', LARK_LOG_LEVEL: '' });
  const both = place.boot({
    LARK_BRAND: 'lark',
    LARK_PLUGIN_BRAND: 'feishu',
    LARK_PLUGIN_LOG_LEVEL: 'debug',
    LARK_CHANNEL_STATE_DIR: join(place.folder, 'mine'),
  });
  await both.code;
  expect(both.daemon.env).toMatchObject({
    LARK_BRAND: 'lark',
    LARK_LOG_LEVEL: 'debug',
    LARK_CHANNEL_STATE_DIR: join(place.folder, 'mine'),
  });
});

/** A lock of links is for systems without `flock`, and the only one to test there. */
const locks = onPath('flock') ? ['flock', 'links'] : ['links'];
describe.each(locks)('under a lock made with %s', (lock) => {
  beforeEach(() => {
    if (lock === 'flock') place.step('flock');
  });

  test(
    'LCM-MODE-04: killed before any of its steps, the next start sets it right',
    async () => {
      place.step('node', QUICK_NODE);
      const killed: string[] = [];
      for (let at = 1; ; at++) {
        rmSync(place.state, { recursive: true });
        mkdirSync(place.state);
        const first = place.boot({}, place.inPlugin('daemon-bootstrap.sh'), at);
        if ((await first.code) === 0) break;
        expect(first.child.signalCode).toBe('SIGKILL');
        killed.push(place.steps().at(-1)?.split(' ')[0] ?? '');
        const next = place.boot();
        expect(await next.code, `${killed.at(-1)}: ${next.stderr}`).toBe(0);
        expect(next.daemon.words).toEqual(['run', '--mode', 'daemon']);
        expect(place.packages().filter((name) => name.startsWith('new.'))).toEqual([]);
      }
      expect(killed).toEqual(expect.arrayContaining(['mkdir', 'cp', 'npm', 'sync', 'node']));
      expect(killed.length).toBeGreaterThan(8);
    },
    KILLS_TIMEOUT_MS,
  );

  test('LCM-MODE-04: two at once install once, and both start', async () => {
    writeFileSync(join(place.folder, 'npm-waits'), '');
    const first = place.boot();
    await expect.poll(() => place.callsOf('npm'), WAIT).toHaveLength(1);
    const second = place.bootBeside();
    const [waiting, times] = lock === 'flock' ? ['flock', 2] : ['sleep', 1];
    await expect.poll(() => place.callsOf(waiting), WAIT).toHaveLength(times);
    rmSync(join(place.folder, 'npm-waits'));
    expect([await first.code, await second.code]).toEqual([0, 0]);
    expect(place.installs()).toHaveLength(1);
    for (const one of [first, second])
      expect(one.daemon.words).toEqual(['run', '--mode', 'daemon']);
  });

  test('a lock that is left over from another life holds nobody up', async () => {
    mkdirSync(join(place.state, 'packages'));
    writeFileSync(join(place.state, 'packages/lock'), '');
    const dead = spawn('/bin/true');
    await once(dead, 'exit');
    symlinkSync(String(dead.pid), join(place.state, 'packages/lock.pid'));
    expect(await place.boot().code).toBe(0);
    expect(place.callsOf('sleep')).toEqual([]);
  });
});

test('LCM-MODE-04: npm is cut off in the middle', async () => {
  place.step('npm', `/bin/mkdir -p "$3/node_modules/half"; kill -KILL 0`);
  await place.boot().code;
  expect(place.packages()).toEqual(expect.arrayContaining([expect.stringMatching(/^new\.\d+$/)]));
  place.step('npm', place.npmStub);
  const next = place.boot();
  expect(await next.code).toBe(0);
  expect(place.packages().filter((name) => name.startsWith('new.'))).toEqual([]);
});

test('a package that has lost files is installed anew', async () => {
  await place.boot().code;
  const [home = ''] = place.homes();
  rmSync(join(place.state, 'packages', home, 'node_modules'), { recursive: true });
  const next = place.boot();
  expect(await next.code).toBe(0);
  expect(next.daemon.words).toEqual(['run', '--mode', 'daemon']);
});

test('a lock that is not to be had does not stop it for ever', async () => {
  // Without notes: there are many calls.
  for (const [name, code] of [
    ['ln', 1],
    ['readlink', 1],
    ['sleep', 0],
  ] as const) {
    writeFileSync(join(place.bin, name), `#!/bin/sh\nexit ${code}\n`);
  }
  expect(await place.boot().code).toBe(0);
});

test('MOL-DAE-06: an install that fails is no quick end, which the runtime counts; the next start tries again', async () => {
  place.step('npm', 'echo no network >&2; exit 1');
  place.step('sleep', 'exit 0');
  const failed = place.boot();
  expect(await failed.code).toBe(1);
  expect(failed.stderr).toMatch(/no network\n.*could not be installed/);
  const [waited = ''] = place.callsOf('sleep').map((line) => line.split(' ')[1]);
  expect(Number(waited)).toBeGreaterThan(30);
  place.step('npm', place.npmStub);
  expect(await place.boot().code).toBe(0);
});

test('a package that does not run is not installed', async () => {
  writeFileSync(place.inPlugin('bin/lark-bridge.js'), 'process.exit(1)');
  place.step('sleep', 'exit 0');
  expect(await place.boot().code).toBe(1);
  expect(place.homes()).toEqual([]);
});

test('MOL-DAE-07: SIGTERM to the group ends the daemon, and an install, with all that it started', async () => {
  const daemon = place.boot({ STUB_STAYS: '1' });
  await expect.poll(() => daemon.stdout, WAIT).toContain('\n');
  daemon.signalGroup('SIGTERM');
  expect(await daemon.code).toBe(0);
  rmSync(place.state, { recursive: true });
  mkdirSync(place.state);
  writeFileSync(join(place.folder, 'npm-waits'), '');
  const install = place.boot();
  await expect.poll(() => place.callsOf('npm'), WAIT).toHaveLength(1);
  install.signalGroup('SIGTERM');
  await install.code;
  expect(install.child.signalCode).toBe('SIGTERM');
  await expect.poll(() => install.isGone, WAIT).toBe(true);
  rmSync(join(place.folder, 'npm-waits'));
  expect(await place.boot().code).toBe(0);
});

test('MOL-DAE-09: a new package beside a running daemon leaves the old one alone', async () => {
  const old = place.boot({ STUB_STAYS: '1' });
  await expect.poll(() => old.stdout, WAIT).toContain('\n');
  const before = place.packages();
  writeFileSync(place.inPlugin('bin/lark-bridge.js'), `// New.\n${STUB}`);
  expect(await place.boot().code).toBe(0);
  expect(place.packages()).toHaveLength(before.length + 1);
  expect(place.packages()).toEqual(expect.arrayContaining(before));
  old.signalGroup('SIGTERM');
  expect(await old.code).toBe(0);
});

describe('F15: the environment of npm and of scripts', () => {
  const GENERAL = {
    HTTPS_PROXY: 'http://proxy.example:1',
    no_proxy: 'a.example',
    NODE_EXTRA_CA_CERTS: '/ca.pem',
    LC_ALL: 'C',
    npm_config_nodedir: '/usr/include/node',
  };
  /** Only for what downloads, and runs no scripts. */
  const OF_THE_REGISTRY = {
    npm_config_registry: 'http://registry.example',
    npm_config_userconfig: '/npmrc-of-the-registry',
    npm_config__auth: 'token-one',
  };
  // A secret may have any name: what is not known to be needed is left out.
  const SECRETS = {
    LARK_APP_SECRET: 'secret-1',
    LARK_ENCRYPT_KEY: 'secret-2',
    MOLECULE_WORKSPACE_TOKEN: 'secret-3',
    MOLECULE_ADMIN_TOKEN: 'secret-4',
    ANTHROPIC_API_KEY: 'secret-5',
    GITHUB_TOKEN: 'secret-6\nPATH=secret-7',
    NPM_TOKEN: 'secret-8',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=secret-9',
    AWS_SECRET_ACCESS_KEY: 'secret-10',
    XDG_SECRET: 'secret-11',
    LC_secret: 'secret-12',
    npm_config_node_options: '--require=secret-13',
    npm_config_script_shell: 'secret-14',
    'odd.name': 'secret-15',
  };

  /** By the first word after `npm`. */
  async function environments(): Promise<ReadonlyMap<string, string>> {
    const folder = join(place.folder, 'envs');
    mkdirSync(folder);
    // Runs nothing, but is there: the script itself reads NODE_OPTIONS as every program of Node does.
    writeFileSync(join(folder, 'stranger.cjs'), '');
    place.step('npm', `/usr/bin/env >'${folder}/'"$1"\n${place.npmStub}`);
    const one = place.boot({
      ...GENERAL,
      ...OF_THE_REGISTRY,
      ...SECRETS,
      NODE_OPTIONS: `--require ${folder}/stranger.cjs`,
    });
    expect(await one.code, one.stderr).toBe(0);
    expect([...place.steps(), one.stderr].join('\n')).not.toMatch(/secret-/);
    const words = ['ci', 'run', 'prune', 'rebuild'];
    return new Map(words.map((word) => [word, readFileSync(join(folder, word), 'utf8')]));
  }

  test('npm gets what it needs, and no secret of others', async () => {
    const found = await environments();
    for (const word of ['ci', 'prune']) {
      const env = found.get(word) ?? '';
      for (const [name, value] of Object.entries({ ...GENERAL, ...OF_THE_REGISTRY })) {
        expect(env).toContain(`${name}=${value}\n`);
      }
      expect(env).not.toMatch(/secret-|stranger/);
    }
  });

  test('the scripts of packages see no secrets, no tokens of the registry and no NODE_OPTIONS', async () => {
    const found = await environments();
    for (const word of ['run', 'rebuild']) {
      const env = found.get(word) ?? '';
      for (const [name, value] of Object.entries(GENERAL)) {
        expect(env).toContain(`${name}=${value}\n`);
      }
      expect(env).not.toMatch(/secret-|token-|registry|stranger/);
    }
  });
});

test('npm has a place of its own where the home can’t be written', async () => {
  place.step('npm', `/usr/bin/env >'${place.folder}/npm-env'; exit 1`);
  place.step('sleep', 'exit 0');
  await place.boot({ HOME: join(place.folder, 'nowhere') }).code;
  const env = readFileSync(join(place.folder, 'npm-env'), 'utf8');
  expect(env).toContain(`npm_config_cache=${place.state}/packages/npm-cache\n`);
});

describe('Node', () => {
  /** The same script, with places of the system that are the test's. */
  function elsewhere(): string {
    const script = place.inPlugin('elsewhere.sh');
    const text = readFileSync(SCRIPT, 'utf8').replaceAll(
      / (\/(?:usr|opt)\/)/g,
      ` ${place.folder}$1`,
    );
    writeFileSync(script, text);
    return script;
  }
  const node = (path: string) => {
    mkdirSync(join(place.folder, path, '..'), { recursive: true });
    symlinkSync(join(place.bin, 'node'), join(place.folder, path));
  };
  const tooOld = () => place.step('node', 'exit 1');

  test('is found where people and version managers put it', async () => {
    place.step('real-node', process.execPath);
    rmSync(join(place.bin, 'node'));
    for (const path of [
      'usr/local/bin/node',
      '.volta/bin/node',
      '.nvm/versions/node/v20.20.2/bin/node',
      '.local/share/fnm/node-versions/v22.1.0/installation/bin/node',
      '.local/share/mise/installs/node/22/bin/node',
      '.asdf/installs/nodejs/22.1.0/bin/node',
    ]) {
      mkdirSync(join(place.folder, path, '..'), { recursive: true });
      symlinkSync(process.execPath, join(place.folder, path));
      const one = place.boot({}, elsewhere());
      expect(await one.code, one.stderr).toBe(0);
      rmSync(join(place.folder, path));
    }
  });

  test('one that is too old is passed over', async () => {
    tooOld();
    mkdirSync(join(place.folder, 'usr/local/bin'), { recursive: true });
    symlinkSync(process.execPath, join(place.folder, 'usr/local/bin/node'));
    expect(await place.boot({}, elsewhere()).code).toBe(0);
  });

  test('none: 2, and where to get it', async () => {
    tooOld();
    node('usr/local/bin/node');
    const none = place.boot({}, elsewhere());
    expect(await none.code).toBe(2);
    expect(none.stderr).toMatch(
      /^lark-bridge: Node\.js 20\.19 or newer .*nodejs\.org.*LARK_BRIDGE_NODE/,
    );
    expect(existsSync(join(place.state, 'packages'))).toBe(false);
  });

  test('the one in LARK_BRIDGE_NODE counts, and no other if it won’t do', async () => {
    place.step('mine', process.execPath);
    const mine = place.boot({ LARK_BRIDGE_NODE: join(place.bin, 'mine') });
    expect(await mine.code).toBe(0);
    expect(place.callsOf('mine').length).toBeGreaterThan(2);
    const wrong = place.boot({ LARK_BRIDGE_NODE: join(place.folder, 'nothing') });
    expect(await wrong.code).toBe(2);
    expect(wrong.stderr).toContain(`LARK_BRIDGE_NODE is ${place.folder}/nothing`);
  });

  test('without npm: 2', async () => {
    rmSync(join(place.bin, 'npm'));
    const none = place.boot();
    expect(await none.code).toBe(2);
    expect(none.stderr).toContain('npm is needed');
  });

  test.each([
    ['20.19.0', 0],
    ['20.18.3', 1],
    ['18.20.0', 1],
    ['22.0.0', 0],
  ])('%s is accepted or refused as the package says', async (version, verdict) => {
    const preload = join(place.folder, 'version.cjs');
    writeFileSync(
      preload,
      `const value = { ...process.versions, node: '${version}' };
       Object.defineProperty(process, 'versions', { value });`,
    );
    const env = { NODE_OPTIONS: `--require ${preload}`, LARK_BRIDGE_NODE: join(place.bin, 'node') };
    expect(await place.boot(env).code).toBe(verdict === 0 ? 0 : 2);
  });
});

test('LARK_BRIDGE_PACKAGE that is not there: 2', async () => {
  const none = place.boot({ LARK_BRIDGE_PACKAGE: 'gone.tgz' });
  expect(await none.code).toBe(2);
  expect(none.stderr).toContain(`${place.folder}/plugin/gone.tgz`);
});
