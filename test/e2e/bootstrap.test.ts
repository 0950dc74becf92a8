/** daemon-bootstrap.sh, killed before each of its steps, started twice at once, and without what it needs. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Boot, onPath, PACKAGE, SCRIPT } from './boot.ts';

/** What the script calls; a PATH of the test holds these and nothing else. */
const PROGRAMS = [
  'cksum',
  'dirname',
  'env',
  'ln',
  'mkdir',
  'readlink',
  'rm',
  'sleep',
  'sync',
  'tr',
];
const KILLS_TIMEOUT_MS = 180_000;
const WAIT = { timeout: 20_000 };

/** A package of that name without dependencies, whose daemon tells how it was started. */
const STUB = `
  const [, , ...words] = process.argv;
  if (words[0] === '--version') console.log('${PACKAGE.version}');
  else {
    const { env, pid } = process;
    process.on('SIGTERM', () => process.exit(0));
    console.log(JSON.stringify({ words, env, pid, cwd: process.cwd() }));
    if (env.STUB_STAYS) setInterval(() => {}, 1e6);
  }
`;

let folder: string;
let bin: string;
let state: string;
const started = new Set<Boot>();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lark-bridge-bootstrap-'));
  bin = join(folder, 'bin');
  state = join(folder, 'state');
  for (const name of ['bin', 'state', 'plugin', 'stub/package/bin']) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  writeFileSync(join(folder, 'stub/package/bin/lark-bridge.js'), STUB);
  execFileSync('tar', ['-cf', tarball(), '-C', join(folder, 'stub'), 'package']);
  for (const name of PROGRAMS) step(name);
  step('node', process.execPath);
  step('npm', UNPACK);
});
afterEach(async () => {
  for (const one of started) await one.kill();
  started.clear();
  rmSync(folder, { recursive: true, force: true });
});

const tarball = () => join(folder, 'lark-bridge.tgz');
const packages = () => readdirSync(join(state, 'packages')).toSorted();

/** npm, as far as the script minds: what is to be installed, unpacked under the prefix. */
const UNPACK = `
  prefix=$3; while [ $# -gt 1 ]; do shift; done
  [ -z "\${NPM_WAITS:-}" ] || while [ ! -e "$NPM_WAITS" ]; do /bin/sleep 0.02; done
  /bin/mkdir -p "$prefix/node_modules/lark-bridge"
  exec /bin/tar -xf "$1" --strip-components=1 -C "$prefix/node_modules/lark-bridge"`;

/**
 * A step of the script: a program on its PATH that notes its call. The call with the number in KILL_AT
 * ends the whole process group with SIGKILL, as a host or a power cut would.
 */
function step(name: string, body = execFileSync('which', [name], { encoding: 'utf8' }).trim()) {
  const isPath = /^\/\S+$/.test(body);
  const script = `#!/bin/sh
    set -f
    at=1; until /bin/mkdir '${folder}/steps/'$at 2>/dev/null; do at=$((at + 1)); done
    echo ${name} $* >'${folder}/steps/'$at/call
    [ $at -ne "\${KILL_AT:-0}" ] || kill -KILL 0
    ${isPath ? `exec '${body}' "$@"` : body}`;
  rmSync(join(bin, name), { force: true });
  writeFileSync(join(bin, name), script);
  chmodSync(join(bin, name), 0o755);
}

const steps = () =>
  readdirSync(join(folder, 'steps'))
    .toSorted((one, other) => Number(one) - Number(other))
    .map((at) => join(folder, 'steps', at, 'call'))
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'utf8').trimEnd());
const callsOf = (name: string) => steps().filter((line) => line.split(' ')[0] === name);

/** Starts it as the runtime does: in the plugin's folder, as the leader of a group. */
function boot(env: Readonly<Record<string, string>> = {}, script = SCRIPT): Boot {
  rmSync(join(folder, 'steps'), { recursive: true, force: true });
  mkdirSync(join(folder, 'steps'));
  return bootBeside(env, script);
}

function bootBeside(env: Readonly<Record<string, string>> = {}, script = SCRIPT): Boot {
  const one = new Boot(['/bin/bash', script], {
    cwd: join(folder, 'plugin'),
    env: {
      PATH: bin,
      HOME: folder,
      MOLECULE_PLUGIN_STATE_DIR: state,
      LARK_BRIDGE_PACKAGE: tarball(),
      ...env,
    },
  });
  started.add(one);
  return one;
}

