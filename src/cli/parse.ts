/** The command line: from its words to a command with options, or to a text to show. */
import yargs, { type Argv } from 'yargs';
import { BridgeError } from '../core/errors.ts';
import { type Command, type LeafCommand, settingFlag } from './command.ts';

type Parsed =
  | {
      readonly kind: 'command';
      readonly command: LeafCommand;
      readonly options: Readonly<Record<string, unknown>>;
      /** What stands after `--`. */
      readonly words: readonly string[];
    }
  /** Help, the version or a completion script. */
  | { readonly kind: 'text'; readonly text: string };

interface Grammar {
  readonly commands: readonly Command[];
  /** What runs if no command is named. */
  readonly standard: LeafCommand;
  readonly version: string;
}

const NAME = 'lark-bridge';
const HELP_WIDTH = 100;

/** Throws `usage` for a command line that is wrong. */
export async function parseCommandLine(
  words: readonly string[],
  grammar: Grammar,
): Promise<Parsed> {
  const end = words.indexOf('--');
  const [own, rest] = end < 0 ? [words, []] : [words.slice(0, end), words.slice(end + 1)];
  let chosen: Parsed | undefined;
  let problem: string | undefined;
  let text = '';
  const choose = (command: LeafCommand, options: Readonly<Record<string, unknown>>) => {
    chosen = { kind: 'command', command, options, words: rest };
    if (end < 0 || command.takesCommand === true) return;
    problem = 'nothing may stand after `--` here: only `simulate` runs a command';
  };
  const parser = globalOptions(yargs(), grammar.version);
  for (const command of grammar.commands) {
    addCommand(parser, command, { choose, standard: command === grammar.standard });
  }
  // Yargs does not find its own command for this when there is a standard command.
  parser.command('completion', 'print a script for completion in bash or zsh', {}, () => {
    parser.showCompletionScript();
  });
  parser.fail((message) => {
    problem = message;
  });
  await parser.parseAsync([...own], {}, (_error, _args, shown) => {
    text = shown;
  });
  if (problem !== undefined) throw usageError(problem, words, grammar);
  return chosen ?? { kind: 'text', text };
}

function globalOptions(parser: Argv, version: string): Argv {
  return parser
    .scriptName(NAME)
    .usage('$0 <command> [options]\n\nPuts an AI agent into Lark / Feishu.')
    .locale('en')
    .parserConfiguration({ 'boolean-negation': false })
    .options({
      ...settingFlag('stateDir'),
      ...settingFlag('logLevel'),
      ...settingFlag('logFormat'),
      json: { type: 'boolean', describe: 'Results as JSON, one value a line' },
      quiet: { type: 'boolean', describe: 'No progress, and only warnings and errors in the log' },
      ...settingFlag('noColor'),
    })
    .strict()
    .version(version)
    .help()
    .wrap(HELP_WIDTH)
    .exitProcess(false);
}

type Choose = (command: LeafCommand, options: Readonly<Record<string, unknown>>) => void;

function addCommand(
  parser: Argv,
  command: Command,
  { choose, standard }: { choose: Choose; standard: boolean },
): void {
  const names = [command.usage, ...(standard ? ['$0'] : []), ...(command.aliases ?? [])];
  if ('commands' in command) {
    const usages = command.commands.map(({ usage }) => usage.split(' ')[0]).join(', ');
    parser.command(names, command.describe, (inner) => {
      for (const one of command.commands) {
        addCommand(inner, one, { choose, standard: one === command.standard });
      }
      if (command.standard !== undefined) return inner;
      return inner.demandCommand(1, `\`${command.usage}\` needs one of: ${usages}`);
    });
    return;
  }
  parser.command(
    names,
    command.describe,
    (inner) => {
      for (const [name, positional] of Object.entries(command.positionals ?? {})) {
        inner.positional(name, positional);
      }
      return inner.options(command.options ?? {});
    },
    (options) => choose(command, withoutRepeats(options, command)),
  );
}

/** Of an option that is typed twice the last one counts, unless it is a list. */
function withoutRepeats(
  options: Readonly<Record<string, unknown>>,
  { options: rows }: LeafCommand,
) {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => {
      const isList = name === '_' || rows?.[name]?.type === 'array';
      return [name, Array.isArray(value) && !isList ? value.at(-1) : value];
    }),
  );
}

function usageError(problem: string, words: readonly string[], grammar: Grammar): BridgeError {
  const names = new Set(
    grammar.commands.flatMap(({ usage, aliases = [] }) => [usage.split(' ')[0], ...aliases]),
  );
  names.add('completion');
  const [first] = words;
  const named = first !== undefined && names.has(first) ? ` ${first}` : '';
  const message =
    named === '' && first !== undefined && /^\w/.test(first)
      ? `there is no command "${first}"`
      : // Yargs puts line breaks into some of its sentences.
        problem.replaceAll(/\s*\n\s*/g, ' ');
  return new BridgeError('usage', message, {
    next: `Run \`${NAME}${named} --help\` to see what is possible.`,
  });
}
