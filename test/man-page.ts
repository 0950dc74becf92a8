/** The manual page, made from the tables of commands, options and settings. */
import type { Examples, Subcommand } from '../src/cli/command.ts';
import { HEADINGS } from '../src/cli/command.ts';
import { GRAMMAR } from '../src/cli/command-table.ts';
import { EXIT_CODES } from '../src/cli/exit-codes.ts';
import { GLOBAL_OPTIONS } from '../src/cli/global-options.ts';
import { PROGRAM_EXAMPLES } from '../src/cli/help.ts';
import { optionRows, positionalRows, type Row } from '../src/cli/help-layout.ts';
import { settingRows } from '../src/config/setting-rows.ts';

const FILES: readonly Row[] = [
  ['~/.lark-bridge/', 'The state directory; --state-dir names another one'],
  ['credentials.json', 'The id and the secret of the Lark app'],
  ['config.json', 'Settings; see `lark-bridge config`'],
  ['bridge.db', 'Messages, turns and agents'],
];

export async function manPage(): Promise<string> {
  const commands = await Promise.all(
    Object.entries(HEADINGS).map(async ([heading, title]) => {
      const rows = GRAMMAR.commands.filter((row) => row.heading === heading);
      const parts = await Promise.all(rows.map(commandPart));
      return [`.SS ${quoted(title)}`, ...parts.flat()];
    }),
  );
  const environment = settingRows().flatMap(([, { env, envFile, doc }]) => {
    const names = [...(env ?? []), ...(envFile === undefined ? [] : [envFile])];
    return names.length === 0 ? [] : [[names.join(', '), doc] as const];
  });
  return [
    `.\\" Made from the tables of the program; DOCS=write npx vitest run test/docs.test.ts writes it.`,
    `.TH LARK-BRIDGE 1 "" "lark-bridge ${GRAMMAR.version}" "lark-bridge"`,
    '.SH NAME',
    String.raw`lark-bridge \- puts an AI agent into Lark / Feishu`,
    '.SH SYNOPSIS',
    '.B lark-bridge',
    '[\\fIcommand\\fR] [\\fIoptions\\fR]',
    '.SH COMMANDS',
    ...commands.flat(),
    '.SH GLOBAL OPTIONS',
    ...list(optionRows(GLOBAL_OPTIONS)),
    '.SH ENVIRONMENT',
    ...list(environment),
    '.SH FILES',
    ...list(FILES),
    '.SH EXIT STATUS',
    ...list(Object.entries(EXIT_CODES)),
    '.SH EXAMPLES',
    ...examples(PROGRAM_EXAMPLES),
    '',
  ].join('\n');
}

async function commandPart({ name, describe, load }: (typeof GRAMMAR.commands)[number]) {
  const loaded = await load();
  if ('commands' in loaded)
    return loaded.commands.flatMap((one) => leaf(`${name} ${one.usage}`, one));
  return leaf(loaded.usage, { ...loaded, describe });
}

function leaf(
  usage: string,
  { describe, options, positionals, examples: all }: Subcommand,
): string[] {
  const rows = [...positionalRows(positionals), ...optionRows(options)];
  return [
    '.TP',
    `.B ${escaped(`lark-bridge ${usage}`)}`,
    escaped(describe),
    ...(rows.length === 0 ? [] : ['.RS', ...list(rows), '.RE']),
    ...(Object.keys(all).length === 0 ? [] : ['.RS', ...examples(all), '.RE']),
  ];
}

function list(rows: readonly Row[]): string[] {
  return rows.flatMap(([typed, about]) => ['.TP', `.B ${escaped(typed.trim())}`, escaped(about)]);
}

function examples(all: Examples): string[] {
  return Object.entries(all).flatMap(([typed, about]) => [
    '.PP',
    escaped(`${about}:`),
    '.br',
    `.B ${escaped(typed)}`,
  ]);
}

/** As text of a manual page: a dash that can be copied, and no line that is taken for a request. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', String.raw`\e`)
    .replaceAll('-', String.raw`\-`)
    .replaceAll('…', '...')
    .replaceAll('~', String.raw`\(ti`)
    .replaceAll('"', String.raw`\(dq`)
    .replace(/^(?=[.'])/, String.raw`\&`);
}

function quoted(text: string): string {
  return `"${escaped(text)}"`;
}
