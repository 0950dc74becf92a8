/** What `--help` shows. */
import { type Examples, HEADINGS, NAME } from './command.ts';
import type { Grammar } from './command-table.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { findCommand, type FoundCommand, type FoundGroup, standardOf } from './find-command.ts';
import { GLOBAL_OPTIONS } from './global-options.ts';
import {
  exampleSection,
  optionRows,
  paragraphs,
  positionalRows,
  section,
  wrapped,
} from './help-layout.ts';
import { wordsAmong } from './read-words.ts';

/** Each command of a group has more in its own help. */
const GROUP_EXAMPLES_MAX = 3;

/** The help of the command that the words name, or of the program. Throws `usage` for a word that names none. */
export async function helpOf(
  typed: readonly string[],
  grammar: Grammar,
  width: number,
): Promise<string> {
  const [first] = wordsAmong(typed, GLOBAL_OPTIONS);
  if (first === undefined) return programHelp(grammar, width);
  const found = await findCommand(typed, grammar);
  return found.kind === 'group' ? groupHelp(found, width) : commandHelp(found, width);
}

async function programHelp(grammar: Grammar, width: number): Promise<string> {
  const standard = await findCommand([], grammar);
  const own = standard.kind === 'command' ? standard.command.options : undefined;
  return paragraphs([
    'Puts an AI agent into Lark / Feishu.',
    `Usage: ${NAME} [command] [options]`,
    ...Object.entries(HEADINGS).map(([heading, title]) =>
      section(
        title,
        grammar.commands
          .filter((row) => row.heading === heading)
          .map(({ name, describe }) => [name, describe]),
        width,
      ),
    ),
    section(`Options of \`${NAME} ${grammar.standard}\``, optionRows(own), width),
    section('Global options', optionRows(GLOBAL_OPTIONS), width),
    section('Exit codes', Object.entries(EXIT_CODES), width),
    exampleSection(PROGRAM_EXAMPLES),
    `Run \`${NAME} help COMMAND\` for more about a command. Read more: README.md, docs/`,
  ]);
}

/** The way of a newcomer. */
export const PROGRAM_EXAMPLES: Examples = {
  [`${NAME} demo`]: 'Chat with an echo bot, without a Lark app',
  [`${NAME} connect`]: 'Create the bot',
  [`${NAME} agents add claude`]: 'Put Claude Code behind it',
  [`${NAME} run`]: 'Run it',
};

function groupHelp(found: FoundGroup, width: number): string {
  const { row, group } = found;
  const standard = standardOf(found);
  const examples = group.commands.flatMap(({ examples: all }) => Object.entries(all).slice(0, 1));
  return paragraphs([
    wrapped(`${row.describe}.`, width).join('\n'),
    `Usage: ${NAME} ${row.name} ${standard === undefined ? '<command>' : '[command]'} [options]`,
    section(
      'Commands',
      group.commands.map(({ usage, describe }) => [usage, describe]),
      width,
    ),
    standard === undefined
      ? ''
      : section(
          `Options of \`${standard.name}\`, which runs without a command`,
          optionRows(standard.command.options),
          width,
        ),
    ...closing(found, Object.fromEntries(examples.slice(0, GROUP_EXAMPLES_MAX)), width),
  ]);
}

function commandHelp(found: FoundCommand, width: number): string {
  const { describe, row, name, command } = found;
  const { usage, positionals, options, examples, takesCommand } = command;
  const [, ...places] = usage.split(' ');
  return paragraphs([
    wrapped(`${describe}.`, width).join('\n'),
    `Usage: ${[NAME, name, ...places, '[options]', ...(takesCommand === true ? ['[-- command]'] : [])].join(' ')}`,
    ...(row.aliases === undefined ? [] : [`Also: ${row.aliases.join(', ')}`]),
    section('Arguments', positionalRows(positionals), width),
    section('Options', optionRows(options), width),
    ...closing(found, examples, width),
  ]);
}

function closing({ row }: FoundGroup | FoundCommand, examples: Examples, width: number) {
  return [
    section('Global options', optionRows(GLOBAL_OPTIONS), width),
    exampleSection(examples),
    `Read more: ${row.docs}`,
  ];
}
