/** The command line program: from its arguments to its exit code. */
import { RUN_MARK } from '../agents/runtime.ts';
import type { Config, Environment, Flags } from '../config/load.ts';
import { BridgeError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { settingRows } from '../config/setting-rows.ts';
import type { Invocation } from './command.ts';
import { GRAMMAR } from './command-table.ts';
import { Output } from './output.ts';
import { parseCommandLine } from './parse.ts';

/** The parts of the process that the program uses. A test brings its own. */
export interface ProcessParts {
  readonly env: Environment;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** The path of Node. */
  readonly execPath: string;
  readonly argv: readonly string[];
}

/** What the scripts of `completion` call. It is for no person, so the help does not name it. */
const COMPLETE = '__complete';
/** More make long lines, which are hard to read. */
const HELP_COLUMNS_MAX = 100;
/** Of a help that no terminal shows. */
const HELP_COLUMNS = 80;

/**
 * Runs the program until it is done, or until `signal` asks it to stop. Returns the exit code. By then the
 * output says what went wrong.
 */
export async function main(
  words: readonly string[],
  signal: AbortSignal,
  host: ProcessParts = process,
): Promise<number> {
  const { version } = GRAMMAR;
  let output = new Output(host, { version, json: words.includes('--json'), quiet: false });
  try {
    if (words[0] === COMPLETE) {
      const { complete } = await import('./completion/complete.ts');
      output.text(await complete(words.slice(1), { grammar: GRAMMAR, env: host.env }));
      return 0;
    }
    const parsed = await parseCommandLine(words, {
      grammar: GRAMMAR,
      width: helpColumns(host.stdout),
    });
    if (parsed.kind === 'text') {
      output.text(parsed.text);
      return 0;
    }
    const { command, options, words: rest } = parsed;
    const quiet = options['quiet'] === true;
    const color = options['no-color'] !== true && (host.env['NO_COLOR'] ?? '') === '';
    output = new Output(host, { version, json: options['json'] === true, quiet, color });
    if (command.isForOperator === true) mustBeOperator(host.env);
    const kept = await keepSecretsOf(host);
    return (
      (await command.run(invocationOf({ options, words: rest }, { output, signal, host, kept }))) ??
      0
    );
  } catch (error) {
    return output.failure(error);
  }
}

function helpColumns({ isTTY, columns }: NodeJS.WriteStream): number {
  // Some terminals say that they have none.
  return isTTY && columns > 0 ? Math.min(HELP_COLUMNS_MAX, columns) : HELP_COLUMNS;
}

/** An agent that follows somebody's words must not change its own bridge. Against one that means to, it is no border. */
function mustBeOperator(env: Environment): void {
  if ((env[RUN_MARK] ?? '') === '') return;
  throw new BridgeError('usage', 'the program of an agent may not change its own bridge', {
    next: 'Run this in a shell of your own, as the person who looks after the bridge.',
  });
}

interface Kept {
  readonly env: Environment;
  readonly report: (log: Log) => void;
}

/** The process itself has an environment that others can read. The host of a test has none. */
async function keepSecretsOf(host: ProcessParts): Promise<Kept> {
  if (host !== process) return { env: host.env, report: () => {} };
  const { keepSecrets } = await import('../app/own-secrets.ts');
  return keepSecrets(process.env);
}

interface Call {
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly host: ProcessParts;
  readonly kept: Kept;
}

function invocationOf(
  { options, words }: Pick<Invocation, 'options' | 'words'>,
  { output, signal, host, kept }: Call,
): Invocation {
  const flags = flagsOf(options);
  const { env } = kept;
  return {
    options,
    words,
    output,
    signal,
    stdin: host.stdin,
    stdout: host.stdout,
    stderr: host.stderr,
    env,
    program: { node: host.execPath, program: host.argv[1] ?? '' },
    configRequest: (needs) => ({ env, flags, needs }),
    loadConfig: async (needs) => {
      const { loadConfig } = await import('../config/load.ts');
      return loadConfig({ env, flags, needs });
    },
    createLog: async (config) => {
      const { createLog, gatherLines } = await import('../observe/log.ts');
      const log = createLog({
        level: output.quiet ? atLeastWarn(config.logLevel) : config.logLevel,
        format: config.logFormat,
        stream: gatherLines(host.stderr),
        color: host.stderr.isTTY && config.noColor !== true,
      });
      kept.report(log);
      return log;
    },
  };
}

/** The flags that are settings, as they were typed. */
function flagsOf(options: Readonly<Record<string, unknown>>): Flags {
  const typed = settingRows().flatMap(([name, { flag }]) => {
    const value = flag === undefined ? undefined : options[flag];
    // A flag without a value is in the options only if it was typed.
    if (value === true) return [[name, 'true'] as const];
    if (typeof value === 'number') return [[name, String(value)] as const];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  return Object.fromEntries(typed);
}

function atLeastWarn(level: Config['logLevel']): Config['logLevel'] {
  return level === 'error' ? 'error' : 'warn';
}
