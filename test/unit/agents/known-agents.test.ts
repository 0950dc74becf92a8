/** The table of known agents: what the rest relies on, and what is found of it on a machine. */
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  environmentFor,
  findInstalled,
  isAtLeast,
  nodeFor,
  startOf,
  versionIn,
  versionOf,
} from '../../../src/agents/known/installed-agent.ts';
import { loginStateOf } from '../../../src/agents/known/login-state.ts';
import { runToEnd } from '../../../src/agents/known/run-to-end.ts';
import { KNOWN_AGENTS, knownAgent, type KnownAgent } from '../../../src/agents/known-agents.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { isProcessAlive } from '../../kit/processes.ts';

let home: string;
let bin: string;
beforeEach(() => {
  home = temporaryFolder();
  bin = join(home, 'bin');
  mkdirSync(bin);
});

function program(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

const CLAUDE = knownAgent('claude') as KnownAgent;

describe('a folder on the PATH that depends on where somebody stands', () => {
  let before: string;
  beforeEach(() => {
    before = process.cwd();
    // As if it were a project that somebody has just cloned.
    process.chdir(home);
  });
  afterEach(() => process.chdir(before));

  test.each(['.', '', 'node_modules/.bin', './bin'])(
    '%j chooses no agent, and no Node',
    async (folder) => {
      const planted = join(home, folder, 'claude-agent-acp');
      program(planted, `#!/bin/sh\ntouch ${join(home, 'ran')}`);
      program(join(home, folder, 'node'), '#!/bin/sh\n');
      for (const PATH of [folder, `${folder}:/nowhere`, `/nowhere:${folder}`]) {
        expect(await findInstalled(CLAUDE, { HOME: home, PATH })).toBeUndefined();
        expect(nodeFor({ PATH })).not.toContain(home);
        expect(environmentFor({ PATH })['PATH'] ?? '').not.toMatch(/(^|:)[^/]/);
      }
      expect(existsSync(join(home, 'ran'))).toBe(false);
    },
  );
});

describe('the table', () => {
  test('has each name once, in the form that the names of agents have', () => {
    const ids = KNOWN_AGENTS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z0-9-]{1,40}$/);
    expect(ids).toEqual(
      expect.arrayContaining([
        'claude',
        'codex',
        'gemini',
        'opencode',
        'copilot',
        'qwen',
        'kimi',
        'cursor',
      ]),
    );
  });

  test('R29: pins an exact version of each package, and says at which one it was tried', () => {
    for (const { npm } of KNOWN_AGENTS) if (npm) expect(npm.version).toMatch(/^\d+\.\d+\.\d+$/);
    const tried = KNOWN_AGENTS.filter(({ npm }) => npm?.verified === true).map(({ id }) => id);
    expect(tried).toEqual(['claude', 'codex', 'gemini', 'opencode', 'copilot', 'qwen', 'kimi']);
  });

  test('R16: where an agent starts in a mode that acts by itself, the mode that asks is named', () => {
    expect(CLAUDE.askModes).toEqual(['default']);
    expect(knownAgent('codex')?.askModes?.[0]).toBe('read-only');
    const asks = knownAgent('opencode')?.askVariables?.['OPENCODE_CONFIG_CONTENT'] ?? '';
    expect(JSON.parse(asks)).toMatchObject({ permission: { bash: 'ask', edit: 'ask' } });
  });
});

describe('R8: what starts an agent is written with full paths', () => {
  test('a script for Node with the Node of the PATH', () => {
    const node = program(join(bin, 'node'), '#!/bin/sh\n');
    const script = program(join(bin, 'one'), '#!/usr/bin/env node\n');
    const flags = program(join(bin, 'two'), '#!/usr/bin/env -S node --no-warnings\n');
    expect(startOf('one', { PATH: bin })).toEqual([node, script]);
    expect(startOf('two', { PATH: bin })).toEqual([node, '--no-warnings', flags]);
  });

  test('any other program alone, and without a Node on the PATH that of the bridge', () => {
    const shell = program(join(bin, 'sh-one'), '#!/bin/sh\n');
    const script = program(join(bin, 'one'), '#!/usr/bin/env node\n');
    expect(startOf('sh-one', { PATH: bin })).toEqual([shell]);
    expect(startOf('one', { PATH: bin })).toEqual([process.execPath, script]);
    expect(startOf('none', { PATH: bin })).toBeUndefined();
  });
});

