/** What people have allowed agents from now on. */
import type { ChatId, OpenId, WorkspaceId } from '../../core/ids.ts';
import type { ToolKind } from '../../core/turn-update.ts';

/** What an approval is about. */
export interface ApprovalScope {
  readonly agent: WorkspaceId;
  /** As people know the agent. Undefined: its name could not be found out. */
  readonly agentName?: string;
  /** Where it works, if somebody chose that. */
  readonly folder?: string;
  readonly tool: ToolKind;
}

export interface Approval extends ApprovalScope {
  readonly number: number;
  /** Where it counts. Undefined: everywhere, because the owner gave it. */
  readonly chat?: ChatId;
  readonly by: OpenId;
  readonly atMs: number;
}

/** The stored approvals. They are read at once. Those of an agent go when it is removed. */
export interface ApprovalStore {
  /** In the order in which they were given. */
  all(): readonly Approval[];
  /** The one that allows this in a chat. */
  inForce(scope: ApprovalScope, chat: ChatId): Approval | undefined;
  /** Call it inside a commit of the journal. One that is there already stays as it is. */
  insert(approval: Omit<Approval, 'number'>): void;
  /** False if there is none with this number. Resolves when it is on disk. */
  remove(number: number): Promise<boolean>;
}
