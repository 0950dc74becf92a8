/** What daemon-bootstrap.sh installs, and from where. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WAIT_MS } from '../kit/bounds.ts';
import { Boot } from './boot.ts';
import { BootstrapPlace, FILES } from './bootstrap-place.ts';

const WAIT = { timeout: WAIT_MS };

let place: BootstrapPlace;

beforeEach(() => {
  place = new BootstrapPlace();
});
afterEach(() => place.close());

/** Everything below a folder, with what a write would change. */
function snapshot(path: string): string[] {
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' }).toSorted();
  return ['.', ...names].map((name) => {
    const { mtimeMs, size, mode } = statSync(join(path, name));
    return `${name} ${mtimeMs} ${size} ${mode}`;
  });
}

describe('LCM-MODE-04: what is installed', () => {
  test('a checkout beside the script: all in the versions of the lock file, built, without what only the build needs', async () => {
    const before = snapshot(place.inPlugin('.'));
    expect(await place.boot().code).toBe(0);
    expect(place.callsOf('npm').map((line) => line.replaceAll(/ \/\S+/g, ' PATH'))).toEqual([
      'npm ci --prefix PATH --include=dev --ignore-scripts --prefer-offline --no-audit --no-fund --loglevel=error',
      'npm run --prefix PATH build --ignore-scripts --no-audit --no-fund --loglevel=error',
      'npm prune --prefix PATH --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error',
      'npm rebuild --prefix PATH @photostructure/sqlite --no-audit --no-fund --loglevel=error',
    ]);
    const [home = ''] = place.homes();
    expect(readdirSync(join(place.state, 'packages', home)).toSorted()).toEqual(
      [...FILES, 'bin', 'dist', 'installed', 'node_modules'].toSorted(),
    );
    expect(snapshot(place.inPlugin('.'))).toEqual(before);
  });

  test('an unpacked package beside the script is not built', async () => {
    rmSync(place.inPlugin('src'), { recursive: true });
    mkdirSync(place.inPlugin('dist'));
    writeFileSync(place.inPlugin('dist/main.js'), 'built');
    expect(await place.boot().code).toBe(0);
    expect(place.callsOf('npm').map((line) => line.split(' ')[1])).toEqual(['ci', 'rebuild']);
    expect(place.installs()[0]).toContain('--omit=dev');
    const [home = ''] = place.homes();
    expect(existsSync(join(place.state, 'packages', home, 'dist/main.js'))).toBe(true);
  });

  test.each(['src/main.ts', 'package.json', 'npm-shrinkwrap.json', 'bin/lark-bridge.js'])(
    'a change of %s is another package',
    async (path) => {
      expect(await place.boot().code).toBe(0);
      const before = place.homes();
      appendFileSync(place.inPlugin(path), '\n');
      expect(await place.boot().code).toBe(0);
      expect(place.installs()).toHaveLength(1);
      expect(place.homes()).toHaveLength(before.length + 1);
    },
  );

  test.each(['package.json', 'npm-shrinkwrap.json', 'bin', 'tsconfig.build.json'])(
    'a plugin without its %s is refused with 2, and nothing is installed in its place',
    async (path) => {
      rmSync(place.inPlugin(path), { recursive: true });
      const refused = place.boot();
      expect(await refused.code).toBe(2);
      expect(refused.stderr).toContain(`${place.inPlugin(path)} is missing`);
      expect(place.callsOf('npm')).toEqual([]);
    },
  );

  test('the script may be started from another folder', async () => {
    const script = place.inPlugin('daemon-bootstrap.sh');
    const one = new Boot(['/bin/bash', script], {
      cwd: place.folder,
      env: {
        PATH: process.env['PATH'],
        HOME: place.folder,
        MOLECULE_PLUGIN_STATE_DIR: place.state,
      },
    });
    place.started.add(one);
    await expect
      .poll(() => one.stderr, WAIT)
      .toContain(`the files in ${place.inPlugin('')}`.slice(0, -1));
    await one.kill();
  });

  test('LARK_BRIDGE_PACKAGE may be a tarball', async () => {
    const env = { LARK_BRIDGE_PACKAGE: place.tarball() };
    expect(await place.boot(env).code).toBe(0);
    expect(place.callsOf('npm').map((line) => line.split(' ')[1])).toEqual(['ci', 'rebuild']);
    expect(place.homes()).toEqual([expect.stringMatching(/^tarball-\d+-\d+$/)]);
    place.step('npm', 'exit 1');
    expect(await place.boot(env).code).toBe(0);
  });

  test.each([
    '@acme/lark-bridge@1.2.3',
    'lark-bridge@0.1.0',
    'lark-bridge',
    'lark-bridge@latest',
    'lark-bridge@1.2.3#sha512-x',
  ])(
    'F16: a package of a registry is not taken by its name, which says nothing of its contents: %s',
    async (name) => {
      const refused = place.boot({ LARK_BRIDGE_PACKAGE: name });
      expect(await refused.code).toBe(2);
      expect(refused.stderr).toMatch(/there is no file .*npm pack.*unset it/);
      expect(place.callsOf('npm')).toEqual([]);
    },
  );

  test('F16: every package of the lock file has an exact version and a strong hash', () => {
    const text = readFileSync(join(import.meta.dirname, '../../npm-shrinkwrap.json'), 'utf8');
    const { packages } = JSON.parse(text) as {
      packages: Record<string, { version?: string; integrity?: string; link?: boolean }>;
    };
    const { '': _own, ...others } = packages;
    expect(Object.keys(others).length).toBeGreaterThan(100);
    const loose = Object.entries(others).filter(
      ([, { version = '', integrity = '', link }]) =>
        link === true || !/^\d+\.\d+\.\d+/.test(version) || !integrity.startsWith('sha512-'),
    );
    expect(loose).toEqual([]);
  });
});

