/** The documents say what the code does: their commands run, their tables are made from it, their links lead somewhere. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { parseCommand } from '../src/agents/command-line.ts';
import { agentEnvironment } from '../src/agents/environment.ts';
import { GRAMMAR } from '../src/cli/command-table.ts';
import { EXIT_CODES } from '../src/cli/exit-codes.ts';
import { parseCommandLine } from '../src/cli/parse.ts';
import { settingRows } from '../src/config/setting-rows.ts';
import {
  anchorsOf,
  blocksOf,
  codeIn,
  commandLineTable,
  commandsOf,
  commandsTable,
  controlTable,
  faultsTable,
  knownAgentsTable,
  linksOf,
  metricsTable,
  pathsIn,
  programCallsIn,
  ROOT,
  sectionOf,
  settingsTable,
  textOf,
} from './documents.ts';
import { manPage } from './man-page.ts';

const DOCUMENTS = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  'examples/README.md',
];

/** The second one is the first one in Chinese. */
const READMES = ['README.md', 'README.zh.md'];
const MAN_PAGE = 'docs/lark-bridge.1';

const ROW = /\bMOL-[A-Z0-9]+-\d\d\b/g;

/** Long measurements are not run by a test; their script has to be there. */
const MEASUREMENTS = /^npm run (attack|bench|chaos|soak|model)\b/;

/** What runs a command outside of README.md: a file, and the words in it that do so. */
const RUN_BY: Readonly<Record<string, { readonly file: string; readonly words: string }>> = {
  'npm ci': { file: '.ci/run', words: 'npm ci' },
  'npm run test:fast': { file: '.ci/run', words: 'test:fast' },
  // These two would run this test: their parts are run one by one.
  'npm run ok': { file: 'package.json', words: '"ok":' },
  'npm run fix': { file: 'package.json', words: '"fix":' },
};

test('every command in the documents is run by something', () => {
  // All of README.md's are run by test/e2e/readme.test.ts, word for word.
  const others = DOCUMENTS.filter((path) => !READMES.includes(path));
  const commands = new Set(others.flatMap((path) => commandsOf(textOf(path))));
  for (const command of commands) {
    const script = MEASUREMENTS.exec(command)?.[1];
    if (script === undefined) continue;
    expect(textOf('package.json')).toContain(`"${script}":`);
    commands.delete(command);
  }
  expect([...commands].toSorted()).toEqual(Object.keys(RUN_BY).toSorted());
  for (const { file, words } of Object.values(RUN_BY)) expect(textOf(file)).toContain(words);
});

test('the settings table in docs/settings.md is the one in the code (DOCS=write writes it)', () => {
  const made = settingsTable();
  expect(sectionOf('docs/settings.md', 'settings', made)).toBe(made);
});

test('the table of commands in docs/commands.md is the one in the code', () => {
  const made = commandsTable();
  expect(sectionOf('docs/commands.md', 'commands', made)).toBe(made);
});

test('the table of commands in docs/command-line.md is the one in the code', () => {
  const made = commandLineTable();
  expect(sectionOf('docs/command-line.md', 'command-line', made)).toBe(made);
});

test('the manual page is made from the tables in the code', async () => {
  const made = await manPage();
  if (process.env['DOCS'] === 'write') writeFileSync(join(ROOT, MAN_PAGE), made);
  expect(textOf(MAN_PAGE)).toBe(made);
  const { man, files } = JSON.parse(textOf('package.json')) as { man: string; files: string[] };
  expect(man).toBe(`./${MAN_PAGE}`);
  expect(files).toContain(MAN_PAGE);
});

test('the table of exit codes in docs/settings.md is the one in the code', () => {
  const rows = Object.entries(EXIT_CODES).map(([code, meaning]) => `| ${code} | ${meaning} |\n`);
  expect(textOf('docs/settings.md')).toContain(`|---|---|\n${rows.join('')}`);
});

test('the table of known agents in docs/agents.md is the one in the code', () => {
  const made = knownAgentsTable();
  expect(sectionOf('docs/agents.md', 'known-agents', made)).toBe(made);
});

