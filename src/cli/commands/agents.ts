/** `lark-bridge agents`: the agents on the embedded hub. Works while a daemon runs or not. */
import type { ExecSpec } from '../../agents/runtime.ts';
import type { AgentRecord } from '../../hub/ports/agents.ts';
import { BridgeError } from '../../core/errors.ts';
import type { TurnsGoTo } from '../../app/agents.ts';
import { settingLabel } from '../../config/setting-rows.ts';
import type { CommandGroup, Invocation, LeafCommand } from '../command.ts';
import { columnsOf } from '../table.ts';

type Agents = Awaited<ReturnType<(typeof import('../../app/agents.ts'))['openAgents']>>;

const AGENT_SETTING = `the setting \`agent\` (${settingLabel('agent')})`;

const name = { name: { describe: 'Name of the agent', type: 'string' } } as const;

const list: LeafCommand = {
  usage: 'list',
  describe: 'show the agents, and which one gets the turns',
  run: (invocation) =>
    withAgents(invocation, async (agents) => {
      const [all, goTo] = await Promise.all([agents.list(), agents.turnsGoTo()]);
      const lines = columnsOf(all.map((agent) => columns(agent, goTo)));
      invocation.output.result(lines, { agents: all.map((agent) => publicForm(agent, goTo)) });
      if (goTo.kind !== 'agent') invocation.output.warning(whyNoAgent(goTo));
    }),
};

