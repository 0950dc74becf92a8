/** The agent that a person brings to the demo in the place of the echo. */
import type { NewAgent } from '../../app/agent-specs.ts';
import { BridgeError } from '../../core/errors.ts';
import { ADD_OPTIONS, newAgent } from '../agent-options.ts';
import type { Invocation } from '../command.ts';

const { stream, acp, folder, permissions, env, 'env-file': envFile } = ADD_OPTIONS;

export const AGENT_OPTIONS = {
  agent: {
    describe: 'Chat with a coding agent of this machine: a name of `agents known`, such as claude',
  },
  exec: {
    describe: 'Chat with a program: the text on stdin, the answer on stdout (no shell)',
  },
  stream,
  acp,
  folder,
  permissions,
  env,
  'env-file': envFile,
} as const;

/** The name of an agent that has none of its own. */
const NAME = 'agent';

/** Undefined: it stays the echo. Throws `usage` for what does not go together. */
export function ownAgent(options: Invocation['options']): NewAgent | undefined {
  const chosen = ['agent', 'exec', 'acp'].filter((flag) => options[flag] !== undefined);
  if (chosen.length > 1) {
    throw new BridgeError('usage', '--agent, --exec and --acp exclude each other', {
      next: 'Give the one that says how your agent is started.',
    });
  }
  if (chosen.length === 0) {
    refuseLoneOptions(options);
    return undefined;
  }
  if (options['once'] === true) {
    throw new BridgeError('usage', '--once plays with the echo, and not with an agent of yours', {
      next: 'Leave --once out, and chat with your agent.',
    });
  }
  return newAgent({ ...options, name: options['agent'] ?? NAME });
}

function refuseLoneOptions(options: Invocation['options']): void {
  const lone = Object.keys(AGENT_OPTIONS).find((flag) => {
    const typed = options[flag];
    return Array.isArray(typed) ? typed.length > 0 : typed !== undefined && typed !== false;
  });
  if (lone === undefined) return;
  throw new BridgeError('usage', `--${lone} says something of an agent, but there is none`, {
    next: 'Name it with --agent, --exec or --acp.',
  });
}