test('docs/agents.md has a row for each variable that says where a message comes from', () => {
  const id = 'om_1';
  const lark = { brand: 'lark', chatId: id, chatType: 'group', messageId: id } as const;
  const turn = { lark: { ...lark, senderOpenId: id, threadId: id, parentId: id } };
  const set = agentEnvironment({ env: {}, given: {}, turn, outputFolder: '/out' });
  const rows = textOf('docs/agents.md').match(/^\| `LARK_\w+`(?= \| `)/gm) ?? [];
  expect(rows.map((row) => row.slice(3, -1)).toSorted()).toEqual(
    [...Object.keys(set), 'LARK_TURN_FILE'].toSorted(),
  );
});

test('the settings table names no key for config.json that it refuses', () => {
  const section = sectionOf('docs/settings.md', 'settings', settingsTable()) ?? '';
  const named = [...section.matchAll(/^\|[^|]*\|[^|]*\| `(\w+)` \|/gm)].map(([, key]) => key);
  expect(named).toContain('hub_port');
  const taken = new Set(settingRows().map(([, { key }]) => key));
  expect(named.filter((key) => !taken.has(key))).toEqual([]);
});

test('the table of metrics in docs/monitoring.md is the one in the code', () => {
  const made = metricsTable();
  expect(sectionOf('docs/monitoring.md', 'metrics', made)).toBe(made);
});

test('the table of control calls in docs/simulator.md is the one in the code', () => {
  const made = controlTable();
  expect(sectionOf('docs/simulator.md', 'control', made)).toBe(made);
});

test('the table of faults in docs/simulator.md is the one in the code', () => {
  const made = faultsTable();
  expect(sectionOf('docs/simulator.md', 'faults', made)).toBe(made);
});

/** Rows of the platform's contract, by the names that code and tests give them. */
test('docs/turn-contract.md holds every row that the code or a test names, and a test names every row', () => {
  const rows = new Set(textOf('docs/turn-contract.md').match(/^\| MOL-[A-Z0-9]+-\d\d(?= \|)/gm));
  const named = (folder: string) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .flatMap((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8').match(ROW) ?? [])
      .map((name) => `| ${name}`);
  const tested = new Set(named('test'));
  const unknown = [...named('src'), ...tested].filter((name) => !rows.has(name));
  expect([...new Set(unknown)]).toEqual([]);
  expect([...rows].filter((row) => !tested.has(row))).toEqual([]);
});

test('CHANGELOG.md has a section for the version of the package', () => {
  const { version } = JSON.parse(textOf('package.json')) as { version: string };
  expect(textOf('CHANGELOG.md')).toMatch(new RegExp(`^## ${version}$`, 'm'));
});

test.each(DOCUMENTS)('links and paths in %s lead to files that exist', (path) => {
  const text = textOf(path);
  const dead = linksOf(text).filter((link) => {
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? path : relative(ROOT, join(ROOT, dirname(path), file));
    if (!existsSync(join(ROOT, target))) return true;
    return anchor !== undefined && !anchorsOf(textOf(target)).includes(anchor);
  });
  expect(dead).toEqual([]);
  expect(pathsIn(text).filter((name) => !existsSync(join(ROOT, name)))).toEqual([]);
});

test('README.zh.md has the commands, links, headings and rows of README.md, and each links to the other', () => {
  const [english = '', chinese = ''] = READMES.map(textOf);
  const shape = (text: string) => ({
    commands: ['sh', 'console'].flatMap((language) =>
      blocksOf(text, language).map((block) => block.replaceAll(/ *#.*/g, '')),
    ),
    inline: codeIn(text),
    links: linksOf(text).filter((link) => !READMES.includes(link)),
    lines: text
      .split('\n')
      .map((line) => /^(?:#+|[-|]|!\[|\*\*)/.exec(line)?.[0])
      .filter((mark) => mark !== undefined),
  });
  expect(shape(chinese)).toEqual(shape(english));
  expect(linksOf(english)[0]).toBe('README.zh.md');
  expect(linksOf(chinese)[0]).toBe('README.md');
});

/** Commands that have commands of their own, such as `agents`. */
const GROUPS: readonly string[] = (
  await Promise.all(
    GRAMMAR.commands.map(async ({ name, load }) => ('commands' in (await load()) ? [name] : [])),
  )
).flat();

/** What was found out already: many documents name the same commands. */
const knownCalls = new Map<string, boolean>();

/** The text may name a command without its arguments. */
async function isKnown(call: string): Promise<boolean> {
  const words = call === '' ? [] : parseCommand(call.replace('COMMAND', 'run'));
  for (const all of [words, [...words, 'NAME'], [...words, 'NAME', 'VALUE']]) {
    const parsed = await parseCommandLine(all, { grammar: GRAMMAR, width: 80 }).catch(
      () => undefined,
    );
    if (parsed !== undefined) return true;
  }
  return false;
}

test.each(DOCUMENTS.filter((path) => path !== 'CHANGELOG.md'))(
  'the program knows every call of lark-bridge in %s',
  async (path) => {
    const unknown: string[] = [];
    for (const call of programCallsIn(textOf(path), GROUPS)) {
      if (!knownCalls.has(call)) knownCalls.set(call, await isKnown(call));
      if (knownCalls.get(call) !== true) unknown.push(call);
    }
    expect(unknown).toEqual([]);
  },
);

test('the invariants in ARCHITECTURE.md are numbered in order, each once, and no line is there twice', () => {
  const text = textOf('ARCHITECTURE.md');
  const numbers = [...text.matchAll(/^- \*\*I(\d+)\*\*/gm)].map((match) => Number(match[1]));
  expect(numbers).toEqual(numbers.map((_, at) => at + 1));
  const promises = [...text.matchAll(/^(?:- \*\*I\d+\*\*|\d+\.|\| [^|]+ \|) .*$/gm)].map(([line]) =>
    line.replace(/^- \*\*I\d+\*\*/, ''),
  );
  expect(promises.filter((line, at) => promises.indexOf(line) !== at)).toEqual([]);
});

/** An invariant is one list item: **I7** what holds. `test/file.test.ts`: "part of the test's name". */
test('every invariant in ARCHITECTURE.md names a test that exists', () => {
  const invariants = textOf('ARCHITECTURE.md').match(/^- \*\*I\d+\*\* .*(?:\n {2}.*)*/gm) ?? [];
  expect(invariants.length).toBeGreaterThan(5);
  for (const invariant of invariants) {
    const held = [...invariant.matchAll(/`(test\/[\w./-]+)`:\s+"([^"]+)"/g)];
    expect(held.length, invariant).toBeGreaterThan(0);
    for (const [, file = '', name = ''] of held) expect(textOf(file), invariant).toContain(name);
  }
});
