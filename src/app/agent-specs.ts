/** From what a person typed for a new agent to how the hub runs it. All of it is checked before it is stored. */
import { existsSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { parseCommand, shellSignIn } from '../agents/command-line.ts';
import type { Environment } from '../agents/environment.ts';
import { checkNames, readVariables } from '../agents/given-variables.ts';
import { findInstalled, startOf } from '../agents/known/installed-agent.ts';
import { findPrivate, howToInstall, installPrivately } from '../agents/known/private-install.ts';
import { knownAgent, KNOWN_AGENTS, type KnownAgent } from '../agents/known-agents.ts';
import { checkProgram } from '../agents/program-check.ts';
import { findUser } from '../agents/program-user.ts';
import type { A2aSpec, AcpSpec, ProgramSpec } from '../agents/runtime.ts';
import { BridgeError } from '../core/errors.ts';
import { findFolder } from '../files/folder-check.ts';
import { ownUser, quoted } from '../files/rights.ts';
import type { AgentSpec } from '../hub/ports/agents.ts';
import { namedAddress } from './named-address.ts';

/** As it was typed. */
export interface NewAgent {
  readonly name: string;
  /** The command of a program that is started for each turn. */
  readonly exec?: string;
  /** That program reads and writes JSON lines. */
  readonly stream?: boolean;
  /** The command of a program that speaks the Agent Client Protocol. */
  readonly acp?: string;
  /** The address of an agent elsewhere that speaks A2A. */
  readonly a2a?: string;
  /** The variable of the bridge's environment with the token for it. */
  readonly tokenVariable?: string;
  /** The program of a known agent is put into a folder of the bridge first. */
  readonly install?: boolean;
  /** Where the agent works. */
  readonly folder?: string;
  readonly permissions?: 'ask' | 'auto';
  /** Names of variables that its program gets from the environment of the bridge. */
  readonly variables?: readonly string[];
  /** A file with variables for its program. */
  readonly variablesFile?: string;
  /** The user as whom its program runs. */
  readonly user?: string;
  /** Also takes a program that can't start. */
  readonly force?: boolean;
}

interface Surroundings {
  readonly env: Environment;
  readonly stateDir: string;
  /** Where known agents are installed for the bridge alone. */
  readonly packages: string;
  readonly signal: AbortSignal;
  /** An installation begins, which takes minutes. */
  readonly onInstall: () => void;
}

/** Throws `usage` for what can't work, and `failed` if an agent can't be installed. */
export async function specOf(agent: NewAgent, around: Surroundings): Promise<AgentSpec> {
  const kind = kindOf(agent);
  refuseForeignOptions(agent, kind);
  switch (kind) {
    case 'external':
      return { kind };
    case 'a2a':
      return a2aSpec(agent);
    case 'exec': {
      const argv = commandFor(agent, agent.exec ?? '', around.env);
      return {
        kind,
        argv,
        ...(agent.stream === true && { stream: true }),
        ...(await programOptions(agent)),
      };
    }
    case 'acp':
      return acpSpec(agent, around);
  }
}

type NewKind = 'exec' | 'acp' | 'a2a' | 'external';

/** A name of the table needs no more. */
function kindOf({ name, exec, acp, a2a }: NewAgent): NewKind {
  const named = Object.entries({ exec, acp, a2a }).flatMap(([kind, typed]) =>
    typed === undefined ? [] : [kind as Exclude<NewKind, 'external'>],
  );
  if (named.length > 1) {
    throw new BridgeError('usage', '--exec, --acp and --a2a exclude each other', {
      next: 'Give the one that says how the agent is reached.',
    });
  }
  return named[0] ?? (knownAgent(name) === undefined ? 'external' : 'acp');
}

/** Which options belong to which kind of agent. Those of no other kind are for all. */
const OPTIONS_OF = {
  stream: { kinds: ['exec'], flag: '--stream' },
  variables: { kinds: ['exec', 'acp'], flag: '--env' },
  variablesFile: { kinds: ['exec', 'acp'], flag: '--env-file' },
  user: { kinds: ['exec', 'acp'], flag: '--user' },
  folder: { kinds: ['acp'], flag: '--folder' },
  permissions: { kinds: ['acp'], flag: '--permissions' },
  install: { kinds: ['acp'], flag: '--install' },
  tokenVariable: { kinds: ['a2a'], flag: '--token-env' },
} as const satisfies Partial<Record<keyof NewAgent, { kinds: readonly NewKind[]; flag: string }>>;

const FOR_KIND: Readonly<Record<Exclude<NewKind, 'external'>, string>> = {
  exec: 'a program of --exec',
  acp: 'a known agent, or a program of --acp',
  a2a: 'an agent of --a2a',
};

function refuseForeignOptions(agent: NewAgent, kind: NewKind): void {
  for (const [name, { kinds, flag }] of Object.entries(OPTIONS_OF)) {
    const typed = agent[name as keyof typeof OPTIONS_OF];
    const isTyped = Array.isArray(typed)
      ? typed.length > 0
      : typed !== undefined && typed !== false;
    if (!isTyped || kinds.some((one) => one === kind)) continue;
    const forWhom = kinds.map((one) => FOR_KIND[one]).join(', or for ');
    throw new BridgeError('usage', `${flag} is for ${forWhom}`, {
      next: 'Say how the agent is started or reached (--exec, --acp, --a2a), or leave the option out. Names that need no more: lark-bridge agents known',
    });
  }
}

async function a2aSpec({ a2a = '', tokenVariable }: NewAgent): Promise<A2aSpec> {
  if (tokenVariable !== undefined) checkNames([tokenVariable]);
  return {
    kind: 'a2a',
    ...(await namedAddress(a2a)),
    ...(tokenVariable !== undefined && { tokenVariable }),
  };
}

/** The options that all programs of agents have. */
async function programOptions({
  variables = [],
  variablesFile,
  user,
  force = false,
}: NewAgent): Promise<Omit<ProgramSpec, 'argv'>> {
  checkNames(variables);
  const file = variablesFile === undefined ? undefined : resolve(variablesFile);
  const found = user === undefined ? undefined : await findUser(user);
  if (file !== undefined && !force) readVariables(file, found?.uid);
  return {
    ...(variables.length > 0 && { variables }),
    ...(file !== undefined && { variablesFile: file }),
    ...(user !== undefined && { user }),
  };
}

async function acpSpec(agent: NewAgent, around: Surroundings): Promise<AcpSpec> {
  const options = await programOptions(agent);
  const folder = agent.folder === undefined ? undefined : checkedFolder(agent.folder);
  const { argv, known } = await acpProgram(agent, around);
  return {
    kind: 'acp',
    argv,
    ...options,
    ...(known !== undefined && { known }),
    ...(folder !== undefined && { folder }),
    permissions: agent.permissions ?? 'ask',
    places: placesOf(around),
  };
}

/** HOME only of the user whose bridge it is: root may add an agent for the service of another user. */
function placesOf({ env, stateDir }: Surroundings): NonNullable<AcpSpec['places']> {
  const { PATH = '', HOME = '' } = env;
  const user = ownUser();
  const isOwn = user === undefined || statSync(stateDir).uid === user;
  return { ...(PATH !== '' && { PATH }), ...(HOME !== '' && isOwn && { HOME }) };
}

interface AcpProgram {
  readonly argv: readonly string[];
  /** Its name in the table. */
  readonly known: string | undefined;
}

async function acpProgram(agent: NewAgent, around: Surroundings): Promise<AcpProgram> {
  if (agent.acp !== undefined) {
    if (agent.install === true) {
      throw new BridgeError('usage', '--install and --acp exclude each other', {
        next: 'Give the name of a known agent alone: lark-bridge agents known',
      });
    }
    const [program = '', ...words] = commandFor(agent, agent.acp, around.env);
    const args = words.map(fullIfFile);
    const start = startOf(program, around.env) ?? [program];
    return { argv: [...start, ...args], known: ofTable(program) };
  }
  const known = knownAgent(agent.name);
  if (known === undefined) throw new Error(`${agent.name} is not in the table`);
  const start = await startOfKnown(known, agent, around);
  return { argv: [...start, ...known.args], known: known.id };
}

/** The agent of the table that a program is, by the name of its file. */
function ofTable(program: string): string | undefined {
  const file = program.split('/').at(-1);
  return KNOWN_AGENTS.find((known) => known.program === file)?.id;
}

async function startOfKnown(
  known: KnownAgent,
  { install = false, user, name, force = false }: NewAgent,
  { env, packages, signal, onInstall }: Surroundings,
): Promise<readonly string[]> {
  if (install) {
    if (user !== undefined) {
      throw new BridgeError('usage', '--install and --user exclude each other', {
        next: `Another user can't read the folder of the bridge. ${howToInstall(known)} Then leave out --install.`,
      });
    }
    const there = findPrivate(known, packages);
    if (there !== undefined) return there.start;
    onInstall();
    return (await installPrivately(known, { folder: packages, env, signal })).start;
  }
  const found = (await findInstalled(known, env)) ?? findPrivate(known, packages);
  if (found === undefined) {
    if (force) return [known.program];
    const orInstall =
      known.npm?.verified === true
        ? ` Or let lark-bridge install it for itself: lark-bridge agents add ${name} --install`
        : '';
    // Claude Code itself may well be there.
    const through =
      known.program === known.id ? '' : `, through which lark-bridge talks to ${known.name}`;
    throw new BridgeError('usage', `there is no program ${known.program} on the PATH${through}`, {
      next: `${howToInstall(known)}${orInstall}`,
    });
  }
  refuseWithoutNeeded(known, env);
  return found.start;
}

function refuseWithoutNeeded({ name, needs }: KnownAgent, env: Environment): void {
  if (needs === undefined || startOf(needs, env) !== undefined) return;
  throw new BridgeError('usage', `${name} needs the program ${needs}, which is not on the PATH`, {
    next: `Install ${needs} as its makers say.`,
  });
}

/** The folder that was typed: its full path, without links. A relative one is meant from here. Throws `usage` if agents can't work there. */
export function checkedFolder(typed: string): string {
  const found = findFolder(resolve(typed));
  if (found.ok) return found.path;
  const path = resolve(typed);
  const isFile = found.why === 'not_a_folder';
  throw new BridgeError(
    'usage',
    isFile ? `${path} is not a folder` : `there is no folder ${path}`,
    {
      next: isFile
        ? `Name a folder, such as ${quoted(dirname(path))}.`
        : `Check the path, or make it: mkdir -p ${quoted(path)}`,
    },
  );
}

/** The words of a command. A relative path becomes a full one: the hub may run in another folder. */
function commandFor(
  { name, force = false }: NewAgent,
  command: string,
  env: Environment,
): string[] {
  const [first = '', ...rest] = parseCommand(command);
  if (!force) refuseShellSigns(command);
  const program = first.includes('/') ? resolve(first) : first;
  const problem = force ? undefined : checkProgram(program, env);
  if (problem === undefined) return [program, ...rest];
  throw new BridgeError('usage', `the agent ${name} could not start: ${problem.what}`, {
    next: `${problem.next} With --force it is added as it is.`,
  });
}

/** Without a shell, a pipe would be an argument of the program. */
function refuseShellSigns(command: string): void {
  const sign = shellSignIn(command);
  if (sign === undefined) return;
  throw new BridgeError(
    'usage',
    `the command is run without a shell, so ${sign} has no effect in it`,
    {
      next: `Let a shell run it: ${quoted(`sh -c ${quoted(command)}`)}. With --force it is added as it is.`,
    },
  );
}

/** The program will work in another folder, where a relative path to its script would lead nowhere. */
function fullIfFile(word: string): string {
  return word.includes('/') && !isAbsolute(word) && existsSync(word) ? resolve(word) : word;
}

/** Where known agents are installed for the bridge alone. */
export function packagesFolder(stateDir: string): string {
  return join(stateDir, 'agent-packages');
}
