/** A turn at the hub: what was sent, how it stands and how it ended. */
import type { AnswerFiles } from '../../core/content.ts';
import type { WorkspaceId } from '../../core/ids.ts';
import type { TurnDetails } from '../../core/turn-details.ts';

/** The id of a turn at the hub. Its answer is read with it. */
export type QueueId = string & { readonly brand: 'QueueId' };
export const queueId = (raw: string) => raw as QueueId;

export type QueueStatus = 'queued' | 'dispatched' | 'completed' | 'failed' | 'dropped';
export type SettledStatus = Exclude<QueueStatus, 'queued' | 'dispatched'>;

/** One part of a message. A `text` part has its text. Other parts keep the fields that they came with. */
interface MessagePart {
  readonly kind: string;
  readonly text?: string;
  readonly [field: string]: unknown;
}

/** A message from one workspace to another. Fields that the hub does not use are kept unchanged. */
export interface HubMessage {
  readonly role: string;
  readonly messageId: string;
  readonly parts: readonly MessagePart[];
  /** The conversation that it belongs to. */
  readonly contextId?: string;
  /** The turns that it answers. */
  readonly referenceTaskIds?: readonly string[];
  readonly [field: string]: unknown;
}

/** A message with the sender's metadata. */
export interface TurnContent {
  readonly message: HubMessage;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Only from the bridge in this process: it names files here. */
  readonly details?: TurnDetails;
  readonly [field: string]: unknown;
}

/** The sender's id of a request. It is returned with the answer. */
export type RequestId = string | number | null;

export type FailureReason =
  | 'failed'
  | 'timed_out'
  | 'cancelled'
  /** The process died while the agent worked. */
  | 'interrupted'
  | 'removed'
  | 'expired'
  | 'unanswered';

/**
 * How a turn ended. `detail` is one plain sentence for the person in the chat. `agent` is the name of the
 * agent that failed, if the hub ran it itself.
 */
export type TurnOutcome =
  | {
      readonly kind: 'answered';
      readonly message: HubMessage;
      /** Only from a program that the hub runs: files on this machine, for the bridge in this process. */
      readonly attached?: AnswerFiles;
      /** The answer may be incomplete. One plain sentence that says so. */
      readonly warning?: string;
    }
  | {
      readonly kind: 'failed';
      readonly reason: FailureReason;
      readonly detail: string;
      readonly agent?: string;
      /** Of its program, if that ended with one. */
      readonly exitCode?: number;
      /** The last words of its program, for whoever looks after the bridge. */
      readonly lastWords?: string;
      /** Somebody has to log in on this machine, with this command if it is known. */
      readonly login?: { readonly command?: string };
    };

/** A turn as the hub stores it. */
export interface QueueItem {
  readonly queueId: QueueId;
  readonly target: WorkspaceId;
  readonly source: WorkspaceId;
  readonly status: QueueStatus;
  readonly attempts: number;
  readonly lastError: string | undefined;
  readonly enqueuedAtMs: number;
  readonly dispatchedAtMs: number | undefined;
  readonly completedAtMs: number | undefined;
  readonly expiresAtMs: number | undefined;
  readonly requestId: RequestId;
  /** Undefined until the turn is settled. */
  readonly outcome: TurnOutcome | undefined;
}

/** Apart from `QueueItem`, so that nobody reads a message to find out how its turn stands. */
export interface ItemToRun extends QueueItem {
  readonly content: TurnContent;
}
