/** The arrows of ARCHITECTURE.md and the house rules that a machine can hold. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import {
  breaksOf,
  cyclesIn,
  filesImportedBy,
  importsOf,
  ONE_FILE_ONLY,
  packageOf,
  ROOMS,
  UNREADABLE,
} from './arrows.ts';
import { unusedExports } from './exports.ts';

const ROOT = join(import.meta.dirname, '..');
const BANNED_NAMES = /^(?:utils?|helpers?|common|misc|manager|index)\.[jt]s$/;
const LEFT_OPEN = /\b(?:TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b/;

function filesUnder(...folders: string[]): { path: string; source: string }[] {
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.[jt]s$/.test(entry.name))
      .map((entry) => {
        const path = join(entry.parentPath, entry.name);
        return { path: path.slice(ROOT.length + 1), source: readFileSync(path, 'utf8') };
      }),
  );
}

const sources = filesUnder('src').map(({ path, source }) => ({ path: path.slice(4), source }));
const everything = filesUnder('src', 'test', 'bin');

test('there are sources to check', () => {
  expect(sources.length).toBeGreaterThan(20);
});

test('no file of src breaks an arrow of test/arrows.ts', () => {
  expect(sources.flatMap(({ path, source }) => breaksOf(path, source))).toEqual([]);
});

test('src has no import cycles, type imports included', () => {
  expect(cyclesIn(sources)).toEqual([]);
});

test('an import cycle is found, also one of type imports; a chain is no cycle', () => {
  const cycle = [
    { path: 'sim/a.ts', source: "import { b } from './world/b.ts';" },
    { path: 'sim/world/b.ts', source: "import type { C } from './c.ts';" },
    { path: 'sim/world/c.ts', source: "import type { A } from '../a.ts';" },
    { path: 'sim/d.ts', source: "import { a } from './a.ts';" },
  ];
  expect(cyclesIn(cycle)).toEqual([['sim/a.ts', 'sim/world/b.ts', 'sim/world/c.ts']]);
  expect(cyclesIn(cycle.slice(0, 2))).toEqual([]);
});

test("the simulator's world imports nothing else of it, and only server.ts and the program around it import its control", () => {
  const files = sources.filter(({ path }) => path.startsWith('sim/'));
  const wrong = files.flatMap(({ path, source }) =>
    filesImportedBy(path, source)
      .filter(
        (target) =>
          (path.startsWith('sim/world/') && !target.startsWith('sim/world/')) ||
          (target.startsWith('sim/control/') &&
            !path.startsWith('sim/control/') &&
            !path.startsWith('sim/program/') &&
            path !== 'sim/server.ts'),
      )
      .map((target) => `${path} imports ${target}`),
  );
  expect(wrong).toEqual([]);
});

test('core has under 850 lines', () => {
  const lines = sources
    .filter(({ path }) => path.startsWith('core/'))
    .flatMap(({ source }) => source.trimEnd().split('\n'));
  expect(lines.length).toBeLessThan(850);
});

test.each(['bridge', 'hub'])('the ports of %s import nothing of it but each other', (room) => {
  const ports = `${room}/ports/`;
  const files = sources.filter(({ path }) => path.startsWith(ports));
  expect(files.length).toBeGreaterThan(5);
  const wrong = files.flatMap(({ path, source }) =>
    filesImportedBy(path, source)
      .filter((target) => target.startsWith(`${room}/`) && !target.startsWith(ports))
      .map((target) => `${path} imports ${target}`),
  );
  expect(wrong).toEqual([]);
});

test('every dependency is imported somewhere in src, and nothing else is', () => {
  const { dependencies, peerDependencies } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  ) as Record<'dependencies' | 'peerDependencies', Record<string, string>>;
  const imported = new Set(
    sources
      .flatMap(({ source }) => importsOf(source))
      .filter((target) => !target.startsWith('.') && !target.startsWith('node:'))
      .map(packageOf),
  );
  const declared = Object.keys({ ...dependencies, ...peerDependencies });
  expect([...imported].toSorted()).toEqual(declared.toSorted());
});

test('every package that a room may import is imported there', () => {
  const unused = Object.entries(ROOMS).flatMap(([room, { packages }]) => {
    const used = new Set(
      sources
        .filter(({ path }) => path.split('/')[0] === room)
        .flatMap(({ source }) => importsOf(source).map(packageOf)),
    );
    return packages.filter((name) => !used.has(name)).map((name) => `${room}: ${name}`);
  });
  expect(unused).toEqual([]);
});

test('no file has a name that says nothing', () => {
  const nameless = everything.filter(({ path }) => BANNED_NAMES.test(basename(path)));
  expect(nameless.map(({ path }) => path)).toEqual([]);
});

test('file names are kebab-case', () => {
  const odd = everything.filter(
    ({ path }) => !/^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/.test(basename(path)),
  );
  expect(odd.map(({ path }) => path)).toEqual([]);
});

/** What stands between the brackets of each call that begins with `start`. */
function callsIn(source: string, start: string): string[] {
  return source
    .split(start)
    .slice(1)
    .map((rest) => {
      let depth = 1;
      let at = 0;
      for (; depth > 0 && at < rest.length; at += 1) {
        if (rest[at] === '(') depth += 1;
        if (rest[at] === ')') depth -= 1;
      }
      return rest.slice(0, at - 1);
    });
}

