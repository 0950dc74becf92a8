/** How agents are shown: as columns for people, as fields for programs. */
import type { AcpSpec, ExecSpec, ProgramSpec } from '../agents/runtime.ts';
import type { TurnsGoTo } from '../app/agents.ts';
import type { KnownHere } from '../app/known-here.ts';
import type { AgentRecord, AgentSpec } from '../hub/ports/agents.ts';
import { columnsOf } from './table.ts';

export function getsTurns({ name }: Pick<AgentRecord, 'name'>, goTo: TurnsGoTo): boolean {
  return goTo.kind === 'agent' && goTo.name === name;
}

export function agentColumns(agent: AgentRecord, goTo: TurnsGoTo): string[] {
  const mark = getsTurns(agent, goTo) ? 'gets the turns' : '';
  return [agent.name, mark, agent.builtIn ? 'built in' : howItRuns(agent.spec)];
}

function howItRuns(spec: AgentSpec): string {
  switch (spec.kind) {
    case 'exec':
      return withOptions(`exec ${spec.argv.join(' ')}`, [
        ...(spec.stream === true ? ['--stream'] : []),
        ...programOptions(spec),
      ]);
    case 'acp':
      return withOptions(`acp ${spec.argv.join(' ')}`, [
        ...(spec.folder === undefined ? [] : [`--folder ${spec.folder}`]),
        `--permissions ${spec.permissions}`,
        ...programOptions(spec),
      ]);
    case 'a2a':
      return withOptions(
        `a2a ${spec.url}`,
        spec.tokenVariable === undefined ? [] : [`--token-env ${spec.tokenVariable}`],
      );
    case 'echo':
    case 'external':
      return spec.kind;
  }
}

function withOptions(text: string, options: readonly string[]): string {
  return options.length === 0 ? text : `${text}  (${options.join(' ')})`;
}

/** Names only: what the variables hold is not for the screen. */
function programOptions({ variables, variablesFile, user }: ProgramSpec): string[] {
  return [
    ...(variables === undefined ? [] : [`--env ${variables.join(',')}`]),
    ...(variablesFile === undefined ? [] : [`--env-file ${variablesFile}`]),
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

const KNOWN_HEAD = ['NAME', 'AGENT', 'VERSION', 'LOGGED IN', 'WHERE'];

/** The table, with those that are installed first. */
export function knownTable(all: readonly KnownHere[]): string {
  const rows = [...all.filter(isHere), ...all.filter((one) => !isHere(one))].map((one) => [
    one.id,
    one.name,
    one.found?.version ?? '-',
    one.found === undefined ? '-' : loginWord(one),
    whereItIs(one),
  ]);
  return columnsOf([KNOWN_HEAD, ...rows]);
}

function isHere({ found }: KnownHere): boolean {
  return found !== undefined;
}

function whereItIs({ found, canBeInstalled }: KnownHere): string {
  if (found !== undefined) return found.start.at(-1) ?? '';
  return canBeInstalled ? 'not installed (--install can do it)' : 'not installed';
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
