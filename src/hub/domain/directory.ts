/** Who is on the hub: what the CLI and the program itself do with agents and workspaces. */
import { randomUUID } from 'node:crypto';
import { BridgeError } from '../../core/errors.ts';
import type { AgentRecord, AgentSpec, AgentStore, WorkspaceStore } from '../ports.ts';
import { workspaceId, type WorkspaceId } from '../../core/ids.ts';
import type { Secret } from '../../core/secret.ts';
import { failure } from './outcomes.ts';
import { createToken, tokenHash } from './tokens.ts';
import type { Clock } from '../../time/clock.ts';

const NAME = /^[a-z0-9-]{1,40}$/;

export interface AddedAgent {
  readonly name: string;
  readonly workspaceId: WorkspaceId;
  /** Shown once: only its hash is kept. */
  readonly apiKey: Secret;
}

/** Works on the state directory's database whether or not a hub runs on it. */
export interface Directory {
  listAgents(): Promise<readonly AgentRecord[]>;
  /** Throws `usage` for a bad or taken name, or an empty command. */
  addAgent(agent: { readonly name: string; readonly spec: AgentSpec }): Promise<AddedAgent>;
  /** Throws `usage` if there is no such agent, or if it is a built-in one. */
  removeAgent(name: string): Promise<void>;
  /** The agent of this name; throws `config_invalid` if there is none. */
  agentNamed(name: string): Promise<AgentRecord>;
  /** The newest agent that was added, or the built-in echo. */
  defaultAgent(): Promise<AgentRecord>;
  /** The program's own workspace of this name, always the same. Nobody has a token for it. */
  provisionWorkspace(name: string): Promise<WorkspaceId>;
}

export function createDirectory(store: AgentStore & WorkspaceStore, clock: Clock): Directory {
  return {
    listAgents: () => store.agents(),

    async addAgent({ name, spec }) {
      judge(name, spec);
      const id = workspaceId(randomUUID());
      const apiKey = createToken('agent');
      const added = await store.addAgent(
        { name, workspaceId: id, spec, createdAtMs: clock.nowMs() },
        tokenHash(apiKey.reveal()),
      );
      if (!added) {
        throw new BridgeError('usage', `there is an agent with the name ${name} already`, {
          next: `Choose another name, or remove it first: lark-bridge agents remove ${name}`,
        });
      }
      return { name, workspaceId: id, apiKey };
    },

    async removeAgent(name) {
      const atMs = clock.nowMs();
      const removed = await store.removeAgent(name, atMs, () =>
        failure('removed', 'The agent was removed.', atMs),
      );
      if (removed) return;
      const known = (await store.agents()).find((agent) => agent.name === name);
      throw known === undefined
        ? unknownAgent('usage', name)
        : new BridgeError('usage', `the agent ${name} is built in and can't be removed`);
    },

    async agentNamed(name) {
      const agent = (await store.agents()).find((one) => one.name === name);
      if (agent === undefined) throw unknownAgent('config_invalid', name);
      return agent;
    },

    async defaultAgent() {
      const agent = (await store.agents()).at(-1);
      if (agent === undefined) throw new Error('the built-in agent is not in the database');
      return agent;
    },

    provisionWorkspace: (name) =>
      store.provision({ id: workspaceId(randomUUID()), name, atMs: clock.nowMs() }),
  };
}

function judge(name: string, spec: AgentSpec): void {
  if (!NAME.test(name)) {
    throw new BridgeError('usage', `${JSON.stringify(name)} can't be the name of an agent`, {
      next: 'Use 1 to 40 of the characters a-z, 0-9 and "-".',
    });
  }
  if (spec.kind !== 'exec') return;
  if (spec.argv[0] === undefined || spec.argv[0] === '') {
    throw new BridgeError('usage', 'the command of the agent is empty', {
      next: 'Name a program, for example: --exec "./answer.sh"',
    });
  }
  if (spec.argv.some((word) => word.includes('\0'))) {
    throw new BridgeError('usage', 'the command of the agent holds a NUL character');
  }
}

function unknownAgent(code: 'usage' | 'config_invalid', name: string): BridgeError {
  return new BridgeError(code, `there is no agent with the name ${name}`, {
    next: 'See them with: lark-bridge agents list',
  });
}
