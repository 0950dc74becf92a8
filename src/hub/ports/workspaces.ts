/** Accounts on the hub, as they are stored. */
import type { WorkspaceId } from '../../core/ids.ts';

/** Who made a workspace: `agents add`, the program itself at its start, or a client over HTTP. */
export type WorkspaceOrigin = 'agent' | 'provisioned' | 'registered';

/** What an agent card or the metadata of a message may have, as JSON: much more than those of any known client. */
export const DESCRIPTION_BYTES_MAX = 16 * 1024;

/** Workspaces that register with the provision token. Each one may take a quota; a hub for a company has hundreds. */
export const REGISTERED_WORKSPACES_MAX = 10_000;

/** What a workspace tells about itself, unchanged, and the name in it. It was parsed once and is not parsed again. */
export interface AgentCard {
  readonly json: string;
  readonly name: string | undefined;
}

export interface Workspace {
  readonly id: WorkspaceId;
  readonly name: string;
  readonly origin: WorkspaceOrigin;
  /** True if the hub runs the agent itself. Otherwise the agent polls. */
  readonly hubRun: boolean;
  readonly heartbeatAtMs: number | undefined;
  readonly removed: boolean;
  /** SHA-256 of its only token, in hex. Undefined if it has no token. */
  readonly tokenHash: string | undefined;
}

/** Apart from `Workspace`, so that nobody reads a card to find out who calls. */
export interface ListedWorkspace extends Workspace {
  readonly cardName: string | undefined;
  readonly agentCard: AgentCard | undefined;
}

export interface NewWorkspace {
  readonly id: WorkspaceId;
  readonly name: string;
  readonly agentCard: AgentCard;
  readonly tokenHash: string;
  readonly atMs: number;
}

export interface WorkspaceStore {
  workspace(id: WorkspaceId): Promise<Workspace | undefined>;
  workspaceByToken(tokenHash: string): Promise<Workspace | undefined>;
  /** All workspaces that are not removed, by age. */
  workspaces(): Promise<readonly Workspace[]>;
  /** The same with their cards. */
  listing(): Promise<readonly ListedWorkspace[]>;
  listed(id: WorkspaceId): Promise<ListedWorkspace | undefined>;
  /** `known`: the id exists already. `full`: there are too many workspaces. */
  addWorkspace(workspace: NewWorkspace): Promise<'added' | 'known' | 'full'>;
  /** The id of the program's own workspace of this name, which is made if necessary. It has no token. */
  provision(workspace: Omit<NewWorkspace, 'agentCard' | 'tokenHash'>): Promise<WorkspaceId>;
  /** Stores the time of a heartbeat, and the card if there is one. */
  seen(id: WorkspaceId, atMs: number, agentCard?: AgentCard): Promise<void>;
}
