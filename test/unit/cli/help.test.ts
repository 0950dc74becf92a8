/** Every command's help, its examples, and every value that its options admit. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { split } from 'shlex';
import { describe, expect, test } from 'vitest';
import type { CommandRow, Option } from '../../../src/cli/command.ts';
import { GRAMMAR } from '../../../src/cli/command-table.ts';
import { findCommand, nameOf, type FoundCommand } from '../../../src/cli/find-command.ts';
import { GLOBAL_OPTIONS } from '../../../src/cli/global-options.ts';
import { main, type ProcessParts } from '../../../src/cli/main.ts';
import { parseCommandLine } from '../../../src/cli/parse.ts';
import { placesOf } from '../../../src/cli/values.ts';

const ROOT = join(import.meta.dirname, '../../..');

async function commandsOf({ name, load }: CommandRow): Promise<FoundCommand[]> {
  const loaded = await load();
  const paths = 'commands' in loaded ? loaded.commands.map((one) => [name, nameOf(one)]) : [[name]];
  const found = await Promise.all(paths.map((words) => findCommand(words, GRAMMAR)));
  return found.filter((one) => one.kind === 'command');
}

const COMMANDS = (await Promise.all(GRAMMAR.commands.map(commandsOf))).flat();
const NAMED = COMMANDS.map((found) => [found.name, found] as const);
const GROUPS = GRAMMAR.commands
  .map(({ name }) => name)
  .filter((name) => !COMMANDS.some((one) => one.name === name));

const parse = (words: readonly string[], width = 80) =>
  parseCommandLine(words, { grammar: GRAMMAR, width });

async function helpOf(words: readonly string[], width = 80): Promise<string> {
  const parsed = await parse([...words, '--help'], width);
  return parsed.kind === 'text' ? parsed.text : '';
}

test('there are commands to check', () => {
  expect(COMMANDS.length).toBeGreaterThan(40);
  expect(GROUPS.length).toBeGreaterThan(5);
});

describe('the help', () => {
  test.each([[''], ...GROUPS.map((name) => [name]), ...COMMANDS.map(({ name }) => [name])])(
    'of "%s" shows usage, own options before those of all, an example, and where to read more',
    async (name) => {
      const text = await helpOf(name.split(' ').filter((word) => word !== ''));
      const marks = ['Usage: lark-bridge', 'Global options:', 'Examples:', 'Read more: '];
      const places = marks.map((mark) => text.indexOf(mark));
      expect(places).not.toContain(-1);
      expect(places).toEqual(places.toSorted((a, b) => a - b));
      expect(text).toMatch(/^Usage: .*\[options\](?: \[-- command\])?$/m);
      expect(text.indexOf('Options')).toBeLessThanOrEqual(text.indexOf('Global options:') + 7);
      // A command to copy stands in one line, however long it is.
      const wide = text
        .split('\n')
        .filter((line) => line.length > 80 && !line.includes('lark-bridge '));
      expect(wide).toEqual([]);
    },
  );

  test.each(NAMED)(
    'of %s describes all of it in one form',
    (_name, { describe: about, command }) => {
      const { options = {}, positionals = {}, usage } = command;
      const texts = [
        about,
        ...Object.values({ ...options, ...positionals }).map((row) => row.describe),
      ];
      expect(texts.filter((text) => !/^[^a-z].*[^.]$/.test(text))).toEqual([]);
      expect(Object.keys(positionals)).toEqual(placesOf(usage).map((place) => place.name));
      expect(Object.keys(options).filter((option) => option in GLOBAL_OPTIONS)).toEqual([]);
    },
  );

  test.each(GRAMMAR.commands.map(({ name, docs }) => [name, docs] as const))(
    'of %s leads to a document that exists: %s',
    (_name, docs) => expect(existsSync(join(ROOT, docs))).toBe(true),
  );

  test('takes the width of the terminal, up to 100 columns, and 80 where there is none', async () => {
    const shown = async (terminal: object) => {
      const stdout = Object.assign(new PassThrough(), terminal);
      const host = { env: {}, execPath: '', argv: [], stdin: stdout, stdout, stderr: stdout };
      await main(
        ['connect', '--help'],
        new AbortController().signal,
        host as unknown as ProcessParts,
      );
      const lines = String(stdout.read())
        .split('\n')
        .filter((line) => !line.includes('lark-bridge '));
      return Math.max(...lines.map((line) => line.length));
    };
    const widths = await Promise.all(
      [
        { isTTY: true, columns: 60 },
        {},
        { isTTY: true, columns: 0 },
        { isTTY: true, columns: 300 },
      ].map(shown),
    );
    const [narrow = 0, piped = 0, unknown = 0, wide = 0] = widths;
    expect(narrow).toBeLessThanOrEqual(60);
    expect(piped).toBeGreaterThan(60);
    expect(piped).toBeLessThanOrEqual(80);
    expect(unknown).toBe(piped);
    expect(wide).toBeGreaterThan(80);
    expect(wide).toBeLessThanOrEqual(100);
  });
});

describe('every example', () => {
  const examples = COMMANDS.flatMap(({ name, command }) =>
    Object.keys(command.examples).map((line) => [line, name, command] as const),
  );

  test.each(NAMED)('%s has one', (_name, { command }) => {
    expect(Object.keys(command.examples).length).toBeGreaterThan(0);
  });

  test.each(examples)('parses: %s', async (line, _name, command) => {
    const [, words = ''] = /lark-bridge (.*?)(?: [<>|] .*|\))?$/.exec(line) ?? [];
    expect(words).not.toBe('');
    // The other of the two is the same in an example of a group that runs its standard command.
    expect(await parse(split(words))).toMatchObject({ kind: 'command', command });
  });
});

describe('every choice', () => {
  const rows = [
    ...Object.entries(GLOBAL_OPTIONS).map(([option, row]) => ['run', option, row] as const),
    ...COMMANDS.flatMap(({ name, command }) =>
      Object.entries(command.options ?? {}).map(([option, row]) => [name, option, row] as const),
    ),
  ];
  const choosing = rows.filter(([, , { choices, range }]) => choices ?? range);

  const typed = (name: string, option: string, value: string) => {
    const found = COMMANDS.find((one) => one.name === name);
    const needed = placesOf(found?.command.usage ?? '').filter((place) => place.isRequired);
    return parse([...name.split(' '), ...needed.map(() => 'x'), `--${option}`, value]);
  };
  const values = ({ choices, range }: Option) =>
    choices ?? [String(range?.min), String(range?.max)];

  test('there are some', () => expect(choosing.length).toBeGreaterThan(12));

  test.each(choosing)('of `%s --%s` is accepted, and nothing else', async (name, option, row) => {
    for (const value of values(row)) {
      const parsed = await typed(name, option, value);
      const expected = row.range === undefined ? value : Number(value);
      expect(parsed).toMatchObject({ kind: 'command', options: { [option]: expected } });
    }
    for (const wrong of ['frob', '1e99', String((row.range?.min ?? 0) - 1)]) {
      await expect(typed(name, option, wrong)).rejects.toMatchObject({
        code: 'usage',
        message: expect.stringMatching(new RegExp(`^--${option} must be `)) as string,
      });
    }
    expect(await helpOf(name.split(' '))).toContain(`--${option} `);
  });
});
