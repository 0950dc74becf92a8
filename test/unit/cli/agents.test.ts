/** `lark-bridge agents`: what is said about who gets the turns, and what is not taken. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseCommand } from '../../../src/agents/command-line.ts';
import { runProgram } from './program.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lark-bridge-agents-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const agents = (words: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runProgram(['agents', ...words], { HOME: home, PATH: process.env['PATH'] ?? '', ...env });
const add = (name: string, exec: string, ...more: string[]) =>
  agents(['add', name, '--exec', exec, ...more]);
async function json(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { stdout } = await agents([...words, '--json'], env);
  return JSON.parse(stdout) as Record<string, unknown>;
}
async function names() {
  const { agents: all } = (await json(['list'])) as { agents: { name: string }[] };
  return all.map(({ name }) => name);
}

describe('what can not start is not taken', () => {
  test('missing, not executable, a first line of Windows, an interpreter that is not there', async () => {
    const script = (name: string, text: string, mode = 0o755) => {
      const path = join(home, name);
      writeFileSync(path, text);
      chmodSync(path, mode);
      return path;
    };
    const all = [
      'no-such-program --now',
      script('plain', '#!/bin/sh\n', 0o644),
      script('windows', '#!/bin/sh\r\n'),
      script('python', '#!/no/such/python\n'),
    ];
    for (const exec of all) {
      const { code, stdout, stderr } = await add('mine', exec);
      expect({ exec, code, stdout }).toEqual({ exec, code: 2, stdout: '' });
      expect(stderr).toMatch(/^error: the agent mine could not start: [^\n]+\nnext: [^\n]+--force/);
    }
    expect(await names()).toEqual(['echo']);
  });

  test('with --force it is', async () => {
    expect(await add('mine', 'no-such-program', '--force')).toMatchObject({ code: 0 });
    expect(await names()).toEqual(['echo', 'mine']);
  });

  test('a path is kept in full, because the bridge may run in another folder', async () => {
    await add('mine', '../../bin/sh -c cat', '--force');
    const { agents: all } = (await json(['list'])) as { agents: { argv?: string[] }[] };
    expect(all.at(-1)?.argv?.[0]).toMatch(/^\//);
  });
});

describe('who gets the turns', () => {
  test('is shown when a new agent gets them, and how to undo that', async () => {
    const { stdout } = await add('shout', 'tr a-z A-Z');
    expect(stdout).toContain('It gets the turns of all chats from now on (before: echo).');
    expect(stdout).toContain('`lark-bridge agents use echo`');
    const again = await json(['add', 'quiet', '--exec', 'tr A-Z a-z']);
    expect(again).toMatchObject({ name: 'quiet', gets_turns: true, before: 'shout' });
    const removed = await agents(['remove', 'quiet']);
    expect(removed.stdout).toContain('Now shout gets the turns.');
  });

  test('and when a setting names another one', async () => {
    await add('shout', 'tr a-z A-Z');
    const words = ['add', 'quiet', '--exec', 'tr A-Z a-z'];
    const { stdout } = await agents(words, { LARK_BRIDGE_AGENT: 'shout' });
    expect(stdout).toContain('shout still gets the turns');
    expect(stdout).toContain('LARK_BRIDGE_AGENT');
  });

  test('list marks it', async () => {
    await add('shout', 'tr a-z A-Z');
    const { stdout } = await agents(['list']);
    expect(stdout).toMatch(/^NAME +GETS TURNS +ADDED WITH$/m);
    expect(stdout).toMatch(/^echo +\(built in\)$/m);
    expect(stdout).toMatch(/^shout +yes +--exec 'tr a-z A-Z'$/m);
    const { agents: all } = await json(['list'], { LARK_BRIDGE_AGENT: 'echo' });
    expect(all).toMatchObject([
      { name: 'echo', gets_turns: true },
      { name: 'shout', gets_turns: false },
    ]);
  });

  test('list says if nobody here does', async () => {
    const unknown = await agents(['list'], { LARK_BRIDGE_AGENT: 'nobody' });
    expect(unknown.stdout).not.toContain('yes');
    expect(unknown.stderr).toContain('no agent nobody');
    const elsewhere = await agents(['list'], { PLATFORM_URL: 'https://hub.example' });
    expect(elsewhere.stdout).not.toContain('yes');
    expect(elsewhere.stderr).toContain('https://hub.example');
  });
});

describe('use', () => {
  test('gives the turns to an agent that was there before, and the next one that is added takes over', async () => {
    await add('shout', 'tr a-z A-Z');
    await add('quiet', 'tr A-Z a-z');
    const { stdout } = await agents(['use', 'shout']);
    expect(stdout).toContain('from now on (before: quiet)');
    expect(stdout).toContain('`lark-bridge agents use quiet`');
    expect(await json(['use', 'echo'])).toEqual({
      name: 'echo',
      gets_turns: true,
      before: 'shout',
    });
    expect((await agents(['use', 'echo'])).stdout).toContain('had the turns before');
    expect((await agents(['list'])).stdout).toMatch(/^echo +yes/m);
    expect(await json(['add', 'loud', '--exec', 'cat'])).toMatchObject({ gets_turns: true });
  });

  test('says so if a setting names another one, and refuses a name that nobody has', async () => {
    await add('shout', 'tr a-z A-Z');
    const named = await agents(['use', 'shout'], { LARK_BRIDGE_AGENT: 'echo' });
    expect(named.stdout).toContain('echo still gets the turns');
    const nobody = await agents(['use', 'nobody']);
    expect({ code: nobody.code, stdout: nobody.stdout }).toEqual({ code: 2, stdout: '' });
    expect(nobody.stderr).toMatch(/unknown agent "nobody"\nnext: /);
  });
});

describe('list', () => {
  test('creates nothing, and shows what a database would hold', async () => {
    const before = await json(['list']);
    expect(readdirSync(home)).toEqual([]);
    await add('shout', 'tr a-z A-Z');
    await agents(['remove', 'shout']);
    expect(await json(['list'])).toEqual(before);
  });

  test('shows how each was added, so that it can be pasted back', async () => {
    const words = [`sh -c 'echo "a b" >&2; exit 3'`, `awk '{print $1}'`, `sh -c "echo it's"`];
    for (const [at, exec] of words.entries()) await add(`a${at}`, exec);
    const { agents: all } = (await json(['list'])) as { agents: { argv?: string[] }[] };
    const { stdout } = await agents(['list']);
    const shown = stdout
      .split('\n')
      .flatMap((line) => /^a\d +(?:yes)? *--exec (.*)$/.exec(line)?.[1] ?? []);
    expect(shown).toHaveLength(3);
    // A real shell reads them.
    const read = shown.map((word) => execFileSync('sh', ['-c', `printf %s ${word}`]).toString());
    expect(read.map((command) => parseCommand(command))).toEqual(
      all.slice(1).map(({ argv }) => argv),
    );
  });
});

describe('a command that only a shell would understand', () => {
  test.each([
    ['tr a-z A-Z | cat', '|'],
    ['cat > /tmp/x', '>'],
    ['cat 2>&1', '2>&1'],
    ['true && cat', '&&'],
    ['echo one; cat', ';'],
    ['echo $HOME', '$HOME'],
    ['echo "$(date)"', '$('],
    ['sleep 1 &', '&'],
  ])('%s is not taken, with the word that would do it', async (exec, sign) => {
    const { code, stdout, stderr } = await add('mine', exec);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`without a shell, so ${sign} has`);
    expect(stderr).toMatch(/next: Let a shell run it: .*sh -c/);
  });

  test.each([
    `sh -c 'tr a-z A-Z | cat'`,
    `awk '{print $1}'`,
    `echo a\\;b`,
    `echo "a; b" http://x/?a=1&b=2`,
  ])('%s is no such command', async (exec) => {
    expect(await add('mine', exec)).toMatchObject({ code: 0 });
  });

  test('with --force it is taken as it is', async () => {
    expect(await add('mine', 'cat | cat', '--force')).toMatchObject({ code: 0 });
  });
});

test('a key is shown only for an agent that has a use for it', async () => {
  expect((await add('shout', 'tr a-z A-Z')).stdout).not.toMatch(/key|lr_/i);
  expect(await json(['add', 'loud', '--exec', 'tr a-z A-Z'])).not.toHaveProperty('api_key');
  expect((await agents(['add', 'far'])).stdout).toMatch(/API key \(shown only now\): \S+/);
  expect(await json(['add', 'farther'])).toMatchObject({ api_key: expect.any(String) as string });
});

describe('test', () => {
  test('gives the program the variables of a real turn, of forms that Lark has', async () => {
    await add('env', `sh -c 'env | grep ^LARK_ | sort'`);
    const { code, stdout } = await agents(['test', 'env'], { LARK_BRAND: 'lark' });
    expect(code).toBe(0);
    expect(stdout.trim().split('\n')).toEqual([
      'LARK_ATTACHMENTS=[]',
      'LARK_BRAND=lark',
      expect.stringMatching(/^LARK_CHAT_ID=oc_\w+$/),
      'LARK_CHAT_TYPE=p2p',
      expect.stringMatching(/^LARK_MESSAGE_ID=om_\w+$/),
      expect.stringMatching(/^LARK_OUTPUT_DIR=\//),
      expect.stringMatching(/^LARK_RUN_ID=[0-9a-f]{32}$/),
      expect.stringMatching(/^LARK_SENDER_OPEN_ID=ou_\w+$/),
      expect.stringMatching(/^LARK_TURN_FILE=\/.+\.json$/),
    ]);
  });

  test('names the agent and the exit code of a failure', async () => {
    await add('broken', `sh -c 'exit 3'`);
    const { code, stderr } = await agents(['test', 'broken']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: broken: .*exit code 3/m);
  });
});
