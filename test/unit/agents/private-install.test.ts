/** `--install`: npm itself, against a registry of the test. */
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { findPrivate, installPrivately } from '../../../src/agents/known/private-install.ts';
import { runToEnd } from '../../../src/agents/known/run-to-end.ts';
import type { KnownAgent } from '../../../src/agents/known-agents.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { type FakeRegistry, startRegistry } from '../../kit/npm-registry.ts';

const SCRIPT = `#!/usr/bin/env node
require('node:fs').writeSync(1, 'one 1.0.0 ' + process.execPath + '\\n');
`;
const ONE = {
  name: 'one-agent',
  version: '1.0.0',
  manifest: { bin: { one: 'one.js' }, scripts: { install: 'touch installed-by-script' } },
  files: { 'one.js': SCRIPT },
};
const AGENT: KnownAgent = {
  id: 'one',
  name: 'One',
  program: 'one',
  args: ['acp'],
  npm: { name: 'one-agent', version: '1.0.0', verified: true },
};
const MACHINE = `${process.platform}-${process.arch}`;

let home: string;
let folder: string;
beforeEach(() => {
  home = temporaryFolder();
  folder = join(home, 'agent-packages');
});

function install(agent: KnownAgent, registry: Pick<FakeRegistry, 'env'>, PATH?: string) {
  const env = { HOME: home, PATH: PATH ?? process.env['PATH'] ?? '', ...registry.env };
  return installPrivately(agent, { folder, env, signal: new AbortController().signal });
}
const registryWith = (...packages: Parameters<typeof startRegistry>[1]) =>
  startRegistry(join(home, 'cache'), packages);
const outputOf = async (start: readonly string[]) => {
  const run = await runToEnd([...start, '--version'], { env: {}, timeoutMs: 20_000 });
  return run.kind === 'ended' ? run.output : run.kind;
};

test('R29: the pinned version is installed once, no script of it runs, and it starts with full paths', async () => {
  const registry = await registryWith(ONE);
  const { start, version } = await install(AGENT, registry);
  expect(version).toBe('1.0.0');
  expect(await outputOf(start)).toContain('one 1.0.0 /');
  expect(readdirSync(folder)).toEqual(['one@1.0.0']);
  expect(existsSync(join(folder, 'one@1.0.0/node_modules/one-agent/installed-by-script'))).toBe(
    false,
  );
  expect(findPrivate(AGENT, folder)).toEqual({ start, version });

  const before = registry.asked.length;
  expect(await install(AGENT, registry)).toEqual({ start, version });
  expect(registry.asked).toHaveLength(before);
});

test('R8: an agent that needs a newer Node gets one beside it', async () => {
  const node = {
    name: `node-${MACHINE}`,
    version: '22.23.3',
    files: { 'bin/node': `#!/bin/sh\necho "the newer node runs $1"\n` },
  };
  const { start } = await install({ ...AGENT, nodeMin: '99.0.0' }, await registryWith(ONE, node));
  expect(start[0]).toBe(join(folder, `one@1.0.0/node_modules/node-${MACHINE}/bin/node`));
  expect(await outputOf(start)).toContain('the newer node runs /');
});

test('a program that only an install script would put in place is taken from the package of the machine', async () => {
  const own = {
    name: `one-${MACHINE}`,
    version: '1.0.0',
    files: { 'bin/one': '#!/bin/sh\necho "wrong kind of processor" >&2; exit 1\n' },
  };
  const baseline = {
    name: `one-${MACHINE}-baseline`,
    version: '1.0.0',
    files: { 'bin/one': '#!/bin/sh\necho "native 1.0.0"\n' },
  };
  const manifest = { optionalDependencies: { [own.name]: '1.0.0', [baseline.name]: '1.0.0' } };
  const names = ['one-{system}-{arch}', 'one-{system}-{arch}-baseline'];
  const npm = { name: 'one-agent', version: '1.0.0', verified: true, binaries: names } as const;
  const registry = await registryWith({ ...ONE, manifest }, own, baseline);
  const { start } = await install({ ...AGENT, npm }, registry);
  expect(start).toEqual([join(folder, `one@1.0.0/node_modules/${baseline.name}/bin/one`)]);
});

describe('what goes wrong is said in words, and leaves nothing', () => {
  const refused = async (agent: KnownAgent, registry: Pick<FakeRegistry, 'env'>, PATH?: string) => {
    const error: unknown = await install(agent, registry, PATH).catch((thrown: unknown) => thrown);
    expect(existsSync(folder) ? readdirSync(folder) : []).toEqual([]);
    const { message, next } = error as { message: string; next: string };
    return `${message}\n${next}`;
  };

  test('R29: a registry that does not have it', async () => {
    const said = await refused(AGENT, await registryWith());
    expect(said).toContain("can't install one-agent@1.0.0: the registry does not have it");
    expect(said).toContain('npm_config_registry');
  });

  test('a registry that can not be reached', async () => {
    const env = {
      npm_config_registry: 'http://127.0.0.1:9',
      npm_config_cache: join(home, 'cache'),
      npm_config_userconfig: '/dev/null',
      npm_config_fetch_retries: '0',
    };
    expect(await refused(AGENT, { env })).toContain('the registry can not be reached');
  });

  test('a program that does not start', async () => {
    const broken = {
      ...ONE,
      files: { 'one.js': '#!/usr/bin/env node\nthrow new Error("no luck")\n' },
    };
    const said = await refused(AGENT, await registryWith(broken));
    expect(said).toContain('One was fetched, but does not start');
    expect(said).toContain('no luck');
  });

  test('no npm, and an agent that was not tried', async () => {
    expect(await refused(AGENT, { env: {} }, home)).toContain('no npm on the PATH');
    const npm = { name: 'one-agent', version: '1.0.0' };
    expect(await refused({ ...AGENT, npm }, { env: {} })).toContain(
      'npm install -g one-agent@1.0.0',
    );
  });
});

test('half an install is none, and what a dead one left is removed', async () => {
  const left = join(folder, 'one@1.0.0.0123456789abcdef.new');
  mkdirSync(left, { recursive: true });
  utimesSync(left, 0, 0);
  mkdirSync(join(folder, 'one@1.0.0'));
  writeFileSync(join(folder, 'one@1.0.0', 'start.json'), '["node_modules/gone"]');
  expect(findPrivate(AGENT, folder)).toBeUndefined();
  await install(AGENT, await registryWith(ONE));
  expect(readdirSync(folder)).toEqual(['one@1.0.0']);
});
