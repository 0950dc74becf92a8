/** The agents and workspaces of the hub, as the CLI and the program itself change them. */
import { randomUUID } from 'node:crypto';
import { BridgeError } from '../../core/errors.ts';
import { nearestOf } from '../../text/nearest.ts';
import type { AgentRecord, AgentSpec, AgentStore } from '../ports/agents.ts';
import type { WorkspaceStore } from '../ports/workspaces.ts';
import { workspaceId, type WorkspaceId } from '../../core/ids.ts';
import type { Secret } from '../../core/secret.ts';
import { failure } from './outcomes.ts';
import { createToken, tokenHash } from './tokens.ts';
import { usualAgent } from './usual-agent.ts';
import type { Clock } from '../../time/clock.ts';
import { failureSentence } from '../../wire/failure-sentences.ts';

const NAME = /^[a-z0-9-]{1,40}$/;

export interface AddedAgent {
  readonly name: string;
  readonly workspaceId: WorkspaceId;
  /** Shown once: only its hash is kept. */
  readonly apiKey: Secret;
}

/** Works on the state directory's database, also while a hub works on it. */
export class Directory {
  readonly #store: AgentStore & WorkspaceStore;
  readonly #clock: Clock;

  constructor(store: AgentStore & WorkspaceStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  listAgents(): Promise<readonly AgentRecord[]> {
    return this.#store.agents();
  }

  /** Throws `usage` if no new agent can have this name. */
  async checkName(name: string): Promise<void> {
    assertName(name);
    if ((await this.#store.agents()).some((agent) => agent.name === name)) throw nameTaken(name);
  }

  /** Throws `usage` for a bad or taken name, or an empty command. */
  async addAgent({
    name,
    spec,
  }: {
    readonly name: string;
    readonly spec: AgentSpec;
  }): Promise<AddedAgent> {
    assertValid(name, spec);
    const id = workspaceId(randomUUID());
    const apiKey = createToken('agent');
    const added = await this.#store.addAgent(
      { name, workspaceId: id, spec, createdAtMs: this.#clock.nowMs() },
      tokenHash(apiKey.reveal()),
    );
    if (!added) throw nameTaken(name);
    return { name, workspaceId: id, apiKey };
  }

  /** Throws `usage` if there is no such agent, or if it is a built-in one. */
  async removeAgent(name: string): Promise<void> {
    const atMs = this.#clock.nowMs();
    const removed = await this.#store.removeAgent(name, atMs, () =>
      failure('removed', failureSentence('agent_removed'), atMs),
    );
    if (removed) return;
    const agents = await this.#store.agents();
    const known = agents.find((agent) => agent.name === name);
    throw known === undefined
      ? unknownAgent('usage', name, agents)
      : new BridgeError('usage', `the agent ${name} is built in and can't be removed`, {
          next: 'To give the turns to another one: lark-bridge agents use NAME',
        });
  }

  /** The agent of this name. Throws `config_invalid` if there is none. */
  async agentNamed(name: string): Promise<AgentRecord> {
    const agents = await this.#store.agents();
    const agent = agents.find((one) => one.name === name);
    if (agent === undefined) throw unknownAgent('config_invalid', name, agents);
    return agent;
  }

  /** From now on it gets the turns that name no agent. Throws `usage` if there is none of this name. */
  async chooseAgent(name: string): Promise<void> {
    const chosen = await this.#store.chooseAgent(name, this.#clock.nowMs());
    if (!chosen) throw unknownAgent('usage', name, await this.#store.agents());
  }

  /** The agent that was added or chosen last, or the built-in echo. */
  async defaultAgent(): Promise<AgentRecord> {
    const agent = usualAgent(await this.#store.agents());
    if (agent === undefined) throw new Error('the built-in agent is not in the database');
    return agent;
  }

  /** The program's own workspace of this name, always the same. Nobody has a token for it. */
  provisionWorkspace(name: string): Promise<WorkspaceId> {
    return this.#store.provision({
      id: workspaceId(randomUUID()),
      name,
      atMs: this.#clock.nowMs(),
    });
  }
}

function assertName(name: string): void {
  if (NAME.test(name)) return;
  throw new BridgeError('usage', `${JSON.stringify(name)} can't be the name of an agent`, {
    next: 'Use 1 to 40 of the characters a-z, 0-9 and "-".',
  });
}

function nameTaken(name: string): BridgeError {
  return new BridgeError('usage', `there is already an agent with the name ${name}`, {
    next: `Choose another name, or remove it first: lark-bridge agents remove ${name}`,
  });
}

function assertValid(name: string, spec: AgentSpec): void {
  assertName(name);
  if (spec.kind !== 'exec' && spec.kind !== 'acp') return;
  if (spec.argv[0] === undefined || spec.argv[0] === '') {
    throw new BridgeError('usage', 'the command of the agent is empty', {
      next: 'Name a program, for example: --exec "./answer.sh"',
    });
  }
  if (spec.argv.some((word) => word.includes('\0'))) {
    throw new BridgeError('usage', 'the command of the agent contains a NUL character', {
      next: 'Remove it: no argument of a program can hold one.',
    });
  }
}

function unknownAgent(
  code: 'usage' | 'config_invalid',
  name: string,
  known: readonly AgentRecord[],
): BridgeError {
  const meant = nearestOf(
    name,
    known.map((agent) => agent.name),
  );
  const question = meant === undefined ? '' : `Did you mean \`${meant}\`? `;
  const who = code === 'config_invalid' ? 'The setting `agent` (LARK_BRIDGE_AGENT) names it. ' : '';
  return new BridgeError(code, `unknown agent ${JSON.stringify(name)}`, {
    next: `${who}${question}Run \`lark-bridge agents list\` to see all of them.`,
  });
}
