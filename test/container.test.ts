/**
 * The files for containers, by their parts: what they copy, run and set exists. Docker itself builds and starts
 * them in .github/workflows/ci.yml.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { settingRows } from '../src/config/setting-rows.ts';
import type { Setting } from '../src/config/settings.ts';
import { blocksOf, ROOT, textOf } from './documents.ts';
import { temporaryFolder } from './kit/folder.ts';
import { runProgram, startProgram } from './unit/cli/program.ts';

type Json = Record<string, unknown>;

interface Service {
  readonly image?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly init?: boolean;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly configs?: Readonly<Record<string, { readonly content: string }>>;
  readonly volumes?: Json;
}

// It has no types of its own.
const { load } = createRequire(import.meta.url)('js-yaml') as { load: (text: string) => unknown };
const composeOf = (path: string) => load(textOf(path)) as Compose;
const tried = composeOf('compose.try.yaml');
const bridge = tried.services['bridge'] as Required<Service>;
const simulator = tried.services['simulator'] as Required<Service>;

/** Instructions of the Dockerfile, in order. */
const INSTRUCTIONS = textOf('Dockerfile')
  .replaceAll(/^#.*$/gm, '')
  .replaceAll('\\\n', ' ')
  .split('\n')
  .flatMap((line) => {
    const [, name = '', rest = ''] = /^([A-Z]+) (.+)$/.exec(line.trim()) ?? [];
    return name === '' ? [] : [{ name, rest }];
  });
const restsOf = (name: string) =>
  INSTRUCTIONS.filter((one) => one.name === name).map(({ rest }) => rest);

/** Every variable that a setting is read from. */
const VARIABLES = new Set(
  settingRows().flatMap(([, row]: readonly [string, Setting<unknown>]) => [
    ...(row.env ?? []),
    ...(row.envFile === undefined ? [] : [row.envFile]),
  ]),
);

function isIgnored(path: string): boolean {
  return textOf('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .some((pattern) => {
      const name = pattern.replaceAll('.', String.raw`\.`).replaceAll('*', '[^/]*');
      return new RegExp(`^${name}(?:/|$)`).test(path);
    });
}

test('what the image is built from is in the context, and nothing that a clone does not have', () => {
  const copied = restsOf('COPY')
    .filter((rest) => !rest.startsWith('--from='))
    .flatMap((rest) => rest.split(' ').slice(0, -1));
  expect(copied).toContain('.');
  const { files } = JSON.parse(textOf('package.json')) as { files: string[] };
  const packed = files.filter((path) => !/[*!]/.test(path));
  const built = ['src', 'tsconfig.json', 'tsconfig.build.json', 'README.md', 'LICENSE'];
  for (const path of [...copied, ...packed, ...built]) {
    expect(existsSync(join(ROOT, path)), path).toBe(true);
    expect(isIgnored(path), path).toBe(false);
  }
  for (const path of ['node_modules', 'dist', '.git', '.env', '.env.local', 'lark_app_secret']) {
    expect(isIgnored(path), path).toBe(true);
  }
  const listed = textOf('.gitignore').split('\n').filter(Boolean);
  expect(listed.map((line) => line.replace(/\/$/, '')).filter((line) => !isIgnored(line))).toEqual(
    [],
  );
});

test('it runs npm scripts that exist, as somebody who is not root, on a Node that we support', async () => {
  const { scripts, engines } = JSON.parse(textOf('package.json')) as {
    scripts: Json;
    engines: { node: string };
  };
  const runs = restsOf('RUN').join('\n');
  const named = [...runs.matchAll(/npm run (\S+)/g)].map(([, name = '']) => name);
  expect(named).toEqual(['build']);
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
  const major = Number(/>=(\d+)/.exec(engines.node)?.[1]);
  for (const base of restsOf('FROM')) {
    expect(Number(/^node:(\d+)-slim/.exec(base)?.[1])).toBeGreaterThanOrEqual(major);
  }
  const user = INSTRUCTIONS.findLastIndex(({ name }) => name === 'USER');
  expect(INSTRUCTIONS[user]?.rest).toBe('node');
  expect(INSTRUCTIONS.findLastIndex(({ name }) => name === 'RUN')).toBeLessThan(user);
});

