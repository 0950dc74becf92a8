/** A wrong command line is refused in our own words, with the word that was meant, before anything is looked at. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WORDS_OF_OTHERS } from '../../../src/cli/mistakes.ts';
import { runProgram } from './program.ts';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'lark-bridge-mistakes-'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const run = (...words: string[]) => runProgram(words, { HOME: home });

describe('a wrong command line', () => {
  test.each([
    [['statsu'], 'unknown command "statsu"', 'Did you mean `lark-bridge status`?'],
    [['conect'], 'unknown command "conect"', 'Did you mean `lark-bridge connect`?'],
    [['conn'], 'unknown command "conn"', 'Did you mean `lark-bridge connect`?'],
    [['frobnicate'], 'unknown command "frobnicate"', 'Run `lark-bridge --help`'],
    [['help', 'statsu'], 'unknown command "statsu"', 'Did you mean `lark-bridge status`?'],
    [['agents', 'lst'], 'unknown command "agents lst"', 'Did you mean `lark-bridge agents list`?'],
    [['service', 'instal'], 'unknown command "service instal"', '`lark-bridge service install`'],
    [['turns', 'frob'], 'unknown command "turns frob"', 'Run `lark-bridge turns --help`'],
    [['agents'], '`agents` needs one of: list, known, add,', 'Run `lark-bridge agents --help`'],
    [['status', '--jsn'], 'unknown option --jsn', 'Did you mean `--json`?'],
    [['run', '-x'], 'unknown option -x', 'Run `lark-bridge run --help`'],
    [['run', '--frob'], 'unknown option --frob', 'Run `lark-bridge run --help`'],
    [['--frob'], 'unknown option --frob', 'Run `lark-bridge run --help`'],
    [['run', 'extra'], 'unexpected argument "extra"', 'Run `lark-bridge run --help`'],
    [['agents', 'add'], '`agents add` needs <name>', 'Run `lark-bridge agents add --help`'],
    [['trace'], '`trace` needs <message_id>', 'Run `lark-bridge trace --help`'],
    [['--state-dir'], '--state-dir needs a value', '--help'],
    [['agents', 'add', 'x', '--exec', '--stream'], '--exec needs a value', '--help'],
    [['agents', 'add', 'x', '--env'], '--env needs a value', '--help'],
    [['connect', '--brand', 'foo'], '--brand must be one of feishu, lark, not "foo"', '--help'],
    [['status', '--log-level', 'inof'], '--log-level must be one of debug, info,', '`info`?'],
    [['turns', '--phase', 'faild'], '--phase must be one of waiting,', 'Did you mean `failed`?'],
    [
      ['turns', '--limit', 'x'],
      '--limit must be a whole number from 1 to 10000, not "x"',
      '--help',
    ],
    [['turns', '--limit', '0'], '--limit must be a whole number from 1', '--help'],
    [['service', 'logs', '-n', '-1'], '--lines must be a whole number', '--help'],
    [['connect', '--timeout', '1.5'], '--timeout must be a whole number from 1', '--help'],
    [['run', '--turn-timeout-secs', 'x'], '--turn-timeout-secs must be a whole number', '--help'],
    [['completion', 'tcsh'], '<shell> must be one of bash, zsh, fish, not "tcsh"', '--help'],
    [['config', 'set', 'hub_prt', '1'], 'unknown setting "hub_prt"', 'Did you mean `hub_port`?'],
    [['agents', 'test', 'echoo'], 'unknown agent "echoo"', 'Did you mean `echo`?'],
    [['agents', 'remove', 'ecoh'], 'unknown agent "ecoh"', 'Did you mean `echo`?'],
  ])('%j', async (words, said, next) => {
    const { code, stdout, stderr } = await run(...words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: [^\n]+\nnext: [^\n]+\n$/);
    const [error, hint] = stderr.split('\n');
    expect(error).toContain(`error: ${said}`);
    expect(hint).toContain(next);
  });

  test('a wrong option is found before the state is looked at, and makes nothing', async () => {
    const folder = join(home, 'empty');
    const { code, stderr } = await runProgram(['turns', '--limit', 'x', '--state-dir', folder], {});
    expect({ code, stderr }).toMatchObject({ code: 2 });
    expect(stderr).not.toContain('no bot has run');
    expect(readdirSync(home)).not.toContain('empty');
  });

  test.each(Object.entries(WORDS_OF_OTHERS))(
    '`%s`, as other tools call it, is answered with what to type here',
    async (word, next) => {
      const { code, stderr } = await run(word);
      expect(code).toBe(2);
      expect(stderr).toBe(`error: unknown command "${word}"\nnext: ${next}\n`);
      const named = [...next.matchAll(/`lark-bridge ([^`]+)`/g)].map(([, words = '']) => words);
      expect(named.length).toBeGreaterThan(0);
      for (const words of named) {
        expect(await run(...words.split(' '), '--help'), words).toMatchObject({ code: 0 });
      }
    },
  );
});

describe('what is right in another form', () => {
  test('the last of an option that is typed twice counts', async () => {
    const { stdout } = await run(
      'config',
      'get',
      'log_level',
      '--log-level',
      'debug',
      '--log-level',
      'warn',
    );
    expect(stdout).toBe('warn\n');
  });

  test('choices may be typed in capitals, and values after a =', async () => {
    const { stdout } = await run('config', 'get', 'log_level', '--log-level=WARN');
    expect(stdout).toBe('warn\n');
  });

  test('an option may stand before the name of the command', async () => {
    expect(await run('--json', 'config', 'get', 'hub_port')).toMatchObject({ stdout: '4001\n' });
    expect(await run('--verify', 'connect', '--brand', 'foo')).toMatchObject({
      stderr: expect.stringContaining('--brand must be') as string,
    });
  });

  test('what begins with a dash is a text after --', async () => {
    const { stderr } = await run('config', 'get', '--', '--frob');
    expect(stderr).toContain('unknown setting "--frob"');
  });

  test.each([['-V'], ['version'], ['status', '--version']])(
    '%s shows the version',
    async (...words) => {
      expect(await run(...words)).toEqual(await run('--version'));
    },
  );

  test.each([
    [['-h'], ['--help']],
    [['help'], ['--help']],
    [
      ['help', 'connect'],
      ['connect', '--help'],
    ],
    [
      ['help', 'setup'],
      ['connect', '--help'],
    ],
    [
      ['help', 'agents', 'add'],
      ['agents', 'add', '--help'],
    ],
    [
      ['agents', 'add', '-h'],
      ['agents', 'add', '--help'],
    ],
    [
      ['agents', 'add', '--exec', '--help'],
      ['agents', 'add', '--help'],
    ],
  ])('%j shows the help of %j', async (words, same) => {
    const shown = await run(...words);
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown).toEqual(await run(...same));
  });
});
