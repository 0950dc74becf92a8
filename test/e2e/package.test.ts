/** The package as users get it: packed, installed into an empty folder, started. */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLarkCloud } from '../../src/sim/server.ts';
import { linksOf, textOf } from '../documents.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const INSTALL_TIMEOUT_MS = 300_000;
const SHIPPED =
  /^(?:package\.json|npm-shrinkwrap\.json|README(?:\.zh)?\.md|CHANGELOG\.md|SECURITY\.md|LICENSE|docs\/[a-z-]+\.(?:md|svg|1)|docs\/monitoring\/[a-z-]+\.(?:json|yaml)|plugin\.yaml|daemon-bootstrap\.sh|examples\/[\w-]+\.\w+|systemd\/[a-z-]+\.service|bin\/lark-bridge\.js|dist\/[a-z0-9/-]+\.js|dist\/sim\/[a-z0-9/-]+\.d\.ts)$/;

/** Licences that ask for nothing but their text. */
const PERMISSIVE =
  /^(?:MIT|ISC|0BSD|Apache-2\.0|BSD-[23]-Clause|BlueOak-1\.0\.0|\(MIT OR CC0-1\.0\))$/;
/** What code of others begins with. */
const FOREIGN = /@licen[cs]e\b|\bcopyright \(c\)|SPDX-License-Identifier/i;

interface Pack {
  readonly filename: string;
  readonly version: string;
  readonly size: number;
  readonly unpackedSize: number;
  /** Packages inside of it. */
  readonly bundled: readonly string[];
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

const folder = mkdtempSync(join(tmpdir(), 'lark-bridge-package-'));
let pack: Pack;

// What `npm test` hands down would tell the inner npm that it runs a script of this package.
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_(?:package|lifecycle|command)/.test(name)),
);

function npm(...args: string[]) {
  return run('npm', [...args, '--no-audit', '--no-fund'], { cwd: folder, env });
}

function installed(...args: string[]) {
  return run(join(folder, 'node_modules/.bin/lark-bridge'), args, { cwd: folder, env });
}

beforeAll(async () => {
  // Without scripts: the build is there already, and `prepack` would pull it from under other tests.
  const { stdout } = await npm('pack', ROOT, '--json', '--ignore-scripts');
  pack = (JSON.parse(stdout) as Pack[])[0] as Pack;
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  await npm('install', `./${pack.filename}`, '--prefer-offline');
}, INSTALL_TIMEOUT_MS);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the package holds the program and its documents, and nothing else', () => {
  const paths = pack.files.map(({ path }) => path);
  expect(paths.filter((path) => !SHIPPED.test(path))).toEqual([]);
  expect(paths).toEqual(
    expect.arrayContaining([
      'README.md',
      'CHANGELOG.md',
      'LICENSE',
      'docs/settings.md',
      'docs/lark-bridge.1',
      'bin/lark-bridge.js',
      'dist/sim/page/browser/main.js',
    ]),
  );
  // The host of the plugin, and a person at a shell, start these.
  for (const path of ['bin/lark-bridge.js', 'daemon-bootstrap.sh']) {
    const mode = pack.files.find((file) => file.path === path)?.mode ?? 0;
    expect(mode & 0o100, path).toBe(0o100);
  }
});

/** For those who work on lark-bridge, who have a clone; and pictures, which are large. */
const IN_THE_CLONE = /^(?:ARCHITECTURE|CONTRIBUTING)\.md$|\.(?:png|gif)$/;

test('links in the documents of the package lead to files in it', () => {
  const paths = new Set(pack.files.map(({ path }) => path));
  const dead = [...paths]
    .filter((path) => path.endsWith('.md'))
    .flatMap((path) =>
      linksOf(textOf(path))
        .map((link) => join(dirname(path), link.split('#')[0] ?? ''))
        .filter((target) => target !== dirname(path) && !paths.has(target))
        .filter((target) => !IN_THE_CLONE.test(target))
        .map((target) => `${path}: ${target}`),
    );
  expect(dead).toEqual([]);
});

