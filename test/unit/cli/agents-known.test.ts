/** `lark-bridge agents known`, `add` of agents that speak a protocol, and `folders`. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../kit/folder.ts';
import { startRegistry } from '../../kit/npm-registry.ts';
import { type Ended, runProgram } from './program.ts';

let home: string;
let bin: string;
beforeEach(() => {
  home = realpathSync(temporaryFolder());
  bin = join(home, 'bin');
  mkdirSync(bin);
});

/** What people have on their PATH, and nothing of the machine of the test. */
const run = (
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> => runProgram(words, { HOME: home, PATH: bin, ...env });
const agents = (...words: string[]) => run(['agents', ...words]);

function program(name: string, text = '#!/bin/sh\necho "4.5.6"\n'): string {
  const path = join(bin, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

async function listed() {
  const { stdout } = await agents('list', '--json');
  return (JSON.parse(stdout) as { agents: Record<string, unknown>[] }).agents;
}

describe('agents known', () => {
  test('says of each whether it is here, where, which version, and whether it is logged in', async () => {
    const claude = program('claude-agent-acp', '#!/usr/bin/env node\n');
    writeFileSync(join(home, 'package.json'), '{"name":"claude","version":"0.101.0"}');
    const cursor = program('cursor-agent', '#!/bin/sh\necho 2026.01.28\n');
    program('gemini', '#!/bin/sh\nsleep 60\n');
    const { code, stdout, stderr } = await agents('known');
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^NAME +AGENT +VERSION +LOGGED IN +WHERE$/);
    expect(lines.find((line) => line.startsWith('claude '))).toMatch(
      new RegExp(`Claude Code +0\\.101\\.0 +no +${claude}$`),
    );
    expect(lines.find((line) => line.startsWith('cursor '))).toMatch(
      new RegExp(`2026\\.01\\.28 +can't tell +${cursor}$`),
    );
    // A program that hangs is here all the same.
    expect(lines.find((line) => line.startsWith('gemini '))).toMatch(/- +can't tell/);
    expect(lines.find((line) => line.startsWith('codex '))).toContain('not installed (--install');
    expect(lines.findIndex((line) => line.includes('not installed'))).toBeGreaterThan(3);
    expect(stderr).toContain(
      `To log in to Claude Code: ${process.execPath} ${claude} --cli auth login`,
    );
  });

  test('as JSON too, without what a variable holds', async () => {
    program('codex-acp');
    const ended = await run(['agents', 'known', '--json'], { OPENAI_API_KEY: 'sk-hidden-value' });
    const { known } = JSON.parse(ended.stdout) as { known: { name: string }[] };
    expect(known.find(({ name }) => name === 'codex')).toMatchObject({
      installed: true,
      path: join(bin, 'codex-acp'),
      version: '4.5.6',
      logged_in: 'yes',
      login_variable: 'OPENAI_API_KEY',
    });
    expect(known.find(({ name }) => name === 'devin')).toMatchObject({ installed: false });
    expect(ended.stdout + ended.stderr).not.toContain('sk-hidden');
  });
});

describe('agents add with a known name', () => {
  test('R8: stores full paths, PATH and HOME, and says how it is started', async () => {
    const claude = program('claude-agent-acp', '#!/usr/bin/env node\n');
    const { code, stdout } = await agents('add', 'claude');
    expect(code).toBe(0);
    expect(stdout).toContain(`It is started with: ${process.execPath} ${claude}\n`);
    expect(stdout).toContain('It asks in the chat before it acts.');
    expect(stdout).toContain('It gets the turns of all chats from now on');
    expect(stdout).not.toContain('API key');
    expect((await listed()).at(-1)).toMatchObject({
      name: 'claude',
      kind: 'acp',
      known: 'claude',
      argv: [process.execPath, claude],
      permissions: 'ask',
      folder: null,
    });
  });

  test('says the one command that installs it, and whether lark-bridge can', async () => {
    const claude = await agents('add', 'claude');
    expect(claude.code).toBe(2);
    expect(claude.stderr).toContain('there is no program claude-agent-acp on the PATH');
    expect(claude.stderr).toContain('npm install -g @agentclientprotocol/claude-agent-acp@0.101.0');
    expect(claude.stderr).toContain('lark-bridge agents add claude --install');
    const devin = await agents('add', 'devin');
    expect(devin.stderr).toContain('next: Install Devin as its makers say.');
    expect(devin.stderr).not.toContain('--install');
  });

  test('with --force it is added as it is', async () => {
    expect((await agents('add', 'devin', '--force')).code).toBe(0);
    expect((await listed()).at(-1)).toMatchObject({ known: 'devin', argv: ['devin', 'acp'] });
  });

  test('needs what the agent needs', async () => {
    program('pi-acp');
    expect((await agents('add', 'pi')).stderr).toContain('needs the program pi');
    program('pi');
    expect((await agents('add', 'pi')).code).toBe(0);
  });

  test('R29: --install puts the pinned version into the state directory', async () => {
    const codex = {
      name: '@agentclientprotocol/codex-acp',
      version: '2.6.0',
      manifest: { bin: { 'codex-acp': 'index.js' } },
      files: { 'index.js': '#!/usr/bin/env node\n' },
    };
    const registry = await startRegistry(join(home, 'cache'), [codex]);
    const env = { ...registry.env, PATH: process.env['PATH'] ?? '' };
    const { code, stderr } = await run(['agents', 'add', 'codex', '--install'], env);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining('some minutes') as string,
    });
    const place = join(home, '.lark-bridge', 'agent-packages', 'codex@2.6.0');
    expect((await listed()).at(-1)?.['argv']).toContain(join(place, 'node_modules/.bin/codex-acp'));
    // It is found from then on, also without npm and the PATH.
    await agents('remove', 'codex');
    expect((await agents('add', 'codex')).code).toBe(0);
  });

  test('a taken name is refused before anything is installed', async () => {
    program('codex-acp');
    await agents('add', 'codex');
    const again = await agents('add', 'codex', '--install');
    expect(again.stderr).toContain('already an agent with the name codex');
    expect(existsSync(join(home, '.lark-bridge', 'agent-packages'))).toBe(false);
  });
});

describe('agents add --acp and --a2a', () => {
  test('a program of any name, with what belongs to it', async () => {
    const path = program('mine');
    mkdirSync(join(home, 'work'));
    const words = [
      '--acp',
      'mine --serve',
      '--folder',
      join(home, 'work'),
      '--permissions',
      'auto',
    ];
    const ended = await agents('add', 'helper', ...words, '--env', 'MY_KEY');
    expect(ended).toMatchObject({ code: 0 });
    expect(ended.stdout).toContain('It acts without asking');
    expect((await listed()).at(-1)).toMatchObject({
      kind: 'acp',
      argv: [path, '--serve'],
      known: null,
      folder: join(home, 'work'),
      permissions: 'auto',
      env: ['MY_KEY'],
    });
    const { stdout } = await agents('list');
    expect(stdout).toContain(
      `--acp '${path} --serve' --folder ${join(home, 'work')} --permissions auto --env MY_KEY`,
    );
  });

  test('a script beside the person gets its full path: the program works in another folder', async () => {
    const script = 'test/fixtures/acp/fake-agent.mjs';
    const { code } = await agents(
      'add',
      'mine',
      '--acp',
      `${process.execPath} ${script} --script=banner`,
    );
    expect(code).toBe(0);
    const { stdout } = await agents('list');
    expect(stdout).toContain(`${resolve(script)} --script=banner`);
  });

  test('the agent of the table is known by its program', async () => {
    program('gemini');
    await agents('add', 'second', '--acp', 'gemini --acp --debug');
    expect((await listed()).at(-1)).toMatchObject({ name: 'second', known: 'gemini' });
  });

  test('R34: a folder that is not there, or no folder, is refused', async () => {
    const file = program('mine');
    const add = (folder: string) => agents('add', 'helper', '--acp', 'mine', '--folder', folder);
    expect((await add(join(home, 'none'))).stderr).toMatch(
      /there is no folder .*\nnext: .*mkdir -p/,
    );
    expect((await add(file)).stderr).toContain(`${file} is not a folder`);
    expect(await listed()).toHaveLength(1);
  });

  test('an address, private only because it was named', async () => {
    const env = { MY_TOKEN: 'hidden-token-value' };
    const words = ['--a2a', 'http://127.0.0.1:9/agent', '--token-env', 'MY_TOKEN'];
    const { code, stdout } = await run(['agents', 'add', 'far', ...words], env);
    expect(code).toBe(0);
    expect(stdout).not.toContain('API key');
    expect((await agents('list')).stdout).toContain(
      '--a2a http://127.0.0.1:9/agent --token-env MY_TOKEN',
    );
  });

  test.each([
    ['two ways', ['--exec', 'cat', '--acp', 'cat'], '--exec, --acp and --a2a exclude each other'],
    ['a folder for exec', ['--exec', 'cat', '--folder', '/tmp'], '--folder is for a known agent'],
    ['--stream for acp', ['--acp', 'cat', '--stream'], '--stream is for a program of --exec'],
    ['--env for a2a', ['--a2a', 'http://x', '--env', 'A'], '--env is for a program of --exec'],
    ['--token-env for acp', ['--acp', 'cat', '--token-env', 'A'], '--token-env is for an agent of'],
    ['--install with --acp', ['--acp', 'cat', '--install'], '--install and --acp exclude'],
    ['--install for a name nobody knows', ['--install'], '--install is for a known agent'],
    ['no address', ['--a2a', 'agent.example.com'], 'is not the address of an agent'],
    ['a password in it', ['--a2a', 'https://me:pw@example.com'], 'must not hold a password'],
    ["a variable of the bridge's", ['--a2a', 'http://x', '--token-env', 'LARK_X'], 'belongs to'],
    ['what can not start', ['--acp', 'no-such-program'], 'no program no-such-program on the PATH'],
  ])('%s is refused with a next step', async (_, words, said) => {
    program('cat');
    const { code, stderr } = await agents('add', 'mine', ...words);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: [^\n]+\nnext: [^\n]+/);
    expect(stderr).toContain(said);
    expect(stderr).not.toContain('me:pw');
    expect(await listed()).toHaveLength(1);
  });
});

