/** The inboxes of workspaces. */
import type { WorkspaceId } from '../../core/ids.ts';
import type { Quota } from './quota.ts';

/** JSON texts of a `RequestId` and a `TurnContent`. Only who reads the message parses them. */
export interface ReceivedTexts {
  readonly requestId: string;
  readonly content: string;
}

export interface NewActivity {
  readonly id: string;
  readonly workspace: WorkspaceId;
  readonly activityType: string;
  readonly source: WorkspaceId | undefined;
  readonly target: string | undefined;
  readonly method: string | undefined;
  readonly summary: string | undefined;
  readonly status: string;
  readonly errorDetail: string | undefined;
  readonly durationMs: number | undefined;
  readonly createdAtMs: number;
  /** What another workspace sent, under the name of its request. */
  readonly received?: ReceivedTexts;
  /** JSON of the list of files that the message has. Undefined in rows of earlier versions: not known. */
  readonly attachments: string | undefined;
  /** JSON texts that the workspace reported about itself. */
  readonly requestBody: string | undefined;
  readonly responseBody: string | undefined;
  readonly toolTrace: string | undefined;
}

export interface Activity extends NewActivity {
  readonly seq: number;
}

export interface ActivityQuery {
  readonly type?: string;
  readonly source?: 'canvas' | 'agent';
  readonly peer?: string;
  readonly sinceMs?: number;
  readonly beforeMs?: number;
  /** Rows after this one, oldest first. Without it newest first. */
  readonly sinceId?: string;
  readonly limit: number;
}

export interface ActivityStore {
  /** `undefined`: the row of `sinceId` is not in this workspace's inbox, or was deleted. */
  activity(workspace: WorkspaceId, query: ActivityQuery): Promise<readonly Activity[] | undefined>;
  /** Returns what the workspace has too much of. Then nothing was stored. */
  addActivity(activity: NewActivity): Promise<Quota | undefined>;
  /** Moves the workspace's mark forward, never back. Returns the mark. */
  acknowledge(workspace: WorkspaceId, seq: number): Promise<number>;
  /** Deletes up to `limit` rows from before `beforeMs`. Returns how many. */
  pruneActivity(beforeMs: number, limit: number): Promise<number>;
}
