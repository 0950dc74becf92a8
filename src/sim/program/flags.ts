/** The options of the simulator on a command line: one table for each program that starts it. */

interface ProgramFlag {
  readonly type: 'string' | 'boolean';
  /** What stands for the value in a help. */
  readonly value?: string;
  readonly describe: string;
  /** What holds without it, in words. */
  readonly fallback?: string;
}

export const PROGRAM_FLAGS = {
  port: { type: 'string', value: 'N', describe: 'TCP port', fallback: 'any free port' },
  host: {
    type: 'string',
    value: 'ADDRESS',
    describe: 'Address to listen on; there is no password',
    fallback: '127.0.0.1',
  },
  seed: {
    type: 'string',
    value: 'N',
    describe: 'The same number gives the same ids and random faults',
    fallback: 'random',
  },
  'time-scale': {
    type: 'string',
    value: 'N',
    describe: "How many times faster the cloud's own waits pass",
    fallback: '1',
  },
  'client-config': {
    type: 'string',
    value: 'FILE',
    describe: 'JSON file with the connection settings that clients get',
  },
  'call-limits': {
    type: 'string',
    value: 'on|off',
    describe: 'With `off` no call is refused for being too frequent',
    fallback: 'on',
  },
  world: {
    type: 'string',
    value: 'FILE',
    describe: 'JSON file with the people, apps and chats to start with',
  },
  tls: {
    type: 'boolean',
    describe: 'HTTPS and WSS, with a certificate made at the start',
  },
  'tls-hosts': {
    type: 'string',
    value: 'NAMES',
    describe: 'More names for the certificate, separated by commas',
  },
  'ca-file': {
    type: 'string',
    value: 'FILE',
    describe: 'Where to write the certificate to trust',
    fallback: 'a temporary file',
  },
} as const satisfies Readonly<Record<string, ProgramFlag>>;

/** The rows as what they have in common. */
export function flagRows(): readonly (readonly [name: string, flag: ProgramFlag])[] {
  return Object.entries(PROGRAM_FLAGS);
}
