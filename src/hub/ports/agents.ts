/** The agents of the hub, as they are stored. */
import type { RunnableSpec } from '../../agents/runtime.ts';
import type { WorkspaceId } from '../../core/ids.ts';
import type { Settlement } from './queue.ts';
import type { QueueItem } from './turns.ts';

/** `external`: the agent connects to the hub with its API key and fetches its turns. */
export type AgentSpec = RunnableSpec | { readonly kind: 'external' };

export interface AgentRecord {
  readonly name: string;
  readonly workspaceId: WorkspaceId;
  readonly spec: AgentSpec;
  readonly createdAtMs: number;
  /** When a person chose it, the last time. */
  readonly chosenAtMs?: number;
  readonly builtIn: boolean;
}

export interface AgentStore {
  /** The built-in ones first, then by age. */
  agents(): Promise<readonly AgentRecord[]>;
  agentOf(workspace: WorkspaceId): Promise<AgentRecord | undefined>;
  /** Adds an agent and its workspace. False if the name is taken. */
  addAgent(agent: Omit<AgentRecord, 'builtIn' | 'chosenAtMs'>, tokenHash: string): Promise<boolean>;
  /** Notes that a person chose it, after all that was added or chosen before. False if there is no such agent. */
  chooseAgent(name: string, atMs: number): Promise<boolean>;
  /** Removes an agent and its workspace, and ends its waiting turns. False if there is no such agent. */
  removeAgent(
    name: string,
    atMs: number,
    ending: (item: QueueItem) => Settlement,
  ): Promise<boolean>;
}
