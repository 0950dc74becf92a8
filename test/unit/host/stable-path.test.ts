import { chmodSync, mkdirSync, realpathSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import {
  isReadableByAll,
  stablePath,
  stablePaths,
  whyTemporary,
} from '../../../src/host/service/stable-path.ts';
import { temporaryFolder } from '../../kit/folder.ts';

describe('places that will be gone', () => {
  test.each([
    '/home/me/.npm/_npx/5a1b/node_modules/lark-bridge/bin/lark-bridge.js',
    '/home/me/.cache/pnpm/dlx/abc/123/node_modules/lark-bridge/bin/lark-bridge.js',
    '/home/me/.local/share/pnpm/store/tmp/dlx-4711/node_modules/lark-bridge/bin/lark-bridge.js',
    '/var/lib/x/bunx-1000-lark-bridge@latest/node_modules/lark-bridge/bin/lark-bridge.js',
    '/tmp/xfs-1/dlx-2/node_modules/lark-bridge/bin/lark-bridge.js',
    '/var/tmp/clone/bin/lark-bridge.js',
    '/dev/shm/node',
    '/run/user/1000/fnm_multishells/1_2/bin/node',
    '/home/me/.local/state/fnm_multishells/1_2/bin/node',
    `${tmpdir()}/node`,
    'C:\\Users\\me\\AppData\\Local\\npm-cache\\_npx\\5a\\node_modules\\lark-bridge\\bin\\lark-bridge.js',
  ])('%s', (path) => expect(whyTemporary(path)).toBeTypeOf('string'));
});

describe('places that stay', () => {
  test.each([
    '/usr/bin/node',
    '/usr/local/lib/node_modules/lark-bridge/bin/lark-bridge.js',
    '/home/me/.nvm/versions/node/v22.1.0/bin/node',
    '/run/current-system/sw/bin/node',
    '/srv/tmp/node',
    '/tmpfiles/node',
    '/home/dlx-tools/node',
  ])('%s', (path) => expect(whyTemporary(path)).toBeUndefined());
});

describe('the steadiest name', () => {
  let folder: string;
  /** As if this folder were a steady one. */
  const why = (path: string) => whyTemporary(path.replace(folder, ''));
  const at = (...parts: string[]) => join(folder, ...parts);
  const file = (path: string) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '');
    return path;
  };
  const link = (path: string, target: string) => {
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(target, path);
    return path;
  };

  beforeEach(() => {
    folder = realpathSync(temporaryFolder());
  });

  test('a link on the PATH beats a folder with a version in its name', () => {
    const node = file(at('opt/Cellar/node/22.1.0/bin/node'));
    const program = file(at('opt/lib/node_modules/lark-bridge/bin/lark-bridge.js'));
    const started = { node, program, path: ['relative', at('opt/bin')].join(delimiter) };
    link(at('opt/bin/node'), node);
    link(at('opt/bin/lark-bridge'), program);
    expect(stablePaths(started, why)).toEqual({
      node: at('opt/bin/node'),
      program: at('opt/bin/lark-bridge'),
    });
  });

  test('a link that leads elsewhere, or nowhere, is another program', () => {
    const node = file(at('opt/node-22/bin/node'));
    link(at('a/node'), file(at('opt/node-18/bin/node')));
    link(at('b/node'), at('gone'));
    const path = [at('a'), at('b'), at('c')].join(delimiter);
    expect(stablePaths({ node, program: node, path }, why).node).toBe(node);
  });

  test('a passing link to something that stays is followed', () => {
    const node = file(at('home/fnm/node-versions/v22/installation/bin/node'));
    const shim = link(at('run/user/1000/fnm_multishells/1/bin/node'), node);
    const paths = stablePaths({ node: shim, program: shim, path: dirname(shim) }, why);
    expect(paths).toEqual({ node, program: node });
  });

  test.each(['.npm/_npx/5a/node_modules/lark-bridge', 'tmp/dlx-1/node_modules/lark-bridge'])(
    'what a runner installed for one run is refused: %s',
    (place) => {
      const node = file(at('usr/bin/node'));
      const program = file(at(place, 'bin/lark-bridge.js'));
      const bin = link(at('usr/bin/lark-bridge'), program);
      const refusal = () => stablePaths({ node, program: bin, path: at('usr/bin') }, why);
      expect(refusal).toThrow(BridgeError);
      expect(refusal).toThrow(program);
    },
  );

  test('of the PATH only the folders that stay are kept', () => {
    const path = '/usr/bin:/tmp/x/bin:bin::/home/me/.npm/_npx/1/node_modules/.bin:/opt/bin:/tmp';
    expect(stablePath(path)).toBe('/usr/bin:/opt/bin');
  });

  test.skipIf((statSync(tmpdir()).mode & 0o001) === 0)(
    'what others may not read is found out, on the way to it too (needs a temporary folder for all)',
    () => {
      const path = file(at('a/b'));
      for (const one of [folder, at('a')]) chmodSync(one, 0o755);
      chmodSync(path, 0o644);
      expect(isReadableByAll(path)).toBe(true);
      chmodSync(path, 0o640);
      expect(isReadableByAll(path)).toBe(false);
      chmodSync(path, 0o644);
      chmodSync(at('a'), 0o750);
      expect(isReadableByAll(path)).toBe(false);
    },
  );
});