describe('the version', () => {
  test('of a script is that of its package, and the script is not run', async () => {
    const lib = join(home, 'lib', 'pack');
    const file = program(join(lib, 'dist', 'index.js'), '#!/usr/bin/env node\nprocess.exit(3)\n');
    writeFileSync(join(lib, 'dist', 'package.json'), '{"type":"module"}');
    writeFileSync(join(lib, 'package.json'), '{"name":"pack","version":"1.2.3"}');
    symlinkSync(file, join(bin, CLAUDE.program));
    expect(await findInstalled(CLAUDE, { PATH: bin })).toEqual({
      start: [process.execPath, join(bin, CLAUDE.program)],
      version: '1.2.3',
    });
  });

  test('of another program is what it says', async () => {
    const start = [program(join(bin, 'native'), '#!/bin/sh\necho "native v2.0.1 (abc)"\n')];
    expect(await versionOf(start, {})).toBe('2.0.1');
    expect(versionIn('no number here')).toBeUndefined();
  });

  test.each([
    ['22.19.0', '22.19.0', true],
    ['22.2.0', '22.19.0', false],
    ['24.0.0', '22.19.0', true],
    ['20.20.2', '22.0.0', false],
  ])('%s is at least %s: %s', (own, least, is) => {
    expect(isAtLeast(own, least)).toBe(is);
  });

  test('a program that does not end is ended, with what it has started', async () => {
    const path = program(join(bin, 'slow'), '#!/bin/sh\nsleep 300 &\necho $!\nwait\n');
    const run = runToEnd([path], { env: { PATH: process.env['PATH'] ?? '' }, timeoutMs: 300 });
    expect((await run).kind).toBe('too_long');
    const pid = await runToEnd(['/bin/sh', '-c', 'sleep 300 >/dev/null 2>&1 & echo $!'], {
      env: { PATH: process.env['PATH'] ?? '' },
      timeoutMs: 10_000,
    });
    const left = Number(pid.kind === 'ended' ? pid.output : '0');
    expect(left).toBeGreaterThan(1);
    await expect.poll(() => isProcessAlive(left)).toBe(false);
  });

  test('a program that is not there is told in words', async () => {
    const run = await runToEnd([join(bin, 'none')], { env: {}, timeoutMs: 1_000 });
    expect(run).toMatchObject({
      kind: 'not_started',
      why: expect.stringContaining('ENOENT') as string,
    });
  });
});

describe('R9: a login', () => {
  const at = (path: string) => {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), '{}');
  };

  test('is known by the file in the home of the user, or by a variable', () => {
    expect(loginStateOf(CLAUDE, { home, env: {} })).toEqual({ is: 'no' });
    const key = { ANTHROPIC_API_KEY: 'sk' };
    expect(loginStateOf(CLAUDE, { home, env: key })).toEqual({
      is: 'yes',
      variable: 'ANTHROPIC_API_KEY',
    });
    at('.claude/.credentials.json');
    const file = join(home, '.claude/.credentials.json');
    expect(loginStateOf(CLAUDE, { home, env: {} })).toEqual({ is: 'yes', file });
    expect(loginStateOf(CLAUDE, { home, env: { CLAUDE_CONFIG_DIR: join(home, 'moved') } }).is).toBe(
      'no',
    );
  });

  test('is not known of an agent that keeps it elsewhere too', () => {
    for (const id of ['cursor', 'opencode', 'kimi']) {
      expect(loginStateOf(knownAgent(id) as KnownAgent, { home, env: {} })).toEqual({
        is: 'unknown',
      });
    }
  });
});
