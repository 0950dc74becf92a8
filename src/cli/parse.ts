/** The command line: from its words to a command with options, or to a text to show. */
import type { Command } from './command.ts';
import type { Grammar } from './command-table.ts';
import {
  findCommand,
  type FoundCommand,
  type FoundGroup,
  nameOf,
  standardOf,
} from './find-command.ts';
import { GLOBAL_OPTIONS } from './global-options.ts';
import { missingCommand } from './mistakes.ts';
import { readWords, wordsAmong } from './read-words.ts';
import { checkedOptions, checkedPositionals, type Values } from './values.ts';

type Parsed =
  | {
      readonly kind: 'command';
      readonly command: Command;
      readonly options: Values;
      /** The command line of another program, after `--`. */
      readonly words: readonly string[];
    }
  /** Help or the version. */
  | { readonly kind: 'text'; readonly text: string };

interface Asked {
  readonly grammar: Grammar;
  /** How many columns a help may take. */
  readonly width: number;
}

/** Throws `usage` for a command line that is wrong. */
export async function parseCommandLine(
  typed: readonly string[],
  { grammar, width }: Asked,
): Promise<Parsed> {
  const { version, help } = readWords(typed, GLOBAL_OPTIONS).options;
  const [first] = wordsAmong(typed, GLOBAL_OPTIONS);
  if (version === true || first === 'version') return { kind: 'text', text: grammar.version };
  if (help === true || first === 'help') {
    const { helpOf } = await import('./help.ts');
    const named = first === 'help' ? typed.toSpliced(typed.indexOf('help'), 1) : typed;
    return { kind: 'text', text: await helpOf(named, grammar, width) };
  }
  const found = runnable(await findCommand(typed, grammar));
  const { command, nameWords } = found;
  const [own, rest] = command.takesCommand === true ? splitAtDashes(typed) : [typed, []];
  const { words, options } = readWords(own, { ...GLOBAL_OPTIONS, ...command.options });
  const positionals = words.slice(nameWords);
  return {
    kind: 'command',
    command,
    words: rest,
    options: { ...checkedOptions(found, options), ...checkedPositionals(found, positionals) },
  };
}

function splitAtDashes(typed: readonly string[]): [readonly string[], readonly string[]] {
  const end = typed.indexOf('--');
  return end < 0 ? [typed, []] : [typed.slice(0, end), typed.slice(end + 1)];
}

function runnable(found: FoundGroup | FoundCommand): FoundCommand {
  if (found.kind === 'command') return found;
  const standard = standardOf(found);
  if (standard !== undefined) return standard;
  throw missingCommand(found.row.name, found.group.commands.map(nameOf));
}
