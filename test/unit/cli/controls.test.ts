/** F29: control characters reach no terminal and no log raw, whoever they come from. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { Output } from '../../../src/cli/output.ts';
import { BridgeError } from '../../../src/core/errors.ts';
import { createLog } from '../../../src/observe/log.ts';
import { HOSTILE_TEXT, RAW_CONTROL } from '../../kit/controls.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { seeded } from '../../sim/random.ts';
import { runProgram } from './program.ts';

function randomText(random: () => number): string {
  const alphabet = [0x20, 0x41, 0x7f, 0x80, 0x9f, 0x200f, 0x202e, 0x2066, 0x1f468, 0x200d, 0xd800];
  return Array.from({ length: Math.floor(random() * 40) }, () => {
    const code =
      random() < 0.5
        ? Math.floor(random() * 0xa0)
        : (alphabet[Math.floor(random() * alphabet.length)] ?? 0x41);
    return String.fromCodePoint(code);
  }).join('');
}

test('F29: whatever a command prints, no raw control comes out, and JSON keeps its meaning', () => {
  const random = seeded(29);
  for (let round = 0; round < 2_000; round += 1) {
    const text = randomText(random);
    for (const json of [false, true]) {
      const stdout = new PassThrough();
      const stderr = new PassThrough();
      const output = new Output({ stdout, stderr }, { version: text, json, quiet: false });
      output.result(text, { text, [text]: [text] });
      output.text(text);
      output.note(text);
      output.warning(text);
      output.failure(new BridgeError('failed', text, { next: text }));
      output.failure(new Error(text));
      output.failure(Object.assign(new Error(text), { code: 'EACCES', syscall: 'open' }));
      const said = String(stdout.read());
      expect(said).not.toMatch(RAW_CONTROL);
      expect(String(stderr.read())).not.toMatch(RAW_CONTROL);
      if (json) {
        const [first = ''] = said.split('\n');
        expect(JSON.parse(first)).toEqual(
          JSON.parse(JSON.stringify({ text, [text]: [text] })) as object,
        );
      }
    }
  }
});

test('F29: whatever is logged, no raw control comes out, and JSON keeps its meaning', () => {
  const random = seeded(30);
  for (const format of ['json', 'text'] as const) {
    for (let round = 0; round < 1_000; round += 1) {
      const text = randomText(random);
      let line = '';
      const stream = { write: (more: string) => void (line += more) };
      createLog({ level: 'info', format, stream }).warn('happened', {
        text,
        deep: { [`x${text}`]: text },
      });
      expect(line).not.toMatch(RAW_CONTROL);
      expect(line.split('\n')).toHaveLength(2);
      if (format === 'json') {
        expect((JSON.parse(line) as { text: string }).text).toBe(text);
      }
    }
  }
});

describe('F29: an argument that is quoted in an error is shown, and does not act', () => {
  const WORDS: readonly (readonly string[])[] = [
    [HOSTILE_TEXT],
    [`--${HOSTILE_TEXT}`],
    ['run', '--mode', HOSTILE_TEXT],
    ['run', '--state-dir', HOSTILE_TEXT],
    ['turns', 'show', HOSTILE_TEXT],
    ['turns', 'list', '--phase', HOSTILE_TEXT],
    ['turns', 'list', '--limit', HOSTILE_TEXT],
    ['turns', HOSTILE_TEXT],
    ['dead-letters', 'show', HOSTILE_TEXT],
    ['dead-letters', 'replay', HOSTILE_TEXT],
    ['trace', HOSTILE_TEXT],
    ['config', 'get', HOSTILE_TEXT],
    ['config', 'set', 'brand', HOSTILE_TEXT],
    ['config', 'set', HOSTILE_TEXT, 'x'],
    ['agents', 'add', HOSTILE_TEXT],
    ['agents', 'add', 'x', '--exec', HOSTILE_TEXT],
    ['agents', 'remove', HOSTILE_TEXT],
    ['agents', 'test', HOSTILE_TEXT],
    ['connect', '--app-id', HOSTILE_TEXT],
    ['service', 'print', '--for', HOSTILE_TEXT],
    ['simulate', '--host', HOSTILE_TEXT],
    ['simulate', '--world', HOSTILE_TEXT],
    ['help', HOSTILE_TEXT],
  ];

  test.each(WORDS.map((words) => [words.join(' ').replaceAll(/[^\w -]/g, '?'), words] as const))(
    '%s',
    async (_name, words) => {
      const home = temporaryFolder();
      const env = { HOME: home, LARK_CHANNEL_STATE_DIR: join(home, 'state'), PATH: '/usr/bin' };
      for (const more of [[], ['--json']]) {
        const { stdout, stderr } = await runProgram([...words, ...more], env);
        expect(stdout + stderr).not.toBe('');
        expect(stdout).not.toMatch(RAW_CONTROL);
        expect(stderr).not.toMatch(RAW_CONTROL);
      }
    },
  );

  test('a variable, too', async () => {
    const home = temporaryFolder();
    const env = {
      HOME: home,
      LARK_BRAND: HOSTILE_TEXT,
      LARK_PORT: HOSTILE_TEXT,
      LARK_HOST: HOSTILE_TEXT,
    };
    for (const words of [['run'], ['config'], ['config', '--json'], ['doctor', '--offline']]) {
      const { stdout, stderr } = await runProgram(words, env);
      expect(stdout).not.toMatch(RAW_CONTROL);
      expect(stderr).not.toMatch(RAW_CONTROL);
    }
  });
});

test('F29: no command writes past the one way to the terminal', () => {
  const folder = join(import.meta.dirname, '../../../src/cli');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const writing = files.filter(
    (name) =>
      name.endsWith('.ts') &&
      /\b(?:stdout|stderr|stream)\)?\.write\(/.test(readFileSync(join(folder, name), 'utf8')),
  );
  expect(writing.filter((name) => name !== 'output.ts')).toEqual([]);
});
