/** What can be said about a new agent on the command line. */
import type { Options } from 'yargs';
import type { NewAgent } from '../app/agent-specs.ts';
import type { Invocation } from './command.ts';

export const ADD_OPTIONS = {
  exec: {
    type: 'string',
    requiresArg: true,
    describe:
      'Program that the hub runs for each turn: the text on stdin, the answer on stdout (no shell). Without --exec, --acp and --a2a, a name of `agents known` stands for that agent; any other one connects to the hub by itself, with the API key that is printed once',
  },
  stream: {
    type: 'boolean',
    describe:
      'The program of --exec reads and writes JSON lines, so that people see its answer grow',
  },
  acp: {
    type: 'string',
    requiresArg: true,
    describe: 'Program that speaks the Agent Client Protocol, and remembers what was said',
  },
  a2a: {
    type: 'string',
    requiresArg: true,
    describe: 'Address of an agent elsewhere that speaks A2A',
  },
  'token-env': {
    type: 'string',
    requiresArg: true,
    describe: 'Variable of the environment of lark-bridge with the token for the agent of --a2a',
  },
  install: {
    type: 'boolean',
    describe: 'Install the known agent for lark-bridge alone, at the version that was tried (npm)',
  },
  folder: {
    type: 'string',
    requiresArg: true,
    describe: 'Folder that the agent works in; chats may use it and all folders below it',
  },
  permissions: {
    choices: ['ask', 'auto'],
    requiresArg: true,
    describe: 'Whether the agent asks in the chat before it acts',
    defaultDescription: 'ask',
  },
  env: {
    type: 'array',
    string: true,
    requiresArg: true,
    describe:
      'Names of variables that the program gets from the environment of lark-bridge, such as its API key; it gets no others of yours',
  },
  'env-file': {
    type: 'string',
    requiresArg: true,
    describe: 'File with more variables for it (KEY=VALUE lines), read at each start',
  },
  user: {
    type: 'string',
    requiresArg: true,
    describe: 'User as whom the program runs (needs root), so that it can not read your files',
  },
  force: { type: 'boolean', describe: 'Also add a program that can not start now' },
} as const satisfies Readonly<Record<string, Options>>;

export function newAgent(options: Invocation['options']): NewAgent {
  const typed = (flag: string) => {
    const value = options[flag];
    return typeof value === 'string' ? value : undefined;
  };
  const texts = {
    exec: typed('exec'),
    acp: typed('acp'),
    a2a: typed('a2a'),
    tokenVariable: typed('token-env'),
    folder: typed('folder'),
    permissions: typed('permissions') as NewAgent['permissions'],
    variablesFile: typed('env-file'),
    user: typed('user'),
  };
  return {
    name: String(options['name']),
    ...withoutUnset(texts),
    stream: options['stream'] === true,
    install: options['install'] === true,
    force: options['force'] === true,
    variables: namesIn(options['env']),
  };
}

function withoutUnset<T extends object>(all: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const set = Object.entries(all).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** Several words, each with one name or with several between commas. */
function namesIn(typed: unknown): string[] {
  const words = Array.isArray(typed) ? typed.map(String) : [];
  return [...new Set(words.flatMap((word) => word.split(',')))];
}
