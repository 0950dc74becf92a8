/** `simulate -- COMMAND`: the command's environment, its end, and the signals on the way to it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { environmentWith } from '../../../src/sim/program/environment.ts';
import { runCommand } from '../../../src/sim/program/child.ts';
import { Trouble } from '../../../src/sim/program/trouble.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { runProgram, startProgram } from './program.ts';

const NODE = process.execPath;

/** Words that run a script in Node. What it writes goes to files: its streams are those of the tests. */
function nodeCommand(folder: string, script: string): string[] {
  const file = join(folder, 'command.mjs');
  writeFileSync(file, script);
  return [NODE, file];
}

test('the command runs with the environment of a bot, may use the control API, and its exit code is the end', async () => {
  const folder = temporaryFolder();
  const out = join(folder, 'seen.json');
  const command = nodeCommand(
    folder,
    `import { writeFileSync } from 'node:fs';
     const { LARK_CONTROL_URL, LARK_APP_ID } = process.env;
     const { apps } = await (await fetch(LARK_CONTROL_URL + '/world')).json();
     const page = (await fetch(process.env.LARK_PAGE_URL)).status;
     const words = process.argv.slice(2);
     writeFileSync(${JSON.stringify(out)}, JSON.stringify({ env: process.env, apps, page, words }));
     process.exitCode = apps[0].appId === LARK_APP_ID ? 7 : 1;`,
  );
  const own = {
    HOME: folder,
    MINE: 'stays',
    LARK_APP_SECRET: 'of the real bot',
    LARK_APP_SECRET_FILE: '/run/secrets/real',
    NO_PROXY: 'internal.example',
  };
  const words = ['simulate', '--seed', '7', '--', ...command, '--json', '007', '--', '-x'];
  const { code, stdout, stderr } = await runProgram(words, own);
  expect({ code, stdout }).toEqual({ code: 7, stdout: '' });
  expect(stderr).toMatch(/^The simulator is ready: page http:\S+\nIn it: Mia,[^\n]+\n$/);
  const seen = JSON.parse(readFileSync(out, 'utf8')) as {
    env: Record<string, string>;
    page: number;
    words: string[];
  };
  expect([seen.page, seen.words]).toEqual([200, ['--json', '007', '--', '-x']]);
  expect(seen.env).toMatchObject({
    MINE: 'stays',
    LARK_BRAND: 'feishu',
    LARK_OPEN_BASE_URL: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
    NO_PROXY: '127.0.0.1,internal.example',
    no_proxy: '127.0.0.1,internal.example',
  });
  expect(seen.env['LARK_APP_SECRET']).not.toBe('of the real bot');
  expect(seen.env).not.toHaveProperty('LARK_APP_SECRET_FILE');
});

test('--quiet says nothing of its own', async () => {
  const { code, stdout, stderr } = await runProgram([
    'simulate',
    '--quiet',
    '--',
    NODE,
    '-e',
    'process.exit(3)',
  ]);
  expect({ code, stdout, stderr }).toEqual({ code: 3, stdout: '', stderr: '' });
});

test.each([
  [['/nowhere/program'], 'there is no program "/nowhere/program"'],
  [['/etc/passwd'], 'can\'t start "/etc/passwd"'],
])('a command that can not start: %s', async (command, words) => {
  const { code, stdout, stderr } = await runProgram(['simulate', '--quiet', '--', ...command]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(`error: ${words}`);
  expect(stderr).toContain('next: Check the command after `--`.');
});

test('words after -- are refused by a command that can not run them, not dropped', async () => {
  const { code, stderr } = await runProgram(['status', '--', 'pytest']);
  expect(code).toBe(2);
  expect(stderr).toContain('unexpected argument "pytest"');
});

test('a stop of the simulator ends the command first', async () => {
  const folder = temporaryFolder();
  const out = join(folder, 'seen');
  const command = nodeCommand(
    folder,
    `import { appendFileSync } from 'node:fs';
     process.on('SIGTERM', async () => {
       const { status } = await fetch(process.env.LARK_CONTROL_URL + '/world');
       appendFileSync(${JSON.stringify(out)}, ' ' + status);
       process.exit(5);
     });
     setInterval(() => {}, 1000);
     appendFileSync(${JSON.stringify(out)}, 'up');`,
  );
  writeFileSync(out, '');
  const { code, stop, stdout, stderr } = startProgram(['simulate', '--', ...command]);
  stdout.resume();
  stderr.resume();
  await expect.poll(() => readFileSync(out, 'utf8')).toBe('up');
  stop();
  expect(await code).toBe(5);
  expect(readFileSync(out, 'utf8')).toBe('up 200');
});

describe('signals', () => {
  /** Runs a command that ends with the number of the first signal that it gets. */
  async function endedBy(name: NodeJS.Signals | undefined, isTerminal = false) {
    const folder = temporaryFolder();
    const up = join(folder, 'up');
    const words = nodeCommand(
      folder,
      `import { writeFileSync } from 'node:fs';
       import { constants } from 'node:os';
       for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => process.exit(constants.signals[name]));
       setInterval(() => {}, 1000);
       writeFileSync(${JSON.stringify(up)}, String(process.pid));`,
    );
    const stopping = new AbortController();
    const ended = runCommand({ words, env: {}, signal: stopping.signal, isTerminal });
    await expect.poll(() => pidIn(up)).toBeGreaterThan(0);
    stopping.abort(name && new DOMException(name, 'AbortError'));
    return { ended, pid: pidIn(up) };
  }

  function pidIn(file: string): number {
    try {
      return Number(readFileSync(file, 'utf8'));
    } catch {
      // Not there yet.
      return 0;
    }
  }

  test.each([
    ['SIGINT', 2],
    ['SIGHUP', 1],
    ['SIGTERM', 15],
    [undefined, 15],
  ] as const)('%s is passed on', async (name, code) => {
    expect(await (await endedBy(name)).ended).toBe(code);
  });

  test('on a terminal, which tells the command of Ctrl-C itself, it is not told again', async () => {
    const { ended, pid } = await endedBy('SIGINT', true);
    // It would come after a SIGINT, and find nobody.
    process.kill(pid, 'SIGTERM');
    expect(await ended).toBe(15);
  });

  test('a command that a signal ended: 128 and its number', async () => {
    const words = [NODE, '-e', 'process.kill(process.pid, "SIGKILL")'];
    const { signal } = new AbortController();
    expect(await runCommand({ words, env: {}, signal, isTerminal: false })).toBe(137);
  });

  test('one that is not there rejects with words', async () => {
    const { signal } = new AbortController();
    const run = runCommand({ words: ['/nowhere'], env: {}, signal, isTerminal: false });
    await expect(run).rejects.toBeInstanceOf(Trouble);
  });
});

test('without NO_PROXY only the simulator is in it; its certificate is trusted by Node', async () => {
  const lark = await startLarkCloud();
  onTestFinished(() => lark.stop());
  const env = environmentWith({}, { lark, app: undefined, caFile: '/srv/ca.pem' });
  expect(env).toMatchObject({ NO_PROXY: '127.0.0.1', NODE_EXTRA_CA_CERTS: '/srv/ca.pem' });
  expect(env).not.toHaveProperty('LARK_APP_ID');
});
