/** The simulator as a package of its own: packed, installed into an empty folder, driven as its README says. */
import { execFile, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { blocksOf, linksOf, ROOT, textOf } from '../documents.ts';
import { temporaryFolderForFile } from '../kit/folder.ts';
import { assembleSimulatorPackage } from '../package/simulator-package.ts';

const run = promisify(execFile);
const folder = temporaryFolderForFile();
const modules = join(folder, 'node_modules');
const home = join(modules, 'lark-simulator');
const bin = join(home, 'bin/lark-simulator.js');
/** Only Node and what a system has. */
const env = { PATH: [dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter), HOME: folder };

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

function manifestOf(path: string): Manifest {
  return JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as Manifest;
}

/** The folders of a package's dependencies, and of theirs, as npm installed them here. */
function closureOf(path: string, from = ROOT, found = new Map<string, string>()) {
  for (const name of Object.keys(manifestOf(path).dependencies ?? {})) {
    const nested = join(path, 'node_modules', name);
    const place = existsSync(nested) ? nested : join(from, 'node_modules', name);
    if (found.has(name)) continue;
    found.set(name, realpathSync(place));
    closureOf(place, from, found);
  }
  return found;
}

let closure: ReadonlyMap<string, string>;

beforeAll(async () => {
  const source = join(folder, 'source');
  mkdirSync(source);
  assembleSimulatorPackage(source);
  // Packed, because what npm leaves out of a package is not there for its users either.
  const { stdout } = await run('npm', ['pack', source, '--json', '--ignore-scripts'], {
    cwd: folder,
  });
  const [pack] = JSON.parse(stdout) as { filename: string }[];
  mkdirSync(home, { recursive: true });
  await run('tar', ['-xzf', pack?.filename ?? '', '--strip-components=1', '-C', home], {
    cwd: folder,
  });
  closure = closureOf(home);
  for (const [name, place] of closure) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(place, join(modules, name));
  }
});

test('it needs a few small packages, with the exact versions of ours', () => {
  const { dependencies } = manifestOf(home);
  const ours = manifestOf(ROOT).dependencies ?? {};
  expect(dependencies).toEqual({ protobufjs: ours['protobufjs'], ws: ours['ws'] });
  expect([...closure.keys()].filter((name) => /fastify|yargs|sqlite|larksuite/.test(name))).toEqual(
    [],
  );
  expect(closure.size).toBeLessThan(20);
});

test('it holds the simulator, its documents, and nothing of the bridge', () => {
  const files = readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(home.length + 1));
  const expected =
    /^(?:package\.json|README\.md|page\.png|LICENSE|bin\/lark-simulator\.js|dist\/sim\/.+)$/;
  expect(files.filter((path) => !expected.test(path))).toEqual([]);
  expect(files).toEqual(
    expect.arrayContaining([
      'README.md',
      'LICENSE',
      'dist/sim/server.d.ts',
      'dist/sim/page/browser/main.js',
    ]),
  );
  expect(linksOf(readFileSync(join(home, 'README.md'), 'utf8'))).toSatisfy((links: string[]) =>
    links.every((link) => link.startsWith('#') || existsSync(join(home, link))),
  );
});

test('--version prints the version of the package', async () => {
  const { stdout } = await run(process.execPath, [bin, '--version'], { env });
  expect(stdout).toBe(`${String(manifestOf(home)['version'])}\n`);
});

test('started by its program, it prints its environment, serves the page and ends at SIGTERM', async () => {
  const child = spawn(process.execPath, [bin, '--json'], { env, cwd: folder });
  let said = '';
  child.stdout.on('data', (chunk) => (said += String(chunk)));
  const ended = new Promise((resolve) => child.once('close', resolve));
  try {
    await expect.poll(() => said).toContain('\n');
    const ready = JSON.parse(said) as Record<'control_url' | 'page_url', string>;
    expect(await (await fetch(ready.page_url)).text()).toContain('<html');
    // The page loads its code from the package.
    const code = await fetch(new URL('code/page/browser/main.js', ready.page_url));
    expect(code.status).toBe(200);
  } finally {
    child.kill('SIGTERM');
  }
  expect(await ended).toBe(0);
});

test('the program in its README runs', async () => {
  const [program = ''] = blocksOf(textOf('docs/simulator.md'), 'js');
  expect(program).toContain("from 'lark-simulator'");
  // The bot in it is one with the official SDK.
  mkdirSync(join(modules, '@larksuiteoapi'), { recursive: true });
  symlinkSync(
    join(ROOT, 'node_modules/@larksuiteoapi/node-sdk'),
    join(modules, '@larksuiteoapi/node-sdk'),
  );
  writeFileSync(join(folder, 'example.mjs'), program);
  await run(process.execPath, ['example.mjs'], { cwd: folder, env });
});

test('it has types', async () => {
  writeFileSync(
    join(folder, 'types.ts'),
    `import { startLarkCloud } from 'lark-simulator';
     export const id: Promise<string> = startLarkCloud().then((lark) => lark.addApp().appId);
     // @ts-expect-error An app id is no number, and tsc knows it.
     export const no: Promise<number> = startLarkCloud().then((lark) => lark.addApp().appId);`,
  );
  const options = '--noEmit --strict --skipLibCheck --module nodenext --target es2023'.split(' ');
  const types = ['--types', 'node', '--typeRoots', join(ROOT, 'node_modules/@types')];
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  await run(process.execPath, [tsc, ...options, ...types, 'types.ts'], { cwd: folder });
});
