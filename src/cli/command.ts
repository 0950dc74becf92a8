/** What a command is made of. Commands load heavy parts when they run, so that `--help` stays quick. */
import type { Options, PositionalOptions } from 'yargs';
import type { Config, ConfigRequest, Environment, Need } from '../config/load.ts';
import { type Setting, type SettingName, SETTINGS } from '../config/settings.ts';
import type { Output } from './output.ts';
import type { Log } from '../core/log.ts';

/** A command as it was called. */
export interface Invocation {
  /** By name as typed, positional ones too. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly output: Output;
  readonly stdin: NodeJS.ReadStream;
  /** For what only a terminal can do; results go through `output`. */
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Aborts when the person or the supervisor wants the program to stop. */
  readonly signal: AbortSignal;
  /** The environment and flags, to load settings from. */
  readonly configRequest: (needs: readonly Need[]) => ConfigRequest;
  /** What the programs of agents inherit. */
  readonly env: Environment;
  /** What runs: Node's program and the script, as they were called. */
  readonly program: { readonly node: string; readonly program: string };
  readonly loadConfig: (needs: readonly Need[]) => Promise<Config>;
  readonly createLog: (config: Pick<Config, 'logLevel' | 'logFormat' | 'noColor'>) => Promise<Log>;
}

interface CommandBase {
  /** Name and positional arguments, as in `add <name>`. */
  readonly usage: string;
  readonly aliases?: readonly string[];
  readonly describe: string;
}

export interface LeafCommand extends CommandBase {
  readonly options?: Readonly<Record<string, Options>>;
  readonly positionals?: Readonly<Record<string, PositionalOptions>>;
  /** Resolves when done, with the exit code if that is not 0; throws a `BridgeError` that says why not. */
  run(invocation: Invocation): Promise<void> | Promise<number>;
}

export interface CommandGroup extends CommandBase {
  readonly commands: readonly LeafCommand[];
  /** The one of them that runs if none is named. */
  readonly standard?: LeafCommand;
}

export type Command = LeafCommand | CommandGroup;

/** The command line flag of a setting, described by its row. */
export function settingFlag(name: SettingName): Readonly<Record<string, Options>> {
  const row: Setting<unknown> = SETTINGS[name];
  const flag = row.flag ?? name;
  const type = name === 'noColor' ? 'boolean' : 'string';
  return {
    [flag]: {
      type,
      describe: row.doc,
      ...(type === 'string' && { requiresArg: true }),
      ...(row.fallback !== undefined && { defaultDescription: row.fallback }),
    },
  };
}

/** Resolves when the program is asked to stop. */
export function stopRequested(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
