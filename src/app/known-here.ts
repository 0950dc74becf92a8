/** What `agents known` says: the table, and what of it is on this machine. */
import type { Environment } from '../agents/environment.ts';
import { knownLoginCommand } from '../agents/acp/abilities.ts';
import { findInstalled, type InstalledAgent } from '../agents/known/installed-agent.ts';
import { type LoginState, loginStateOf } from '../agents/known/login-state.ts';
import { findPrivate, howToInstall } from '../agents/known/private-install.ts';
import { KNOWN_AGENTS, type KnownAgent } from '../agents/known-agents.ts';

interface Place {
  readonly env: Environment;
  readonly home: string;
  /** Where known agents are installed for the bridge alone. */
  readonly packages: string;
}

/** One agent of the table, as it is on this machine. */
export interface KnownHere {
  readonly id: string;
  readonly name: string;
  /** What is looked for on the PATH. */
  readonly program: string;
  readonly found: FoundHere | undefined;
  readonly login: LoginState;
  /** For a person at a terminal. Only of one that is installed. */
  readonly loginCommand: string | undefined;
  /** How it gets here. */
  readonly install: string;
  /** lark-bridge can install it for itself. */
  readonly canBeInstalled: boolean;
  readonly note: string | undefined;
}

interface FoundHere extends InstalledAgent {
  /** In the folder of the bridge, not on the PATH. */
  readonly isPrivate: boolean;
}

/** Looks for all of them at the same time, each for a few seconds at most. */
export function knownHere(place: Place): Promise<readonly KnownHere[]> {
  return Promise.all(KNOWN_AGENTS.map((agent) => lookFor(agent, place)));
}

async function lookFor(agent: KnownAgent, place: Place): Promise<KnownHere> {
  const found = await findHere(agent, place);
  return {
    id: agent.id,
    name: agent.name,
    program: agent.program,
    found,
    login: loginStateOf(agent, place),
    loginCommand: found && knownLoginCommand(agent, [...found.start, ...agent.args]),
    install: howToInstall(agent),
    canBeInstalled: agent.npm?.verified === true,
    note: agent.note,
  };
}

async function findHere(
  agent: KnownAgent,
  { env, packages }: Place,
): Promise<FoundHere | undefined> {
  const onPath = await findInstalled(agent, env);
  if (onPath !== undefined) return { ...onPath, isPrivate: false };
  const own = findPrivate(agent, packages);
  return own && { ...own, isPrivate: true };
}