const add: LeafCommand = {
  usage: 'add <name>',
  describe: 'add an agent; from then on it gets the turns, unless a setting names another one',
  positionals: name,
  options: {
    exec: {
      type: 'string',
      requiresArg: true,
      describe:
        'Program that the hub runs for each turn: the text on stdin, the answer on stdout (no shell). Without it the agent connects to the hub by itself, with the API key that is printed once',
    },
    stream: {
      type: 'boolean',
      describe:
        'The program of --exec reads and writes JSON lines, so that people see its answer grow',
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
  },
  run: (invocation) =>
    withAgents(invocation, async (agents) => {
      const { options, output } = invocation;
      const { exec, 'env-file': variablesFile, user } = options;
      const before = await agents.turnsGoTo();
      const added = await agents.add({
        name: nameOf(invocation),
        ...(typeof exec === 'string' && { exec }),
        stream: options['stream'] === true,
        variables: namesIn(options['env']),
        ...(typeof variablesFile === 'string' && { variablesFile }),
        ...(typeof user === 'string' && { user }),
        force: options['force'] === true,
      });
      const after = await agents.turnsGoTo();
      // The key is shown only now: the database keeps its hash. A program that the hub runs does not need it.
      const apiKey = typeof exec === 'string' ? undefined : added.apiKey.reveal();
      output.result(
        [
          `Added ${added.name}, workspace ${added.workspaceId}.`,
          ...(apiKey === undefined
            ? []
            : [
                `API key (shown only now): ${apiKey}`,
                'Its program gets its turns from the hub with this key. Until then they wait.',
              ]),
          ...changeOf(added.name, before, after),
        ].join('\n'),
        {
          name: added.name,
          workspace_id: added.workspaceId,
          ...(apiKey !== undefined && { api_key: apiKey }),
          gets_turns: getsTurns(added, after),
          before: before.kind === 'agent' ? before.name : null,
        },
      );
    }),
};

const remove: LeafCommand = {
  usage: 'remove <name>',
  describe: 'remove an agent, with the turns that wait for it',
  positionals: name,
  run: (invocation) =>
    withAgents(invocation, async (agents) => {
      const removed = nameOf(invocation);
      const before = await agents.turnsGoTo();
      await agents.remove(removed);
      const after = await agents.turnsGoTo();
      const hadTurns = before.kind === 'agent' && before.name === removed;
      const change =
        after.kind === 'agent' ? `Now ${after.name} gets the turns.` : whyNoAgent(after);
      invocation.output.result(`Removed ${removed}.${hadTurns ? ` ${change}` : ''}`, {
        removed,
        turns_go_to: after.kind === 'agent' ? after.name : null,
      });
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
      const tested = nameOf(invocation);
      const result = await agents.test(tested, String(options['text']), signal);
      if (!result.ok) {
        throw new BridgeError(
          result.reason === 'cancelled' ? 'interrupted' : 'failed',
          `${tested}: ${result.detail}`,
        );
      }
      const files = (result.attached?.files ?? []).map((file) => file.name);
      const lines = [result.text, ...files.map((file) => `[file ${file}]`)];
      output.result(lines.join('\n'), { text: result.text, ...(files.length > 0 && { files }) });
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
  const { openAgents } = await import('../../app/agents.ts');
  const agents = await openAgents({ config, env: invocation.env, log });
  try {
    await work(agents);
  } finally {
    await agents.close();
  }
}

/** Several words, each with one name or with several between commas. */
function namesIn(typed: unknown): string[] {
  const words = Array.isArray(typed) ? typed.map(String) : [];
  return [...new Set(words.flatMap((word) => word.split(',')))];
}

function nameOf({ options }: Invocation): string {
  return String(options['name']);
}

function getsTurns({ name: agent }: Pick<AgentRecord, 'name'>, goTo: TurnsGoTo): boolean {
  return goTo.kind === 'agent' && goTo.name === agent;
}

/** What the new agent changes for the chats. */
function changeOf(added: string, before: TurnsGoTo, after: TurnsGoTo): string[] {
  if (after.kind !== 'agent') return [whyNoAgent(after)];
  if (after.name !== added) {
    return [`${after.name} still gets the turns, because ${AGENT_SETTING} names it.`];
  }
  if (before.kind !== 'agent' || after.isNamed) {
    return [`It gets the turns of all chats, because ${AGENT_SETTING} names it.`];
  }
  return [
    `It gets the turns of all chats from now on (before: ${before.name}).`,
    `To undo that: \`lark-bridge agents remove ${added}\`, or keep it and run \`lark-bridge config set agent ${before.name}\` (used from the next start on).`,
  ];
}

function whyNoAgent(goTo: Exclude<TurnsGoTo, { kind: 'agent' }>): string {
  return goTo.kind === 'nobody'
    ? `There is no agent ${goTo.name}, but ${AGENT_SETTING} names it: \`lark-bridge run\` can't start.`
    : `No agent here gets turns: PLATFORM_URL names the hub at ${goTo.url}, and they go there.`;
}

function columns(agent: AgentRecord, goTo: TurnsGoTo): string[] {
  const { spec, builtIn } = agent;
  const what = spec.kind === 'exec' ? execColumn(spec) : spec.kind;
  const mark = getsTurns(agent, goTo) ? 'gets the turns' : '';
  return [agent.name, mark, builtIn ? 'built in' : what];
}

/** Names only: what the variables hold is not for the screen. */
function execColumn({ argv, stream, variables, variablesFile, user }: ExecSpec): string {
  const more = [
    ...(stream === true ? ['--stream'] : []),
    ...(variables === undefined ? [] : [`--env ${variables.join(',')}`]),
    ...(variablesFile === undefined ? [] : [`--env-file ${variablesFile}`]),
    ...(user === undefined ? [] : [`--user ${user}`]),
  ];
  return `exec ${argv.join(' ')}${more.length === 0 ? '' : `  (${more.join(' ')})`}`;
}

function publicForm(agent: AgentRecord, goTo: TurnsGoTo) {
  const { spec, workspaceId, createdAtMs, builtIn } = agent;
  return {
    name: agent.name,
    kind: spec.kind,
    ...(spec.kind === 'exec' && {
      argv: spec.argv,
      ...(spec.stream === true && { stream: true }),
      ...(spec.variables !== undefined && { env: spec.variables }),
      ...(spec.variablesFile !== undefined && { env_file: spec.variablesFile }),
      ...(spec.user !== undefined && { user: spec.user }),
    }),
    workspace_id: workspaceId,
    created_at: new Date(createdAtMs).toISOString(),
    built_in: builtIn,
    gets_turns: getsTurns(agent, goTo),
  };
}
