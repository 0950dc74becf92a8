/** The shape of a command. Commands load heavy parts only when they run, so that `--help` is fast. */
import type { NameKind } from '../app/names.ts';
import type { Config, ConfigRequest, Environment } from '../config/load.ts';
import type { Need } from '../config/gaps.ts';
import { type Setting, SETTINGS } from '../config/settings.ts';
import type { SettingName } from '../config/setting-rows.ts';
import type { Range } from '../config/values.ts';
import type { Output } from './output.ts';
import type { Log } from '../core/log.ts';

/** The name of the program, as people type it. */
export const NAME = 'lark-bridge';

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

/** What completion offers for a value that is not one of few. */
export type Offer = NameKind | 'known_agent' | 'setting' | 'file' | 'folder';

interface Value {
  /** Begins with a capital, ends without a stop. */
  readonly describe: string;
  /** Any other value is refused. In lower case; people may type capitals. */
  readonly choices?: readonly string[];
  readonly default?: string | number;
  readonly offers?: Offer;
}

export type Positional = Value;

export interface Option extends Value {
  /** Text is the default. `array`: a list of texts, which may be given several times. */
  readonly type?: 'string' | 'boolean' | 'number' | 'array';
  /** One letter. */
  readonly alias?: string;
  /** The bounds of a whole number; such a value arrives as a number. */
  readonly range?: Range;
  /** Shown as the default, if the program finds it out later. */
  readonly defaultDescription?: string;
  /** Typed without a value it is the empty text. */
  readonly valueIsOptional?: true;
}

export type Options = Readonly<Record<string, Option>>;

/** What people type, and what it does. */
export type Examples = Readonly<Record<string, string>>;

/** A command as its own file holds it. */
export interface Command {
  /** Name and positional arguments, as in `add <name>`. */
  readonly usage: string;
  readonly options?: Options;
  readonly positionals?: Readonly<Record<string, Positional>>;
  /** The first one is shown for the whole group too. */
  readonly examples: Examples;
  /** It changes what the bridge does or who may talk to it, so it is not for the program of an agent. */
  readonly isForOperator?: true;
  /** After `--` it takes the command line of another program. */
  readonly takesCommand?: true;
  /** Resolves with the exit code, or with nothing for 0. Throws a `BridgeError` that says why it failed. */
  run(invocation: Invocation): Promise<void> | Promise<number>;
}

/** A command of a group, such as `agents add`. */
export interface Subcommand extends Command {
  /** Begins with a capital, ends without a stop. */
  readonly describe: string;
}

export interface CommandGroup {
  readonly commands: readonly Subcommand[];
  /** Runs if none of them is named. */
  readonly standard?: Subcommand;
}

/** Under which heading of the help a command stands. */
export const HEADINGS = {
  start: 'Start',
  look: 'Look',
  keep: 'Keep it running',
  talk: 'Access and messages',
  build: 'Build',
} as const;

/** What the table of commands says of one. It is all that the help of the program needs. */
export interface CommandRow {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly heading: keyof typeof HEADINGS;
  /** Begins with a capital, ends without a stop. */
  readonly describe: string;
  /** Where to read more. */
  readonly docs: string;
  readonly load: () => Promise<Command | CommandGroup>;
}

/** The command line flag of a setting, made from its row. */
export function settingFlag(name: SettingName): Options {
  const { flag = name, parse, doc, fallback }: Setting<unknown> = SETTINGS[name];
  const { choices, range } = parse;
  return {
    [flag]: {
      describe: doc,
      ...(name === 'noColor' && { type: 'boolean' }),
      ...(name === 'stateDir' && { offers: 'folder' }),
      ...(choices !== undefined && { choices }),
      ...(range !== undefined && { type: 'number', range }),
      ...(fallback !== undefined && { defaultDescription: fallback }),
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
