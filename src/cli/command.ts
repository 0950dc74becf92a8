/** The shape of a command. Commands load heavy parts only when they run, so that `--help` is fast. */
import type { Options, PositionalOptions } from 'yargs';
import type { Config, ConfigRequest, Environment } from '../config/load.ts';
import type { Need } from '../config/gaps.ts';
import { type Setting, SETTINGS } from '../config/settings.ts';
import type { SettingName } from '../config/setting-rows.ts';
import type { Output } from './output.ts';
import type { Log } from '../core/log.ts';

/** One call of a command. */
export interface Invocation {
  /** By the name that was typed; positional arguments too. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The command line after `--`, of a command that takes one. */
  readonly words: readonly string[];
  readonly output: Output;
  readonly stdin: NodeJS.ReadStream;
  /** Only for what needs a terminal; results go through `output`. */
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Aborts when a person or a service manager stops the program. */
  readonly signal: AbortSignal;
  /** The environment and flags, to load settings from. */
  readonly configRequest: (needs: readonly Need[]) => ConfigRequest;
  /** What the programs of agents inherit. */
  readonly env: Environment;
  /** The paths of Node and of the script, as they were called. */
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
  /** It changes what the bridge does or who may talk to it, so it is not for the program of an agent. */
  readonly isForOperator?: true;
  /** After `--` it takes the command line of another program. */
  readonly takesCommand?: true;
  /** Resolves with the exit code, or with nothing for 0. Throws a `BridgeError` that says why it failed. */
  run(invocation: Invocation): Promise<void> | Promise<number>;
}

export interface CommandGroup extends CommandBase {
  readonly commands: readonly LeafCommand[];
  /** Runs if none of them is named. */
  readonly standard?: LeafCommand;
}

export type Command = LeafCommand | CommandGroup;

/** The command line flag of a setting, made from its row. */
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
