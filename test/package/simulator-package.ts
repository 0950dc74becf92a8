/** `npm run simulator-package` makes `lark-simulator-VERSION.tgz` in this folder: the simulator without the bridge. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importsOf, packageOf } from '../arrows.ts';
import { ROOT, textOf } from '../documents.ts';

interface PackageFile {
  readonly version: string;
  readonly license: string;
  readonly type: string;
  readonly engines: object;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** Copied as they are: the program, and the documents that npm shows. */
const FILES = {
  'bin/lark-simulator.js': 'bin/lark-simulator.js',
  LICENSE: 'LICENSE',
  'docs/simulator.md': 'README.md',
  'docs/page.png': 'page.png',
};
/** The page is for browsers, so nobody imports its types. */
const SHIPPED = /^(?:.*\.js|(?!page\/).*\.d\.ts)$/;

/** Writes the files of the package, from the built code. */
export function assembleSimulatorPackage(folder: string): void {
  for (const [from, to] of Object.entries(FILES)) cpSync(join(ROOT, from), join(folder, to));
  const built = join(ROOT, 'dist/sim');
  for (const entry of readdirSync(built, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name).slice(built.length + 1);
    if (!entry.isFile() || !SHIPPED.test(path)) continue;
    cpSync(join(built, path), join(folder, 'dist/sim', path));
  }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(packageFile(), undefined, 2)}\n`);
}

function packageFile() {
  const ours = JSON.parse(textOf('package.json')) as PackageFile;
  const { version, license, type, engines, dependencies } = ours;
  return {
    name: 'lark-simulator',
    version,
    description: "A simulator of Lark's / Feishu's cloud, to test bots against.",
    keywords: ['lark', 'feishu', 'bot', 'simulator', 'test', 'mock'],
    license,
    type,
    engines,
    bin: { 'lark-simulator': 'bin/lark-simulator.js' },
    exports: {
      '.': { types: './dist/sim/server.d.ts', default: './dist/sim/server.js' },
      './package.json': './package.json',
    },
    dependencies: Object.fromEntries(packagesOfSim().map((name) => [name, dependencies[name]])),
  };
}

function packagesOfSim(): string[] {
  const files = readdirSync(join(ROOT, 'src/sim'), { recursive: true, withFileTypes: true });
  const names = files
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .flatMap((entry) => importsOf(readFileSync(join(entry.parentPath, entry.name), 'utf8')))
    .filter((target) => !target.startsWith('.') && !target.startsWith('node:'))
    .map(packageOf);
  return [...new Set(names)].toSorted();
}

export function main(): number {
  const folder = mkdtempSync(join(tmpdir(), 'lark-simulator-package-'));
  try {
    assembleSimulatorPackage(folder);
    const words = ['pack', folder, '--pack-destination', process.cwd()];
    execFileSync('npm', words, { stdio: ['ignore', 'inherit', 'inherit'] });
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
