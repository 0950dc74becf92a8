/** `lark-bridge agents`: the agents on the embedded hub. Works while a daemon runs or not. */
import type { FailedResult } from '../../agents/runtime.ts';
import { BridgeError } from '../../core/errors.ts';
import type { TurnsGoTo } from '../../app/turns-go-to.ts';
import { settingLabel } from '../../config/setting-rows.ts';
import type { AgentSpec } from '../../hub/ports/agents.ts';
import { withAgents } from '../agent-access.ts';
import { ADD_OPTIONS, newAgent } from '../agent-options.ts';
import { TrialScreen } from '../agent-trial-screen.ts';
import { agentFields, agentsTable, getsTurns, knownFields, knownTable } from '../agent-views.ts';
import type { CommandGroup, Invocation, Subcommand } from '../command.ts';

const AGENT_SETTING = `the setting \`agent\` (${settingLabel('agent')})`;

const name = { name: { describe: 'Name of the agent', offers: 'agent' } } as const;

const list: Subcommand = {
  usage: 'list',
  describe: 'Show the agents, and which one gets the turns',
  examples: { 'lark-bridge agents list': 'Show who answers in the chats' },
  run: async (invocation) => {
    const { output, loadConfig } = invocation;
    const config = await loadConfig([]);
    const { lookAtAgents } = await import('../../app/agents-look.ts');
    const { turnsGoTo } = await import('../../app/turns-go-to.ts');
    const all = lookAtAgents(config);
    const goTo = turnsGoTo(config, all);
    output.result(agentsTable(all, goTo, output.width), {
      agents: all.map((agent) => agentFields(agent, goTo)),
    });
    if (goTo.kind !== 'agent') output.warning(whyNoAgent(goTo));
  },
};

const known: Subcommand = {
  usage: 'known',
  describe: 'Show the coding agents that you can add by name, and which are installed here',
  examples: { 'lark-bridge agents known': 'Look which agents are installed on this machine' },
  run: (invocation) =>
    withAgents(invocation, async (agents) => {
      const { output } = invocation;
      const all = await agents.known();
      output.result(knownTable(all, output.width), { known: all.map(knownFields) });
      for (const { name: agent, found, login, loginCommand } of all) {
        if (found === undefined || login.is !== 'no' || loginCommand === undefined) continue;
        output.note(`To log in to ${agent}: ${loginCommand}`);
      }
      output.note('Put one behind the bot with: lark-bridge agents add NAME');
    }),
};

const add: Subcommand = {
  usage: 'add <name>',
  isForOperator: true,
  describe: 'Add an agent; it gets the turns from then on, unless a setting names another one',
  positionals: {
    name: {
      describe: 'A name of your choice, or one of `agents known`, which needs no more',
      offers: 'known_agent',
    },
  },
  examples: {
    'lark-bridge agents add claude': 'Claude Code, with its own login',
    'lark-bridge agents add claude --folder ~/work': 'The same, working in a folder of yours',
    'lark-bridge agents add shout --exec "tr a-z A-Z"':
      'A program: text on stdin, answer on stdout',
    'lark-bridge agents add py --exec "python3 agent.py" --env API_KEY':
      'A script that needs a variable',
    'lark-bridge agents add far --a2a https://agent.example': 'An agent elsewhere that speaks A2A',
  },
  options: ADD_OPTIONS,
  run: (invocation) =>
    withAgents(invocation, async (agents) => {
      const { options, output, signal } = invocation;
      const before = await agents.turnsGoTo();
      const added = await agents.add(newAgent(options), {
        signal,
        onInstall: () =>
          output.note('Installing it for lark-bridge alone. This takes some minutes.'),
      });
      const after = await agents.turnsGoTo();
      const { spec, workspaceId } = added;
      // The key is shown only now: the database keeps its hash. An agent that the hub runs does not need it.
      const apiKey = spec.kind === 'external' ? added.apiKey.reveal() : undefined;
      output.result(
        [
          `Added ${added.name}, workspace ${workspaceId}.`,
          ...(apiKey === undefined
            ? []
            : [
                `API key (shown only now): ${apiKey}`,
                'Start your program with this key. It fetches its turns from the hub, as docs/turn-contract.md says.',
                'Until then its turns wait. For a program that lark-bridge starts itself: --exec, --acp.',
              ]),
          ...aboutProgram(added.name, spec),
          ...changeOf(added.name, before, after),
        ].join('\n'),
        {
          name: added.name,
          workspace_id: workspaceId,
          ...(apiKey !== undefined && { api_key: apiKey }),
          kind: spec.kind,
          ...('argv' in spec && { argv: spec.argv }),
          gets_turns: getsTurns(added, after),
          before: before.kind === 'agent' ? before.name : null,
        },
      );
    }),
};

