/** How turns end, as JSON-RPC bodies. The request's id is put in when a body is shown. */
import { randomUUID } from 'node:crypto';
import type { QueueItem, SettledStatus, Settlement } from '../ports.ts';
import { storable, type A2aMessage } from '../surfaces/turn-contract/a2a-message.ts';

/** Why a turn has no answer, in `error.data.reason`, and how its item ends. */
const REASONS = {
  failed: 'failed',
  timed_out: 'failed',
  cancelled: 'dropped',
  /** The process died while the agent was at work. */
  interrupted: 'failed',
  removed: 'dropped',
  expired: 'dropped',
  unanswered: 'dropped',
} as const satisfies Record<string, SettledStatus>;

export type FailureReason = keyof typeof REASONS;

/** JSON-RPC's range for errors of the server's own. */
const SERVER_ERROR = -32_000;

/** `detail` is one plain sentence for the person in the chat; `agent` is the name of the one that failed, for the operator. */
export function failure(
  reason: FailureReason,
  detail: string,
  atMs: number,
  agent?: string,
): Settlement {
  const message = storable(detail);
  const data = { reason, ...(agent !== undefined && { agent }) };
  const error = { code: SERVER_ERROR, message, data };
  return {
    status: REASONS[reason],
    responseBody: JSON.stringify({ jsonrpc: '2.0', error }),
    lastError: message,
    atMs,
  };
}

export function success(text: string, contextId: string | undefined, atMs: number): Settlement {
  const result = {
    kind: 'message',
    role: 'agent',
    messageId: randomUUID(),
    ...(contextId === undefined ? {} : { contextId }),
    parts: [{ kind: 'text', text }],
  };
  const responseBody = JSON.stringify({ jsonrpc: '2.0', result });
  return { status: 'completed', responseBody, lastError: undefined, atMs };
}

/** The body that completes an item with what another workspace sent as its answer. */
export function answerBodyOf(message: A2aMessage): string {
  return JSON.stringify({
    jsonrpc: '2.0',
    result: { ...message, kind: 'message', role: 'agent' },
  });
}

/** What is shown for a settled item; `undefined` while it is not. */
export function responseOf(item: QueueItem, requestId: unknown): object | undefined {
  if (item.responseBody === undefined) return undefined;
  const { jsonrpc, ...rest } = JSON.parse(item.responseBody) as { readonly jsonrpc: '2.0' };
  return { jsonrpc, id: requestId, ...rest };
}