test('an error about what somebody typed or set says what to do next', () => {
  const without = sources.flatMap(({ path, source }) =>
    callsIn(source, 'new BridgeError(')
      .filter((call) => /^\s*'usage'/.test(call) && !/\bnext\b/.test(call))
      .map((call) => `${path}: ${call}`),
  );
  expect(without).toEqual([]);
});

test('nothing is left open in the sources', () => {
  expect(everything.filter(({ source }) => LEFT_OPEN.test(source)).map(({ path }) => path)).toEqual(
    [],
  );
});

/** The package exports it, so its importers are programs of other people. */
const PUBLISHED = 'src/sim/server.ts';
/** The build writes this name into the declarations of other files. */
const NAMED_IN_DECLARATIONS = ['src/sim/control/fields.ts: Field'];

test('what a file exports is imported by another file', () => {
  const checked = everything.filter(({ path }) => path.startsWith('src/') && path !== PUBLISHED);
  expect(unusedExports(checked, everything)).toEqual(NAMED_IN_DECLARATIONS);
});

test('an export that nobody imports is found, whatever the form of the imports', () => {
  const files = [
    {
      path: 'src/a.ts',
      source: 'export const one = 1;\nexport interface Two {}\nexport class Three {}',
    },
    { path: 'src/b.ts', source: 'export async function four() {}\nexport type Five = 5;' },
    { path: 'src/c.ts', source: 'export function six() {}' },
  ];
  const importers = [
    { path: 'test/a.test.ts', source: "import { type Two, one as first } from '../src/a.ts';" },
    { path: 'src/d.ts', source: "const { four: load } = await import('./b.ts');" },
    { path: 'src/e.ts', source: "type F = import('./b.ts').Five;\nimport * as c from './c.ts';" },
    { path: 'src/f.ts', source: "import { Three } from 'a-package';" },
  ];
  expect(unusedExports(files, importers)).toEqual(['src/a.ts: Three']);
});

test('the lock file names no registry, so that it works with any', () => {
  const lines = readFileSync(join(ROOT, 'npm-shrinkwrap.json'), 'utf8').split('\n');
  expect(lines.filter((line) => line.includes('"integrity": "sha512-')).length).toBeGreaterThan(
    100,
  );
  expect(lines.filter((line) => line.includes('"resolved": "http'))).toEqual([]);
});

