/** How turns end. */
import { randomUUID } from 'node:crypto';
import type {
  FailureReason,
  HubMessage,
  SettledStatus,
  Settlement,
  TurnContent,
} from '../ports.ts';
import { storable } from '../../core/storable.ts';

/** The status of the item of a turn that ended without an answer. */
const STATUS = {
  failed: 'failed',
  timed_out: 'failed',
  cancelled: 'dropped',
  interrupted: 'failed',
  removed: 'dropped',
  expired: 'dropped',
  unanswered: 'dropped',
} as const satisfies Record<FailureReason, SettledStatus>;

/** `detail` is one plain sentence for the person in the chat; `agent` names the agent that failed. */
export function failure(
  reason: FailureReason,
  detail: string,
  atMs: number,
  agent?: string,
): Settlement {
  const stored = storable(detail);
  return {
    status: STATUS[reason],
    outcome: { kind: 'failed', reason, detail: stored, ...(agent !== undefined && { agent }) },
    lastError: stored,
    atMs,
  };
}

/** The answer of an agent that the hub runs. */
export function success(text: string, contextId: string | undefined, atMs: number): Settlement {
  return answered(
    {
      kind: 'message',
      role: 'agent',
      messageId: randomUUID(),
      ...(contextId === undefined ? {} : { contextId }),
      parts: [{ kind: 'text', text }],
    },
    atMs,
  );
}

/** The answer that another workspace sent. */
export function answerOf({ message }: TurnContent, atMs: number): Settlement {
  return answered({ ...message, kind: 'message', role: 'agent' }, atMs);
}

function answered(message: HubMessage, atMs: number): Settlement {
  return {
    status: 'completed',
    outcome: { kind: 'answered', message },
    lastError: undefined,
    atMs,
  };
}