test('LCM-MODE-03, LCM-MODE-04: the first start installs, the next one just starts, without npm', async () => {
  const first = boot();
  expect(await first.code).toBe(0);
  expect(first.daemon.words).toEqual(['run', '--mode', 'daemon']);
  expect(callsOf('npm')).toHaveLength(1);
  step('npm', 'exit 1');
  const next = boot();
  expect(await next.code).toBe(0);
  expect(next.daemon.words).toEqual(['run', '--mode', 'daemon']);
  expect(callsOf('npm')).toEqual([]);
  expect(next.stderr).toBe('');
});

test('MOL-DAE-04, MOL-DAE-08: becomes the daemon itself, in its place, on the plugin’s state', async () => {
  const one = boot({ LARK_BRAND: 'lark' });
  expect(await one.code).toBe(0);
  const { pid, cwd, env } = one.daemon;
  expect(pid).toBe(one.child.pid);
  expect(cwd).toBe(join(folder, 'plugin'));
  expect(env).toMatchObject({ LARK_CHANNEL_STATE_DIR: state, LARK_BRAND: 'lark' });
  expect(readdirSync(folder)).not.toContain('.npm');
});

test('MOL-DAE-04: the workspace’s variables beat the plugin’s settings, and unset ones hide nothing', async () => {
  const none = boot({ LARK_BRAND: 'lark', LARK_PLUGIN_BRAND: '', LARK_PLUGIN_LOG_LEVEL: '' });
  await none.code;
  expect(none.daemon.env).toMatchObject({ LARK_BRAND: 'lark', LARK_LOG_LEVEL: '' });
  const both = boot({
    LARK_BRAND: 'lark',
    LARK_PLUGIN_BRAND: 'feishu',
    LARK_PLUGIN_LOG_LEVEL: 'debug',
    LARK_CHANNEL_STATE_DIR: join(folder, 'mine'),
  });
  await both.code;
  expect(both.daemon.env).toMatchObject({
    LARK_BRAND: 'lark',
    LARK_LOG_LEVEL: 'debug',
    LARK_CHANNEL_STATE_DIR: join(folder, 'mine'),
  });
});

/** A lock of links is for systems without `flock`, and the only one to test there. */
const locks = onPath('flock') ? ['flock', 'links'] : ['links'];
describe.each(locks)('under a lock made with %s', (lock) => {
  beforeEach(() => {
    if (lock === 'flock') step('flock');
  });

  test(
    'LCM-MODE-04: killed before any of its steps, the next start sets it right',
    async () => {
      const killed: string[] = [];
      for (let at = 1; ; at++) {
        rmSync(state, { recursive: true });
        mkdirSync(state);
        const first = boot({ KILL_AT: String(at) });
        if ((await first.code) === 0) break;
        expect(first.child.signalCode).toBe('SIGKILL');
        killed.push(steps().at(-1)?.split(' ')[0] ?? '');
        const next = boot();
        expect(await next.code, `${killed.at(-1)}: ${next.stderr}`).toBe(0);
        expect(next.daemon.words).toEqual(['run', '--mode', 'daemon']);
        expect(packages().filter((name) => name.startsWith('new.'))).toEqual([]);
      }
      expect(killed).toEqual(expect.arrayContaining(['mkdir', 'npm', 'sync', 'node']));
      expect(killed.length).toBeGreaterThan(8);
    },
    KILLS_TIMEOUT_MS,
  );

  test('LCM-MODE-04: two at once install once, and both start', async () => {
    const go = join(folder, 'go');
    const first = boot({ NPM_WAITS: go });
    await expect.poll(() => callsOf('npm'), WAIT).toHaveLength(1);
    const second = bootBeside();
    const [waiting, times] = lock === 'flock' ? ['flock', 2] : ['sleep', 1];
    await expect.poll(() => callsOf(waiting), WAIT).toHaveLength(times);
    writeFileSync(go, '');
    expect([await first.code, await second.code]).toEqual([0, 0]);
    expect(callsOf('npm')).toHaveLength(1);
    for (const one of [first, second])
      expect(one.daemon.words).toEqual(['run', '--mode', 'daemon']);
  });

  test('a lock that is left over from another life holds nobody up', async () => {
    mkdirSync(join(state, 'packages'));
    writeFileSync(join(state, 'packages/lock'), '');
    const dead = spawn('/bin/true');
    await once(dead, 'exit');
    symlinkSync(String(dead.pid), join(state, 'packages/lock.pid'));
    expect(await boot().code).toBe(0);
    expect(callsOf('sleep')).toEqual([]);
  });
});