/** Tests the check itself: it must find the break in each row. */
test.each([
  ['core/a.ts', "import { readFileSync } from 'node:fs';"],
  ['core/a.ts', "import type { Agent } from '../agents/echo.ts';"],
  ['core/a.ts', "const lark = await import('../lark/parse.ts');"],
  ['core/a.ts', "let x: import('undici').Agent;"],
  ['bridge/a.ts', "import '../store/db.ts';"],
  ['bridge/a.ts', "import {\n  a,\n  b,\n} from '../hub/server.ts';"],
  ['lark/a.ts', "export { Db } from '../store/db.ts';"],
  ['lark/a.ts', "import type { Engine } from '../bridge/turns/engine.ts';"],
  ['lark/a.ts', "import type { Client } from '@larksuiteoapi/node-sdk';"],
  ['lark/deep/sdk.ts', "import * as lark from '@larksuiteoapi/node-sdk';"],
  ['store/db.ts', "import { DatabaseSync } from 'node:sqlite';"],
  ['store/db.ts', "const driver = require('@photostructure/sqlite');"],
  ['sim/server.ts', "import { headerLine } from '../wire/lark-context.ts';"],
  ['sim/server.ts', "import Fastify from 'fastify';"],
  ['cli/main.ts', "import { Engine } from '../bridge/engine.ts';"],
  ['hub/a.ts', "import { app } from '../app/start.ts';"],
  ['hub/a.ts', "import { x } from '../../test/arrows.ts';"],
  ['hub/a.ts', 'const part = await import(name);'],
  ['hub/a.ts', 'const part = await import(`../store/${name}.ts`);'],
  ['hub/a.ts', "const fs = process.getBuiltinModule('node:fs');"],
  ['hub/a.ts', "import { exit } from 'node:process';"],
  ['observe/log.ts', "const level = process.env['LARK_LOG_LEVEL'];"],
  ['observe/log.ts', 'const { env } = process;'],
  ['config/load.ts', 'loadConfig(process.env);'],
  ['cli/main.ts', 'process.exit(1);'],
  ['lark/gateway.ts', "const base = 'https://open.feishu.cn';"],
  ['sim/server.ts', "const base = 'https://accounts.larksuite.com';"],
  ['observe/log.ts', 'console.log(1);'],
  ['bridge/all.ts', "export * from './engine.ts';"],
  ['attic/a.ts', ''],
])('a break is seen: %s with %j', (path, source) => {
  expect(breaksOf(path, source)).toHaveLength(1);
});

test.each([
  ['lark/sdk.ts', "import * as lark from '@larksuiteoapi/node-sdk';"],
  ['store/sqlite/driver.ts', "return require('node:sqlite') as Driver;"],
  ['lark/brand.ts', "const base = 'https://open.feishu.cn';"],
  ['lark/a.ts', "import type { LarkGateway } from '../bridge/ports/lark.ts';"],
  ['lark/parse.ts', '// Source: https://open.feishu.cn/document/x'],
  [
    'store/bridge/inbox.ts',
    "import { Db } from '../db.ts';\nimport { a } from '../../core/ids.ts';",
  ],
  ['cli/main.ts', 'const settings = loadConfig(process.env);'],
  ['cli/commands/run.ts', "const { runApp } = await import('../../app/start.ts');"],
  ['bridge/a.ts', "import { important } from './important.ts';\nimportant('node:fs');"],
])('what is allowed is not taken for a break: %s with %j', (path, source) => {
  expect(breaksOf(path, source)).toEqual([]);
});

test('every form of import is read', () => {
  const source = [
    "import a from 'a';",
    'import type { B } from "b";',
    "import * as c from 'c'",
    "import 'd';",
    "export { e } from 'e';",
    "export type * as F from 'f';",
    "const g = await import('g');",
    "type H = import('h').H;",
    "const i = require('i');",
    'const j = await import(j1);',
    "// import 'comment';",
  ].join('\n');
  expect(importsOf(source).toSorted()).toEqual([UNREADABLE, ...'a b c d e f g h i'.split(' ')]);
});

test('what one file alone may import names files that exist', () => {
  const paths = sources.map(({ path }) => path);
  expect(Object.values(ONE_FILE_ONLY).filter((path) => !paths.includes(path))).toEqual([]);
});