const use: Subcommand = {
  usage: 'use <name>',
  isForOperator: true,
  describe: 'Give the turns to an agent from now on, even while the bot runs',
  examples: { 'lark-bridge agents use claude': 'Let claude answer in the chats' },
  positionals: name,
  run: (invocation) =>
    withAgents(invocation, async (agents) => {
      const used = nameOf(invocation);
      const before = await agents.turnsGoTo();
      await agents.use(used);
      const after = await agents.turnsGoTo();
      invocation.output.result(`${used} is chosen. ${changeOf(used, before, after).join('\n')}`, {
        name: used,
        gets_turns: getsTurns({ name: used }, after),
        before: before.kind === 'agent' ? before.name : null,
      });
    }),
};

/** What is good to know of an agent that acts. */
function aboutProgram(agent: string, spec: AgentSpec): string[] {
  if (spec.kind !== 'acp') return [];
  const { argv, permissions, folder } = spec;
  const asks =
    permissions === 'ask'
      ? 'It asks in the chat before it acts.'
      : 'It acts without asking (--permissions auto).';
  return [
    `It is started with: ${argv.join(' ')}`,
    `${asks} It works in ${folder ?? 'a folder of its own in the state directory; for another one: --folder DIR'}.`,
    `Try it: lark-bridge agents test ${agent}`,
  ];
}

const remove: Subcommand = {
  usage: 'remove <name>',
  isForOperator: true,
  describe: 'Remove an agent and the turns that wait for it',
  examples: { 'lark-bridge agents remove shout': 'Remove the agent shout' },
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

const test: Subcommand = {
  usage: 'test <name> [text]',
  describe: 'Give an agent one turn, and show what it does and answers',
  examples: {
    'lark-bridge agents test claude': 'Say hello to it',
    'lark-bridge agents test claude "What is in this folder?"': 'Ask it something',
  },
  positionals: {
    ...name,
    text: { describe: 'What to say to it', default: 'Hello, are you there?' },
  },
  run: (invocation) =>
    withAgents(invocation, async (agents) => {
      const { options, output, signal } = invocation;
      const tested = nameOf(invocation);
      const screen = new TrialScreen(invocation);
      const over = new AbortController();
      const end = await agents
        .test(tested, {
          text: String(options['text']),
          signal,
          onUpdate: (update) => screen.show(update),
          onQuestion: (question) => screen.answer(question, over.signal),
        })
        .finally(() => over.abort());
      output.note(screen.summary(end));
      const { result } = end;
      if (!result.ok) throw failureOf(tested, result);
      const files = (result.attached?.files ?? []).map((file) => file.name);
      const lines = [result.text, ...files.map((file) => `[file ${file}]`)];
      if (result.warning !== undefined) output.warning(result.warning);
      output.result(lines.join('\n'), {
        text: result.text,
        ...(files.length > 0 && { files }),
        ...screen.facts(end),
      });
    }),
};

function failureOf(agent: string, result: FailedResult): BridgeError {
  const { detail, reason, login, output } = result;
  const said = [output?.stdout, output?.stderr]
    .map((text) => text?.trim() ?? '')
    .filter((text) => text !== '');
  const command = login?.command;
  const next =
    login === undefined
      ? undefined
      : `Log in once, as the user of lark-bridge, then run this again. ${command === undefined ? 'Its own program can do it.' : `The login: ${command}`}`;
  return new BridgeError(
    reason === 'cancelled' ? 'interrupted' : 'failed',
    [`${agent}: ${detail}`, ...said].join('\n'),
    next === undefined ? {} : { next },
  );
}

export const agentsCommand: CommandGroup = {
  commands: [list, known, add, use, remove, test],
};

function nameOf({ options }: Invocation): string {
  return String(options['name']);
}

/** What the new agent changes for the chats. */
function changeOf(added: string, before: TurnsGoTo, after: TurnsGoTo): string[] {
  if (after.kind !== 'agent') return [whyNoAgent(after)];
  if (after.name !== added) {
    return [`${after.name} still gets the turns, because ${AGENT_SETTING} names it.`];
  }
  if (before.kind === 'agent' && before.name === added) return ['It had the turns before too.'];
  if (before.kind !== 'agent' || after.isNamed) {
    return [`It gets the turns of all chats, because ${AGENT_SETTING} names it.`];
  }
  return [
    `It gets the turns of all chats from now on (before: ${before.name}).`,
    `To undo that: \`lark-bridge agents use ${before.name}\`.`,
  ];
}

function whyNoAgent(goTo: Exclude<TurnsGoTo, { kind: 'agent' }>): string {
  return goTo.kind === 'nobody'
    ? `There is no agent ${goTo.name}, but ${AGENT_SETTING} names it: \`lark-bridge run\` can't start.`
    : `No agent here gets turns: PLATFORM_URL names the hub at ${goTo.url}, and they go there.`;
}
