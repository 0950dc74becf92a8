/** Turns as JSON-RPC: requests of older clients are completed, and answers become bodies. */
import { randomUUID } from 'node:crypto';
import { asObject } from '../../../core/json-object.ts';
import type { ReceivedTexts } from '../../ports/activity.ts';
import type { QueueItem, RequestId, TurnOutcome } from '../../ports/turns.ts';
import { objectText } from './raw-json.ts';

export const METHOD = 'message/send';
export const METHOD_NOT_FOUND = -32_601;
/** A code of the range that JSON-RPC leaves to the server. */
const SERVER_ERROR = -32_000;

/**
 * Adds what some clients leave out, and renames what older clients call differently (MOL-A2A-03): the
 * envelope, the message id, the role, `type` for `kind`, and the `content` text that was used instead of parts
 * before version 0.3.
 */
export function normalizeRequest(body: unknown): unknown {
  const sent = asObject(body);
  if (sent === undefined) return body;
  const { params = sent['message'] === undefined ? undefined : sent, ...envelope } = sent;
  const given = asObject(params);
  const message = asObject(given?.['message']);
  if (given === undefined || message === undefined) {
    return { method: METHOD, id: randomUUID(), ...sent, jsonrpc: '2.0' };
  }
  const { content, ...rest } = message;
  const parts = rest['parts'] ?? partsOfContent(content);
  return {
    method: METHOD,
    id: randomUUID(),
    ...(given === sent ? {} : envelope),
    jsonrpc: '2.0',
    params: {
      ...given,
      message: {
        role: 'user',
        messageId: randomUUID(),
        ...rest,
        ...(Array.isArray(parts) ? { parts: parts.map(partOf) } : {}),
      },
    },
  };
}

function partsOfContent(content: unknown): unknown {
  return typeof content === 'string' ? [{ kind: 'text', text: content }] : content;
}

function partOf(part: unknown): unknown {
  const given = asObject(part);
  if (given === undefined || given['kind'] !== undefined) return part;
  const { type, ...rest } = given;
  return type === undefined ? part : { kind: type, ...rest };
}

/** The request of a message as JSON, for a target that reads its inbox. */
export function requestText({ requestId, content }: ReceivedTexts): string {
  return objectText({ jsonrpc: '2.0', method: METHOD }, { id: requestId, params: content });
}

/** The response for a settled item. `undefined` if it is not settled. */
export function responseBody(item: QueueItem, id: RequestId): object | undefined {
  return item.outcome && { jsonrpc: '2.0', id, ...resultOf(item.outcome) };
}

function resultOf(outcome: TurnOutcome): object {
  if (outcome.kind === 'answered') return { result: outcome.message };
  // The sentence says the exit code too.
  const { kind: _kind, detail: message, exitCode: _exitCode, ...data } = outcome;
  return { error: { code: SERVER_ERROR, message, data } };
}