test('what it starts are commands, and what it sets are settings', async () => {
  const words = (name: string) => JSON.parse(restsOf(name)[0] ?? '') as string[];
  expect(words('ENTRYPOINT')).toEqual(['lark-bridge']);
  const health = JSON.parse(restsOf('HEALTHCHECK')[0]?.replace(/^.*? CMD /, '') ?? '') as string[];
  expect(health[0]).toBe('lark-bridge');
  for (const command of [words('CMD'), health.slice(1), simulator.command.slice(0, 1)]) {
    const { code, stdout } = await runProgram([...command, '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`\\blark-bridge ${command[0]}\\b`));
  }
  const set = restsOf('ENV').flatMap((rest) => rest.split(' ').map((one) => one.split('=')[0]));
  expect(set.filter((name = '') => !VARIABLES.has(name))).toEqual([]);
  const state = /LARK_CHANNEL_STATE_DIR=(\S+)/.exec(restsOf('ENV').join(' '))?.[1];
  expect(restsOf('VOLUME')).toEqual([state]);
  expect(restsOf('RUN').some((rest) => rest.endsWith(` ${state}`))).toBe(true);
});

test.each(['compose.yaml', 'compose.try.yaml'])('%s: services, volumes and settings', (path) => {
  const { services, volumes = {} } = composeOf(path);
  for (const service of Object.values(services)) {
    expect(service.image).toBe('lark-bridge');
    // Node does not collect the children of dead processes.
    expect(service.init).toBe(true);
    for (const volume of service.volumes ?? []) {
      const [name = '', target] = volume.split(':');
      expect(volumes).toHaveProperty(name);
      expect([target]).toEqual(restsOf('VOLUME'));
    }
    const names = Object.keys(service.environment ?? {});
    expect(names.filter((name) => !VARIABLES.has(name))).toEqual([]);
    // No port is open to other machines.
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
  }
});

test('the YAML in docs/docker.md fits compose.yaml', () => {
  const [block = ''] = blocksOf(textOf('docs/docker.md'), 'yaml');
  const override = load(block) as Compose;
  expect(Object.keys(composeOf('compose.yaml').services)).toEqual(Object.keys(override.services));
  const names = Object.keys(override.services['bridge']?.environment ?? {});
  expect(names.filter((name) => !VARIABLES.has(name))).toEqual([]);
});

test('the simulator and the bot of compose.try.yaml find each other, and the bot answers', async () => {
  const folder = temporaryFolder();
  const world = join(folder, 'world.json');
  writeFileSync(world, tried.configs?.['world']?.content ?? '');
  const here: Readonly<Record<string, string>> = {
    '0.0.0.0': '127.0.0.1',
    7070: '0',
    '/world.json': world,
  };
  const stand = started(simulator.command.map((word) => here[word] ?? word));
  await expect.poll(() => stand.said()).toContain('"ready"');
  const ready = JSON.parse(stand.said()) as Record<string, string>;
  const [port] = simulator.ports;
  expect(port?.split(':').at(-1)).toBe(simulator.command[simulator.command.indexOf('--port') + 1]);
  const env = Object.fromEntries(
    Object.entries(bridge.environment).map(([name, value]) => [
      name,
      value.replace('http://simulator:7070', ready['open_base_url'] ?? ''),
    ]),
  );
  const state = join(folder, 'state');
  const bot = started(['run'], {
    ...env,
    HOME: folder,
    LARK_CHANNEL_STATE_DIR: state,
    LARK_PORT: '0',
  });
  await expect.poll(() => bot.said()).toContain('"ready"');
  const ask = async (path: string, fields?: Json) => {
    const answer = await fetch(`${ready['control_url']}${path}`, {
      ...(fields && { method: 'POST', body: JSON.stringify(fields) }),
    });
    return (await answer.json()) as Json;
  };
  await ask('/online?app=Echo&timeoutMs=30000');
  const said = await ask('/say', { chat: 'Team', from: 'Tom', text: 'hello', mentions: ['Echo'] });
  const { messages } = await ask(
    `/wait?chat=Team&replyTo=${String(said['messageId'])}&timeoutMs=30000`,
  );
  expect(messages).toMatchObject([{ text: expect.stringContaining('hello') as string }]);
  expect(readdirSync(state)).toContain('bridge.db');
});

/** A program in this process, stopped with the test. */
function started(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { stdout, stderr, stop, code } = startProgram([...words, '--json'], env);
  let said = '';
  stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  stderr.resume();
  onTestFinished(async () => {
    stop();
    await code;
  });
  return { said: () => said };
}

test('.devcontainer/devcontainer.json installs what the tests need', () => {
  const file = JSON.parse(readFileSync(join(ROOT, '.devcontainer/devcontainer.json'), 'utf8')) as {
    image: string;
    onCreateCommand: string;
    postCreateCommand: string;
  };
  expect(file.image).toMatch(/javascript-node:(?:20|22|24)-/);
  expect(file.postCreateCommand).toBe('npm ci');
  expect(file.onCreateCommand).toContain('chromium');
});
