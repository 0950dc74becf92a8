/** `lark-bridge agents`: who is on the embedded hub. Works while a daemon runs and while none does. */
import type { AgentRecord } from '../../hub/ports.ts';
import { BridgeError } from '../../core/errors.ts';
import type { CommandGroup, Invocation, LeafCommand } from '../command.ts';

type Agents = Awaited<ReturnType<(typeof import('../../app/start.ts'))['openAgents']>>;

const name = { name: { describe: 'Name of the agent', type: 'string' } } as const;

const list: LeafCommand = {
  usage: 'list',
  describe: 'show the agents',
  run: (invocation) =>
    withAgents(invocation, async (agents) => {
      const all = await agents.list();
      invocation.output.result(all.map(lineOf).join('\n'), { agents: all.map(publicForm) });
    }),
};

const add: LeafCommand = {
  usage: 'add <name>',
  describe: 'add an agent and print its API key, once',
  positionals: name,
  options: {
    exec: {
      type: 'string',
      requiresArg: true,
      describe:
        'Program that the hub runs for each turn: the text on stdin, the answer on stdout (no shell)',
    },
  },
  run: (invocation) =>
    withAgents(invocation, async (agents) => {
      const { options, output } = invocation;
      const exec = options['exec'];
      const added = await agents.add({
        name: nameOf(invocation),
        ...(typeof exec === 'string' && { exec }),
      });
      // The one moment in which the key is shown; the database keeps only its hash.
      const apiKey = added.apiKey.reveal();
      output.result(
        `Added ${added.name}, workspace ${added.workspaceId}.\nAPI key (shown only now): ${apiKey}`,
        { name: added.name, workspace_id: added.workspaceId, api_key: apiKey },
      );
    }),
};

const remove: LeafCommand = {
  usage: 'remove <name>',
  describe: 'remove an agent, with the turns that wait for it',
  positionals: name,
  run: (invocation) =>
    withAgents(invocation, async (agents) => {
      await agents.remove(nameOf(invocation));
      invocation.output.result(`Removed ${nameOf(invocation)}.`, { removed: nameOf(invocation) });
    }),
};

const test: LeafCommand = {
  usage: 'test <name> [text]',
  describe: 'give an agent one turn and show its answer',
  positionals: {
    ...name,
    text: { describe: 'What to say to it', type: 'string', default: 'Hello, are you there?' },
  },
  run: (invocation) =>
    withAgents(invocation, async (agents) => {
      const { options, output, signal } = invocation;
      const result = await agents.test(nameOf(invocation), String(options['text']), signal);
      if (!result.ok) {
        throw new BridgeError(
          result.reason === 'cancelled' ? 'interrupted' : 'failed',
          result.detail,
        );
      }
      output.result(result.text, { text: result.text });
    }),
};

export const agentsCommand: CommandGroup = {
  usage: 'agents',
  describe: 'list, add, remove and test the agents on the embedded hub',
  commands: [list, add, remove, test],
};

async function withAgents(
  invocation: Invocation,
  work: (agents: Agents) => Promise<void>,
): Promise<void> {
  const config = await invocation.loadConfig([]);
  const log = await invocation.createLog(config);
  const { openAgents } = await import('../../app/start.ts');
  const agents = await openAgents({ config, env: invocation.env, log });
  try {
    await work(agents);
  } finally {
    await agents.close();
  }
}

function nameOf({ options }: Invocation): string {
  return String(options['name']);
}

function lineOf({ name: agent, spec, builtIn }: AgentRecord): string {
  const what = spec.kind === 'exec' ? `exec ${spec.argv.join(' ')}` : spec.kind;
  return `${agent}  ${what}${builtIn ? '  (built in)' : ''}`;
}

function publicForm({ name: agent, spec, workspaceId, createdAtMs, builtIn }: AgentRecord) {
  return {
    name: agent,
    kind: spec.kind,
    ...(spec.kind === 'exec' && { argv: spec.argv }),
    workspace_id: workspaceId,
    created_at: new Date(createdAtMs).toISOString(),
    built_in: builtIn,
  };
}
