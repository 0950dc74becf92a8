/** Reads our Markdown, and makes the tables in it that come from code. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HEADINGS } from '../src/cli/command.ts';
import { GRAMMAR } from '../src/cli/command-table.ts';
import { COMMANDS, type CommandRow } from '../src/bridge/commands/table.ts';
import { KNOWN_AGENTS } from '../src/agents/known-agents.ts';
import { METRICS } from '../src/observe/metrics/metric-table.ts';
import { SETTINGS, type Setting } from '../src/config/settings.ts';
import { CONTROL_COMMANDS } from '../src/sim/control/control-api.ts';
import { FAULTS } from '../src/sim/world/faults.ts';
import { fieldNames } from '../src/sim/control/fields.ts';

export const ROOT = join(import.meta.dirname, '..');

export function textOf(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Bodies of the fenced blocks in one language. */
export function blocksOf(markdown: string, language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm');
  return [...markdown.matchAll(fence)].map((match) => match[1] ?? '');
}

/** Commands of the `sh` blocks, one a line, without comments. */
export function commandsOf(markdown: string): string[] {
  return blocksOf(markdown, 'sh')
    .flatMap((block) => block.split('\n'))
    .map((line) => line.replace(/(?:^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
}

/** What stands in code style in the text, outside of blocks. */
export function codeIn(markdown: string): string[] {
  const text = markdown.replaceAll(/^```[\s\S]*?^```$/gm, '');
  return [...text.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '');
}

/**
 * Calls of our program, without its name: in blocks for a terminal, and in code style. There the name may be missing
 * before one of `groups`, as in `agents add NAME`.
 */
export function programCallsIn(markdown: string, groups: readonly string[]): string[] {
  const inBlocks = ['sh', 'console', 'text', ''].flatMap((language) =>
    blocksOf(markdown, language).flatMap((block) => block.split('\n')),
  );
  const inText = codeIn(markdown).map((words) =>
    groups.some((group) => words.startsWith(`${group} `)) ? `lark-bridge ${words}` : words,
  );
  return [...inBlocks.map((line) => line.replace(/^[$#] /, '')), ...inText]
    .filter((line) => /^lark-bridge(?: |$)/.test(line))
    .map((line) => {
      // What follows is a comment, or for the shell. In tables a `|` is escaped.
      const [own = ''] = /^(?:"[^"]*"|[^"|<>])*/.exec(line.replaceAll('\\|', '|')) ?? [];
      return own
        .replace(/\s#.*$|\s\d$/, '')
        .replace('lark-bridge', '')
        .trim();
    });
}

/** Targets of links and pictures that lead into this repository. */
export function linksOf(markdown: string): string[] {
  return [...markdown.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] ?? '')
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** Anchors that a reader of the page can be sent to. */
export function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#{1,6} (.+)$/gm)].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Paths of this repository that the text names in code style. */
export function pathsIn(markdown: string): string[] {
  return [...markdown.matchAll(/`((?:src|test|bin|docs|\.ci)\/[\w./-]*)`/g)].map(
    (match) => match[1] ?? '',
  );
}

/**
 * What stands between `<!-- name -->` and `<!-- /name -->`. With `DOCS=write` in the environment the
 * table made from code is put there first.
 */
export function sectionOf(path: string, name: string, made: string): string | undefined {
  const found = new RegExp(`(<!-- ${name} -->\\n)([\\s\\S]*?)(<!-- /${name} -->)`);
  if (process.env['DOCS'] === 'write') {
    const text = textOf(path).replace(
      found,
      (_, open: string, _old, close: string) => open + made + close,
    );
    writeFileSync(join(ROOT, path), text);
  }
  return found.exec(textOf(path))?.[2];
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map(tableLine).join('');
}

export function settingsTable(): string {
  const rows = Object.values<Setting<unknown>>(SETTINGS).map((row) => [
    [...(row.env ?? []), ...(row.envFile === undefined ? [] : [row.envFile])].map(code).join(' '),
    row.flag === undefined ? '' : code(`--${row.flag}`),
    code(row.key ?? ''),
    code(row.fallback ?? ''),
    row.doc,
  ]);
  return table(['Environment', 'Flag', 'config.json', 'Default', 'What it is'], rows);
}

/** The commands of the program, each with the page that says more. */
export function commandLineTable(): string {
  const rows = GRAMMAR.commands.map(({ name, aliases = [], heading, describe, docs }) => [
    HEADINGS[heading],
    [name, ...aliases].map(code).join(', '),
    describe,
    `[${docs}](${docs.replace(/^docs\//, '')})`,
  ]);
  return table(['', 'Command', 'What it does', 'More'], rows);
}

export function commandsTable(): string {
  const rows = Object.entries<CommandRow>(COMMANDS).map(
    ([name, { argument, also = [], who, help }]) => [
      [`/${name} ${argument?.en ?? ''}`.trim(), ...also.map((word) => `/${word}`)]
        .map(code)
        .join(', '),
      who,
      help.en,
    ],
  );
  return table(['Command', 'For whom', 'What it does'], rows);
}

export function knownAgentsTable(): string {
  const rows = KNOWN_AGENTS.map(({ id, name, program, args, npm, nodeMin, keys = [], note }) => [
    code(id),
    name,
    code([program, ...args].join(' ')),
    npm === undefined
      ? ''
      : `${code(`${npm.name}@${npm.version}`)}${npm.verified ? ' (tried)' : ''}`,
    nodeMin ?? '',
    keys.map(code).join(' '),
    note ?? '',
  ]);
  return table(
    ['Name', 'Agent', 'Command', 'npm package', 'Node.js from', 'Keys that it takes', 'Note'],
    rows,
  );
}

export function metricsTable(): string {
  const rows = METRICS.map(({ name, type, labels, help }) => [
    code(name),
    type,
    labels.map(code).join(' '),
    help,
  ]);
  return table(['Metric', 'Type', 'Labels', 'What it is'], rows);
}

export function controlTable(): string {
  const rows = CONTROL_COMMANDS.map(({ method, path, fields, answer, doc }) => [
    code(`${method} ${path}`),
    fieldNames(fields),
    answer,
    doc,
  ]);
  return table(['Call', 'Fields', 'Answer', 'What it does'], rows);
}

export function faultsTable(): string {
  const rows = Object.entries(FAULTS).map(([kind, { site, doc, defaults }]) => [
    code(kind),
    site,
    Object.entries(defaults)
      .map(([name, value]) => code(`${name}: ${JSON.stringify(value)}`))
      .join(' '),
    doc,
  ]);
  return table(['Kind', 'Happens to one', 'Parameters', 'What happens'], rows);
}

function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}

function tableLine(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |\n`;
}

/** The fields of a value, by their paths: `turns[].id`. */
export function fieldPaths(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((one) => fieldPaths(one, `${path}[]`));
  if (typeof value !== 'object' || value === null) return path === '' ? [] : [path];
  const inner = Object.entries(value).flatMap(([name, one]) =>
    fieldPaths(one, path === '' ? name : `${path}.${name}`),
  );
  return path === '' || path.endsWith('[]') ? inner : [path, ...inner];
}

/** The paths that docs/json.md has for a command: the rows of the tables below its heading. */
export function documentedFields(command: string): string[] {
  const [, rest = ''] = textOf('docs/json.md').split(`\n## \`${command}\`\n`);
  const [section = ''] = rest.split('\n## ');
  return [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, path = '']) => path);
}

/** Those that the document does not have. One that ends in `.*` stands for names that are not ours. */
export function undocumented(command: string, value: unknown): string[] {
  const known = documentedFields(command);
  const isKnown = (path: string) =>
    known.some((one) => one === path || (one.endsWith('.*') && path.startsWith(one.slice(0, -1))));
  return [...new Set(fieldPaths(value))].filter((path) => !isKnown(path));
}