test('what is installed with it may be used and passed on, and nothing of others is inside of it', () => {
  const { packages } = JSON.parse(textOf('npm-shrinkwrap.json')) as {
    packages: Record<string, { license?: string; dev?: boolean }>;
  };
  const others = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true);
  expect(others.length).toBeGreaterThan(100);
  const odd = others.filter(([, { license = '' }]) => !PERMISSIVE.test(license));
  expect(odd.map(([path, { license }]) => `${path}: ${license}`)).toEqual([]);
  // Each comes with its own licence. Code of others in our files would need its text here, too.
  const home = join(folder, 'node_modules/lark-bridge');
  const marked = pack.files.filter(
    ({ path }) => /\.(?:js|sh)$/.test(path) && FOREIGN.test(readFileSync(join(home, path), 'utf8')),
  );
  expect(marked).toEqual([]);
  expect(pack.bundled).toEqual([]);
});

test('the package is small', () => {
  expect(pack.size).toBeGreaterThan(20_000);
  // A tenth of it is the lock file with its hashes, by which the plugin installs.
  expect(pack.size).toBeLessThan(1_200_000);
  expect(pack.unpackedSize).toBeLessThan(4_000_000);
});

test('no file of the package tells where it was built', () => {
  const home = join(folder, 'node_modules/lark-bridge');
  const texts = readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
  expect(texts.length).toBe(pack.files.length);
  expect(texts.filter((text) => text.includes(ROOT))).toEqual([]);
});

test('lark-bridge --version prints the version of the package', async () => {
  const { stdout, stderr } = await installed('--version');
  expect(stdout).toBe(`${pack.version}\n`);
  expect(stderr).toBe('');
});

test('lark-bridge --help lists the commands', async () => {
  const { stdout } = await installed('--help');
  for (const command of ['connect', 'run', 'hub', 'agents', 'service', 'simulate', 'demo']) {
    expect(stdout).toMatch(new RegExp(`^ +${command} +[A-Z]`, 'm'));
  }
});

test('without the packages of OpenTelemetry, which are many megabytes, the bot runs and says what is missing', async () => {
  const cloud = await startLarkCloud();
  const app = cloud.addApp({ name: 'Bot' });
  const child = spawn(join(folder, 'node_modules/.bin/lark-bridge'), ['run', '--json'], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      NO_PROXY: '127.0.0.1',
      LARK_APP_ID: app.appId,
      LARK_APP_SECRET: app.appSecret,
      LARK_OPEN_BASE_URL: cloud.openBaseUrl,
      LARK_PORT: '0',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [said, logged] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (said += String(chunk)));
  child.stderr.on('data', (chunk: Buffer) => (logged += String(chunk)));
  try {
    await expect.poll(() => said).toContain('"event":"ready"');
    await expect.poll(() => logged).toContain('traces_not_started');
    expect(logged).toContain('npm install @opentelemetry/api@');
    const { hub_url: url } = JSON.parse(said) as { hub_url: string };
    expect((await fetch(`${url}/health`)).status).toBe(200);
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('lark_bridge_ready 1\n');
  } finally {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
    await cloud.stop();
  }
});

test('the simulator of the installed package has types', async () => {
  writeFileSync(
    join(folder, 'types.ts'),
    `import { startLarkCloud } from 'lark-bridge/simulator';
     export const id: Promise<string> = startLarkCloud().then((lark) => lark.addApp().appId);
     // @ts-expect-error An app id is no number, and tsc knows it.
     export const no: Promise<number> = startLarkCloud().then((lark) => lark.addApp().appId);`,
  );
  const options = '--noEmit --strict --skipLibCheck --module nodenext --target es2023'.split(' ');
  const types = ['--types', 'node', '--typeRoots', join(ROOT, 'node_modules/@types')];
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  await run(process.execPath, [tsc, ...options, ...types, 'types.ts'], { cwd: folder, env });
});