test('LCM-MODE-04: npm is cut off in the middle', async () => {
  step('npm', `/bin/mkdir -p "$3/node_modules/lark-bridge/bin"; kill -KILL 0`);
  await boot().code;
  expect(packages()).toEqual(expect.arrayContaining([expect.stringMatching(/^new\.\d+$/)]));
  step('npm', UNPACK);
  const next = boot();
  expect(await next.code).toBe(0);
  expect(packages().filter((name) => name.startsWith('new.'))).toEqual([]);
});

test('a package that has lost files is installed anew', async () => {
  await boot().code;
  const [home = ''] = packages().filter((name) => name.startsWith('file-'));
  rmSync(join(state, 'packages', home, 'node_modules'), { recursive: true });
  const next = boot();
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
    writeFileSync(join(bin, name), `#!/bin/sh\nexit ${code}\n`);
  }
  expect(await boot().code).toBe(0);
});

test('MOL-DAE-06: an install that fails is no quick end, which the runtime counts; the next start tries again', async () => {
  step('npm', 'echo no network >&2; exit 1');
  step('sleep', 'exit 0');
  const failed = boot();
  expect(await failed.code).toBe(1);
  expect(failed.stderr).toMatch(/no network\n.*could not be installed/);
  const [waited = ''] = callsOf('sleep').map((line) => line.split(' ')[1]);
  expect(Number(waited)).toBeGreaterThan(30);
  step('npm', UNPACK);
  expect(await boot().code).toBe(0);
});

test('a package that does not run is not installed', async () => {
  writeFileSync(join(folder, 'stub/package/bin/lark-bridge.js'), 'process.exit(1)');
  execFileSync('tar', ['-cf', tarball(), '-C', join(folder, 'stub'), 'package']);
  step('sleep', 'exit 0');
  expect(await boot().code).toBe(1);
  expect(packages().filter((name) => name.startsWith('file-'))).toEqual([]);
});

test('MOL-DAE-07: SIGTERM to the group ends the daemon, and an install, with all that it started', async () => {
  const daemon = boot({ STUB_STAYS: '1' });
  await expect.poll(() => daemon.stdout, WAIT).toContain('\n');
  daemon.signalGroup('SIGTERM');
  expect(await daemon.code).toBe(0);
  rmSync(state, { recursive: true });
  mkdirSync(state);
  const install = boot({ NPM_WAITS: join(folder, 'never') });
  await expect.poll(() => callsOf('npm'), WAIT).toHaveLength(1);
  install.signalGroup('SIGTERM');
  await install.code;
  expect(install.child.signalCode).toBe('SIGTERM');
  await expect.poll(() => install.isGone, WAIT).toBe(true);
  expect(await boot().code).toBe(0);
});

test('MOL-DAE-09: a new package beside a running daemon leaves the old one alone', async () => {
  const old = boot({ STUB_STAYS: '1' });
  await expect.poll(() => old.stdout, WAIT).toContain('\n');
  const before = packages();
  writeFileSync(join(folder, 'stub/package/bin/lark-bridge.js'), `// New.\n${STUB}`);
  execFileSync('tar', ['-cf', tarball(), '-C', join(folder, 'stub'), 'package']);
  expect(await boot().code).toBe(0);
  expect(packages()).toHaveLength(before.length + 1);
  expect(packages()).toEqual(expect.arrayContaining(before));
  old.signalGroup('SIGTERM');
  expect(await old.code).toBe(0);
});

test('the pinned version comes from the registry, and the scripts of packages see no secrets', async () => {
  step('npm', `/usr/bin/env >'${folder}/npm-env'; exit 1`);
  step('sleep', 'exit 0');
  const secrets = {
    LARK_APP_SECRET: 'secret-one',
    MOLECULE_WORKSPACE_TOKEN: 'secret-two',
    MOLECULE_CHANNEL_A2A_TOKEN: 'secret-three',
  };
  const failed = boot({ ...secrets, LARK_BRIDGE_PACKAGE: '' });
  expect(await failed.code).toBe(1);
  expect(callsOf('npm')[0]).toMatch(new RegExp(` lark-bridge@${PACKAGE.version}$`));
  const seen = [...steps(), readFileSync(join(folder, 'npm-env'), 'utf8'), failed.stderr];
  expect(seen.join('\n')).not.toMatch(/secret-(?:one|two|three)/);
});

