/** Finds the command that the words of a command line name. */
import type { Command, CommandGroup, CommandRow, Options, Subcommand } from './command.ts';
import type { Grammar } from './command-table.ts';
import { GLOBAL_OPTIONS } from './global-options.ts';
import { unknownCommand } from './mistakes.ts';
import { wordsAmong } from './read-words.ts';

export interface FoundGroup {
  readonly kind: 'group';
  readonly row: CommandRow;
  readonly group: CommandGroup;
}

export interface FoundCommand {
  readonly kind: 'command';
  readonly row: CommandRow;
  /** As it is typed: `agents add`. */
  readonly name: string;
  /** How many of the words name it. */
  readonly nameWords: number;
  readonly describe: string;
  readonly command: Command;
}

/** Throws `usage` for a word that names no command. No words at all name the one that runs then. */
export async function findCommand(
  typed: readonly string[],
  grammar: Grammar,
): Promise<FoundGroup | FoundCommand> {
  const standard = await rowOf(grammar.standard, grammar).load();
  const [first = grammar.standard] = wordsAmong(typed, optionsOf(standard));
  const row = rowOf(first, grammar);
  const loaded = await row.load();
  if (!('commands' in loaded)) {
    const { name, describe } = row;
    return { kind: 'command', row, name, nameWords: 1, describe, command: loaded };
  }
  const [, second] = wordsAmong(typed, optionsOf(loaded));
  if (second === undefined) return { kind: 'group', row, group: loaded };
  const found = loaded.commands.find((one) => nameOf(one) === second);
  if (found !== undefined) return foundIn(row, found, 2);
  throw unknownCommand(second, { group: row.name, names: loaded.commands.map(nameOf) });
}

/** What runs if a group alone is called; undefined if nothing does. */
export function standardOf({ row, group }: FoundGroup): FoundCommand | undefined {
  return group.standard && foundIn(row, group.standard, 1);
}

/** The word that calls a command of a group. */
export function nameOf({ usage }: Pick<Command, 'usage'>): string {
  return usage.split(' ', 1)[0] ?? '';
}

function rowOf(word: string, { commands }: Grammar): CommandRow {
  const row = commands.find(({ name, aliases = [] }) => [name, ...aliases].includes(word));
  if (row !== undefined) return row;
  const names = commands.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  throw unknownCommand(word, { names });
}

function foundIn(row: CommandRow, command: Subcommand, nameWords: number): FoundCommand {
  const { describe } = command;
  const name = `${row.name} ${nameOf(command)}`;
  return { kind: 'command', row, name, nameWords, describe, command };
}

/** All that a command takes, or any command of a group. */
function optionsOf(loaded: Command | CommandGroup): Options {
  const all = 'commands' in loaded ? loaded.commands : [loaded];
  return Object.assign({}, GLOBAL_OPTIONS, ...all.map(({ options }) => options)) as Options;
}
