/** The command line program: words in, exit code out. */
import type { Config, Environment, Flags } from '../config/load.ts';
import { packageFacts } from '../host/package.ts';
import { settingRows } from '../config/settings.ts';
import type { Invocation } from './command.ts';
import { agentsCommand } from './commands/agents.ts';
import { configCommand } from './commands/config.ts';
import { connectCommand } from './commands/connect.ts';
import { deadLettersCommand } from './commands/dead-letters.ts';
import { demoCommand } from './commands/demo.ts';
import { doctorCommand } from './commands/doctor.ts';
import { hubCommand } from './commands/hub.ts';
import { serviceCommand } from './commands/os-service.ts';
import { runCommand } from './commands/run.ts';
import { simulateCommand } from './commands/simulate.ts';
import { statusCommand } from './commands/status.ts';
import { traceCommand } from './commands/trace.ts';
import { turnsCommand } from './commands/turns.ts';
import { Output } from './output.ts';
import { parseCommandLine } from './parse.ts';

/** What surrounds the program: the process, unless a test brings its own. */
export interface Surroundings {
  readonly env: Environment;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Node's program, and how it was called. */
  readonly execPath: string;
  readonly argv: readonly string[];
}

const GRAMMAR = {
  commands: [
    connectCommand,
    runCommand,
    hubCommand,
    agentsCommand,
    statusCommand,
    doctorCommand,
    turnsCommand,
    deadLettersCommand,
    traceCommand,
    configCommand,
    serviceCommand,
    simulateCommand,
    demoCommand,
  ],
  standard: runCommand,
  version: packageFacts().version,
};

/**
 * Runs the program until it is done, or until `signal` asks it to stop. Returns the exit code; what went
 * wrong has been said by then.
 */
export async function main(
  words: readonly string[],
  signal: AbortSignal,
  around: Surroundings = process,
): Promise<number> {
  const { version } = GRAMMAR;
  let output = new Output(around, { version, json: words.includes('--json'), quiet: false });
  try {
    const parsed = await parseCommandLine(words, GRAMMAR);
    if (parsed.kind === 'text') {
      around.stdout.write(`${parsed.text}\n`);
      return 0;
    }
    const { command, options } = parsed;
    const quiet = options['quiet'] === true;
    output = new Output(around, { version, json: options['json'] === true, quiet });
    return (await command.run(invocationOf(options, { output, signal, around }))) ?? 0;
  } catch (error) {
    return output.failure(error);
  }
}

interface Call {
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly around: Surroundings;
}

function invocationOf(
  options: Readonly<Record<string, unknown>>,
  { output, signal, around }: Call,
): Invocation {
  const flags = flagsOf(options);
  return {
    options,
    output,
    signal,
    stdin: around.stdin,
    stdout: around.stdout,
    stderr: around.stderr,
    env: around.env,
    program: { node: around.execPath, program: around.argv[1] ?? '' },
    configRequest: (needs) => ({ env: around.env, flags, needs }),
    loadConfig: async (needs) => {
      const { loadConfig } = await import('../config/load.ts');
      return loadConfig({ env: around.env, flags, needs });
    },
    createLog: async (config) => {
      const { createLog, gatherLines } = await import('../observe/log.ts');
      return createLog({
        level: output.quiet ? atLeastWarn(config.logLevel) : config.logLevel,
        format: config.logFormat,
        stream: gatherLines(around.stderr),
        color: around.stderr.isTTY && config.noColor !== true,
      });
    },
  };
}

/** The flags that are settings, as typed. */
function flagsOf(options: Readonly<Record<string, unknown>>): Flags {
  const typed = settingRows().flatMap(([name, { flag }]) => {
    const value = flag === undefined ? undefined : options[flag];
    // A flag without a value is in the options only if it was given.
    if (value === true) return [[name, 'true'] as const];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  return Object.fromEntries(typed);
}

function atLeastWarn(level: Config['logLevel']): Config['logLevel'] {
  return level === 'error' ? 'error' : 'warn';
}
