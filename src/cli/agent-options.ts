/** What can be said about a new agent on the command line. */
import type { NewAgent } from '../app/agent-specs.ts';
import type { Invocation, Options } from './command.ts';

export const ADD_OPTIONS = {
  exec: {
    describe:
      'Program to run for each turn, without a shell: the text comes on stdin, the answer goes to stdout',
  },
  stream: {
    type: 'boolean',
    describe:
      'The program of --exec reads and writes JSON lines, so that people see its answer grow',
  },
  acp: { describe: 'Program that speaks the Agent Client Protocol, and remembers what was said' },
  a2a: { describe: 'URL of an agent elsewhere that speaks A2A' },
  'token-env': { describe: 'Name of the variable that holds the token for the agent of --a2a' },
  install: {
    type: 'boolean',
    describe: 'Install the known agent for lark-bridge alone, at the version that was tried (npm)',
  },
  folder: {
    offers: 'folder',
    describe: 'Folder that the agent works in; chats may use it and all folders below it',
  },
  permissions: {
    choices: ['ask', 'auto'],
    describe: 'Whether the agent asks in the chat before it acts',
    defaultDescription: 'ask',
  },
  env: {
    type: 'array',
    describe:
      'Names of variables that the program gets from the environment of lark-bridge, such as an API key; it gets no others',
  },
  'env-file': {
    offers: 'file',
    describe: 'File with more variables for it (KEY=VALUE lines), read at each start',
  },
  user: {
    describe: "User to run the program as (needs root), so that it can't read your files",
  },
  force: { type: 'boolean', describe: "Add a program even if it can't start now" },
} as const satisfies Options;

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