/** The npm of this machine, with packages of the test's own: no registry is asked. */
describe('F16: with the real npm', () => {
  const packed = (name: string, scripts: Readonly<Record<string, string>>) => {
    const folder = join(place.folder, 'packages-of-others', name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ name, version: '1.0.0', scripts }),
    );
    execFileSync('npm', ['pack', '--pack-destination', place.folder], {
      cwd: folder,
      stdio: 'pipe',
    });
    const file = `${name.replace('@', '').replace('/', '-')}-1.0.0.tgz`;
    const hash = createHash('sha512').update(readFileSync(join(place.folder, file)));
    return {
      file: `file:${join(place.folder, file)}`,
      integrity: `sha512-${hash.digest('base64')}`,
    };
  };
  const mark = (name: string) => `touch '${join(place.folder, name)}'`;
  const NEEDED = '@photostructure/sqlite';

  /** A plugin that needs `@photostructure/sqlite` and a stranger, both with scripts of all kinds. */
  function plugin(
    integrityOf: (name: string, real: string) => string = (_name, real) => real,
  ): void {
    const dependencies: Record<string, string> = {};
    const packages: Record<string, object> = {};
    for (const name of [NEEDED, 'stranger']) {
      const ran = `ran-${name.split('/').at(-1)}`;
      const { file, integrity } = packed(name, { install: mark(ran), postinstall: mark(ran) });
      dependencies[name] = file;
      packages[`node_modules/${name}`] = {
        version: '1.0.0',
        resolved: file,
        integrity: integrityOf(name, integrity),
        hasInstallScript: true,
      };
    }
    const own = { name: 'lark-bridge', version: '1.0.0', dependencies };
    const scripts = {
      build: 'mkdir dist',
      prebuild: mark('ran-prebuild'),
      install: mark('ran-own'),
    };
    writeFileSync(place.inPlugin('package.json'), JSON.stringify({ ...own, scripts }));
    writeFileSync(
      place.inPlugin('npm-shrinkwrap.json'),
      JSON.stringify({
        ...own,
        lockfileVersion: 3,
        requires: true,
        packages: { '': own, ...packages },
      }),
    );
    place.step('npm', `PATH='${process.env['PATH']}' exec npm "$@"`);
  }
  const ran = () => readdirSync(place.folder).filter((name) => name.startsWith('ran-'));

  test('no script runs but the build and that of the one package that is named', async () => {
    plugin();
    const one = place.boot();
    expect(await one.code, one.stderr).toBe(0);
    expect(ran()).toEqual(['ran-sqlite']);
  });

  test('a package with other contents than the lock file says is not installed', async () => {
    const other = `sha512-${createHash('sha512').update('other').digest('base64')}`;
    plugin((name, real) => (name === 'stranger' ? other : real));
    place.step('sleep', 'exit 0');
    const failed = place.boot();
    expect(await failed.code).toBe(1);
    expect(failed.stderr).toContain('EINTEGRITY');
    expect([ran(), place.homes()]).toEqual([[], []]);
  });
});