test('npm has a place of its own where the home can’t be written', async () => {
  step('npm', `/usr/bin/env >'${folder}/npm-env'; exit 1`);
  step('sleep', 'exit 0');
  await boot({ HOME: join(folder, 'nowhere') }).code;
  const env = readFileSync(join(folder, 'npm-env'), 'utf8');
  expect(env).toContain(`npm_config_cache=${state}/packages/npm-cache\n`);
});

describe('Node', () => {
  /** The same script, with places of the system that are the test's. */
  function elsewhere(): string {
    const script = join(folder, 'elsewhere.sh');
    const text = readFileSync(SCRIPT, 'utf8').replaceAll(/ (\/(?:usr|opt)\/)/g, ` ${folder}$1`);
    writeFileSync(script, text);
    return script;
  }
  const node = (path: string) => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    symlinkSync(join(bin, 'node'), join(folder, path));
  };
  const tooOld = () => step('node', 'exit 1');

  test('is found where people and version managers put it', async () => {
    step('real-node', process.execPath);
    rmSync(join(bin, 'node'));
    for (const path of [
      'usr/local/bin/node',
      '.volta/bin/node',
      '.nvm/versions/node/v20.20.2/bin/node',
      '.local/share/fnm/node-versions/v22.1.0/installation/bin/node',
      '.local/share/mise/installs/node/22/bin/node',
      '.asdf/installs/nodejs/22.1.0/bin/node',
    ]) {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      symlinkSync(process.execPath, join(folder, path));
      const one = boot({}, elsewhere());
      expect(await one.code, one.stderr).toBe(0);
      rmSync(join(folder, path));
    }
  });

  test('one that is too old is passed over', async () => {
    tooOld();
    mkdirSync(join(folder, 'usr/local/bin'), { recursive: true });
    symlinkSync(process.execPath, join(folder, 'usr/local/bin/node'));
    expect(await boot({}, elsewhere()).code).toBe(0);
  });

  test('none: 2, and where to get it', async () => {
    tooOld();
    node('usr/local/bin/node');
    const none = boot({}, elsewhere());
    expect(await none.code).toBe(2);
    expect(none.stderr).toMatch(
      /^lark-bridge: Node\.js 20\.19 or newer .*nodejs\.org.*LARK_BRIDGE_NODE/,
    );
    expect(existsSync(join(state, 'packages'))).toBe(false);
  });

  test('the one in LARK_BRIDGE_NODE counts, and no other if it won’t do', async () => {
    step('mine', process.execPath);
    const mine = boot({ LARK_BRIDGE_NODE: join(bin, 'mine') });
    expect(await mine.code).toBe(0);
    expect(callsOf('mine').length).toBeGreaterThan(2);
    const wrong = boot({ LARK_BRIDGE_NODE: join(folder, 'nothing') });
    expect(await wrong.code).toBe(2);
    expect(wrong.stderr).toContain(`LARK_BRIDGE_NODE is ${folder}/nothing`);
  });

  test('without npm: 2', async () => {
    rmSync(join(bin, 'npm'));
    const none = boot();
    expect(await none.code).toBe(2);
    expect(none.stderr).toContain('npm is needed');
  });

  test.each([
    ['20.19.0', 0],
    ['20.18.3', 1],
    ['18.20.0', 1],
    ['22.0.0', 0],
  ])('%s is judged rightly', async (version, verdict) => {
    const preload = join(folder, 'version.cjs');
    writeFileSync(
      preload,
      `const value = { ...process.versions, node: '${version}' };
       Object.defineProperty(process, 'versions', { value });`,
    );
    const env = { NODE_OPTIONS: `--require ${preload}`, LARK_BRIDGE_NODE: join(bin, 'node') };
    expect(await boot(env).code).toBe(verdict === 0 ? 0 : 2);
  });
});

test('LARK_BRIDGE_PACKAGE that is not there: 2', async () => {
  const none = boot({ LARK_BRIDGE_PACKAGE: 'gone.tgz' });
  expect(await none.code).toBe(2);
  expect(none.stderr).toContain(`${folder}/plugin/gone.tgz`);
});
