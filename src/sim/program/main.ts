/** The program `lark-simulator`: from its arguments to its exit code. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { flagRows } from './flags.ts';
import { type Screen, simulate } from './simulate.ts';
import { Trouble } from './trouble.ts';

/** What the program uses of its process. */
interface Host {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: { readonly isTTY?: boolean };
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

const GENERAL_FLAGS = [
  ['json', { type: 'boolean', describe: 'Write the ready line as JSON' }],
  ['quiet', { type: 'boolean', describe: 'Write no progress, only warnings' }],
  ['help', { type: 'boolean', short: 'h', describe: 'Show this help' }],
  ['version', { type: 'boolean', short: 'V', describe: 'Show the version' }],
] as const;

const EXIT = { usage: 2, port_in_use: 1, failed: 1 } as const;

/** Runs until it is done, or until `signal` asks it to stop. By then it has said what went wrong. */
export async function main(
  words: readonly string[],
  signal: AbortSignal,
  host: Host,
): Promise<number> {
  try {
    const { options, command } = parseWords(words);
    if (options['help'] === true) return write(host.stdout, HELP);
    if (options['version'] === true) return write(host.stdout, version());
    const { env, stdin } = host;
    const screen = screenOn(host, { json: options['json'], quiet: options['quiet'] });
    const isTerminal = stdin.isTTY === true;
    return await simulate({ options, words: command, env, isTerminal, screen, signal });
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    write(host.stderr, `error: ${error.message}\nnext: ${error.next}`);
    return EXIT[error.kind];
  }
}

interface Typed {
  readonly options: Readonly<Record<string, unknown>>;
  /** What stands after `--`. */
  readonly command: readonly string[];
}

function parseWords(words: readonly string[]): Typed {
  const end = words.indexOf('--');
  const own = end < 0 ? words : words.slice(0, end);
  const options = Object.fromEntries([
    ...flagRows().map(([name, { type }]) => [name, { type }] as const),
    ...GENERAL_FLAGS,
  ]);
  try {
    const { values, positionals } = parseArgs({
      args: [...own],
      options,
      allowPositionals: true,
    });
    const [first] = positionals;
    if (first !== undefined) throw unexpectedWord(first);
    return { options: values, command: end < 0 ? [] : words.slice(end + 1) };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Trouble('usage', (error.message.split(/\. (?=To specify)/)[0] ?? '').trim(), {
      next: 'Run `lark-simulator --help` to see the options.',
      cause: error,
    });
  }
}

function unexpectedWord(word: string): Trouble {
  return new Trouble('usage', `unexpected argument ${JSON.stringify(word)}`, {
    next: 'Put a command to run after `--`: `lark-simulator -- pytest`.',
  });
}

function screenOn(
  { stdout, stderr }: Host,
  { json, quiet }: { readonly json: unknown; readonly quiet: unknown },
): Screen {
  return {
    result: (text, data) => void write(stdout, json === true ? JSON.stringify(data) : text),
    note: (text) => {
      if (quiet !== true) write(stderr, text);
    },
    warning: (text) => void write(stderr, `warning: ${text}`),
  };
}

/** Returns the exit code of a program that has nothing else to do. */
function write(stream: NodeJS.WritableStream, text: string): 0 {
  stream.write(`${text}\n`);
  return 0;
}

function version(): string {
  // Three folders above src/sim/program, and above dist/sim/program as well.
  const file = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

function optionLines(): string[] {
  const rows = [
    ...flagRows().map(([name, { value = '', describe, fallback }]) => ({
      left: `    --${name} ${value}`,
      right: fallback === undefined ? describe : `${describe} (default: ${fallback})`,
    })),
    ...GENERAL_FLAGS.map(([name, flag]) => ({
      left: `${'short' in flag ? `-${flag.short}, ` : '    '}--${name}`,
      right: flag.describe,
    })),
  ];
  const width = Math.max(...rows.map(({ left }) => left.length));
  return rows.map(({ left, right }) => `  ${left.padEnd(width)}  ${right}`);
}

const HELP = `Usage: lark-simulator [options] [-- COMMAND…]

Runs a simulated Lark / Feishu cloud on this machine. Without a command it prints the environment
for a bot and runs until you stop it. With one it runs the command in that environment, stops when
the command ends, and ends with its exit code.

Options:
${optionLines().join('\n')}

Examples:
  lark-simulator                      start it; open the page that it names in a browser
  lark-simulator -- pytest            run tests against it
  lark-simulator --port 7070 --json   for a program that reads the ready line`;
