/** What daemon-bootstrap.sh installs, and from where. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
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
      'npm run --prefix PATH build --no-audit --no-fund --loglevel=error',
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

  test.each(['@acme/lark-bridge@1.2.3', 'lark-bridge@0.1.0-beta.1'])(
    'LARK_BRIDGE_PACKAGE may be the exact version %s, for those who publish it',
    async (name) => {
      place.tarball();
      const one = place.boot({ LARK_BRIDGE_PACKAGE: name });
      expect(await one.code, one.stderr).toBe(0);
      expect(place.callsOf('npm').map((line) => line.split(' ')[1])).toEqual([
        'pack',
        'ci',
        'rebuild',
      ]);
      expect(place.callsOf('npm')[0]).toContain(`npm pack ${name} `);
      expect(place.homes()).toEqual([`npm-${name.replace('/', '+')}`]);
    },
  );

  test.each([
    'lark-bridge',
    'lark-bridge@latest',
    'lark-bridge@^0.1.0',
    'lark-bridge@0.1',
    '@acme/x',
  ])('what is not exact is refused: %s', async (name) => {
    const refused = place.boot({ LARK_BRIDGE_PACKAGE: name });
    expect(await refused.code).toBe(2);
    expect(refused.stderr).toMatch(/not a name with an exact version.*npm pack/);
    expect(place.callsOf('npm')).toEqual([]);
  });
});