describe('folders', () => {
  test('are added by where they lead, listed and removed, also when they are gone', async () => {
    mkdirSync(join(home, 'work'));
    symlinkSync(join(home, 'work'), join(home, 'link'));
    expect((await run(['folders'])).stdout).toContain('lark-bridge folders add DIR');
    expect((await run(['folders', 'add', join(home, 'link')])).stdout).toContain(
      join(home, 'work'),
    );
    expect((await run(['folders', 'add', join(home, 'work')])).stdout).toContain('already');
    const { stdout } = await run(['folders', 'list', '--json']);
    expect(JSON.parse(stdout)).toEqual({ folders: [join(home, 'work')] });
    rmSync(join(home, 'work'), { recursive: true });
    expect((await run(['folders', 'remove', join(home, 'work')])).code).toBe(0);
    const again = await run(['folders', 'remove', join(home, 'work')]);
    expect(again).toMatchObject({ code: 2 });
    expect(again.stderr).toContain('lark-bridge folders list');
  });

  test('`agents add --folder` adds it too', async () => {
    program('mine');
    await agents('add', 'helper', '--acp', 'mine', '--folder', bin);
    expect((await run(['folders', 'list'])).stdout).toBe(`${bin}\n`);
  });

  test('what is no folder is refused', async () => {
    const { code, stderr } = await run(['folders', 'add', join(home, 'none')]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/there is no folder .*\nnext: /);
  });
});
