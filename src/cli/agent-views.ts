/** How agents are shown: as columns for people, as fields for programs. */
import type { AcpSpec, ExecSpec, ProgramSpec } from '../agents/runtime.ts';
import type { TurnsGoTo } from '../app/turns-go-to.ts';
import type { KnownHere } from '../app/known-here.ts';
import type { AgentRecord, AgentSpec } from '../hub/ports/agents.ts';
import { quoted } from '../files/rights.ts';
import { tableOf } from './table.ts';

export function getsTurns({ name }: Pick<AgentRecord, 'name'>, goTo: TurnsGoTo): boolean {
  return goTo.kind === 'agent' && goTo.name === name;
}

export function agentsTable(
  agents: readonly AgentRecord[],
  goTo: TurnsGoTo,
  width: number | undefined,
): string {
  const rows = agents.map((agent) => [
    agent.name,
    getsTurns(agent, goTo) ? 'yes' : '',
    agent.builtIn ? '(built in)' : addedWith(agent.spec),
  ]);
  return tableOf(AGENT_COLUMNS, rows, width);
}

const AGENT_COLUMNS = [
  { head: 'NAME' },
  { head: 'GETS TURNS' },
  { head: 'ADDED WITH', narrowest: 20 },
];

/** In a few words, what answers. */
export function agentInWords({ spec, builtIn }: AgentRecord): string {
  if (builtIn) return 'built in';
  switch (spec.kind) {
    case 'exec':
    case 'acp':
      return `${spec.kind}: ${commandLine(spec.argv)}`;
    case 'a2a':
      return `a2a: ${spec.url}`;
    case 'echo':
    case 'external':
      return spec.kind;
  }
}

/** The options after its name, as they can be pasted behind `agents add NAME`. */
function addedWith(spec: AgentSpec): string {
  switch (spec.kind) {
    case 'exec':
      return [
        `--exec ${quoted(commandLine(spec.argv))}`,
        ...(spec.stream === true ? ['--stream'] : []),
        ...programOptions(spec),
      ].join(' ');
    case 'acp':
      return [
        `--acp ${quoted(commandLine(spec.argv))}`,
        ...(spec.folder === undefined ? [] : [`--folder ${quoted(spec.folder)}`]),
        `--permissions ${spec.permissions}`,
        ...programOptions(spec),
      ].join(' ');
    case 'a2a':
      return [
        `--a2a ${quoted(spec.url)}`,
        ...(spec.tokenVariable === undefined ? [] : [`--token-env ${spec.tokenVariable}`]),
      ].join(' ');
    case 'echo':
      return '';
    case 'external':
      return '(connects with its API key)';
  }
}

function commandLine(argv: readonly string[]): string {
  return argv.map(quoted).join(' ');
}

/** Names only: what the variables hold is not for the screen. */
function programOptions({ variables, variablesFile, user }: ProgramSpec): string[] {
  return [
    ...(variables === undefined ? [] : [`--env ${variables.join(',')}`]),
    ...(variablesFile === undefined ? [] : [`--env-file ${quoted(variablesFile)}`]),
    ...(user === undefined ? [] : [`--user ${user}`]),
  ];
}

export function agentFields(agent: AgentRecord, goTo: TurnsGoTo) {
  const { spec, workspaceId, createdAtMs, builtIn } = agent;
  return {
    name: agent.name,
    kind: spec.kind,
    ...specFields(spec),
    workspace_id: workspaceId,
    created_at: new Date(createdAtMs).toISOString(),
    built_in: builtIn,
    gets_turns: getsTurns(agent, goTo),
  };
}

function specFields(spec: AgentSpec) {
  switch (spec.kind) {
    case 'exec':
      return { ...programFields(spec), ...(spec.stream === true && { stream: true }) };
    case 'acp':
      return {
        ...programFields(spec),
        known: spec.known ?? null,
        folder: spec.folder ?? null,
        permissions: spec.permissions,
      };
    case 'a2a':
      return { url: spec.url, token_env: spec.tokenVariable ?? null };
    case 'echo':
    case 'external':
      return {};
  }
}

function programFields({ argv, variables, variablesFile, user }: ExecSpec | AcpSpec) {
  return {
    argv,
    ...(variables !== undefined && { env: variables }),
    ...(variablesFile !== undefined && { env_file: variablesFile }),
    ...(user !== undefined && { user }),
  };
}

const KNOWN_COLUMNS = [
  { head: 'NAME' },
  { head: 'AGENT', narrowest: 8 },
  { head: 'VERSION' },
  { head: 'LOGGED IN' },
  { head: 'WHERE', narrowest: 13 },
];

/** The table, with those that are installed first. */
export function knownTable(all: readonly KnownHere[], width: number | undefined): string {
  const rows = [...all.filter(isHere), ...all.filter((one) => !isHere(one))].map((one) => [
    one.id,
    one.name,
    one.found?.version ?? '-',
    one.found === undefined ? '-' : loginWord(one),
    whereItIs(one),
  ]);
  return tableOf(KNOWN_COLUMNS, rows, width);
}

function isHere({ found }: KnownHere): boolean {
  return found !== undefined;
}

function whereItIs({ id, program, found, canBeInstalled }: KnownHere): string {
  if (found !== undefined) return found.start.at(-1) ?? '';
  const what = program === id ? 'not installed' : `${program} is not installed`;
  return canBeInstalled ? `${what} (--install can do it)` : what;
}

function loginWord({ login }: KnownHere): string {
  switch (login.is) {
    case 'yes':
      return 'variable' in login ? `by ${login.variable}` : 'yes';
    case 'no':
      return 'no';
    case 'unknown':
      return "can't tell";
  }
}

export function knownFields(known: KnownHere) {
  const { id, name, found, login, loginCommand, install, canBeInstalled, note } = known;
  return {
    name: id,
    agent: name,
    installed: found !== undefined,
    path: found?.start.at(-1) ?? null,
    version: found?.version ?? null,
    private: found?.isPrivate ?? false,
    logged_in: login.is,
    login_variable: 'variable' in login ? login.variable : null,
    login_command: loginCommand ?? null,
    install,
    can_be_installed: canBeInstalled,
    ...(note !== undefined && { note }),
  };
}
