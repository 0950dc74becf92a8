/** Turns as JSON-RPC carries them: requests of older and lazier clients put right, and answers as bodies. */
import { randomUUID } from 'node:crypto';
import type { QueueItem, RequestId, TurnContent, TurnOutcome } from '../../ports.ts';

export const METHOD = 'message/send';
export const METHOD_NOT_FOUND = -32_601;
/** JSON-RPC's range for errors of the server's own. */
const SERVER_ERROR = -32_000;

/**
 * What older and lazier clients leave out or call otherwise, put right (MOL-A2A-03): the envelope, the
 * message id, the role, `type` for `kind`, and the one `content` text that parts were before version 0.3.
 */
export function normalizeRequest(body: unknown): unknown {
  if (!isRecord(body)) return body;
  const { params: given = body['message'] === undefined ? undefined : body, ...envelope } = body;
  if (!isRecord(given) || !isRecord(given['message'])) {
    return { method: METHOD, id: randomUUID(), ...body, jsonrpc: '2.0' };
  }
  const { content, ...message } = given['message'];
  const parts = message['parts'] ?? partsOfContent(content);
  return {
    method: METHOD,
    id: randomUUID(),
    ...(given === body ? {} : envelope),
    jsonrpc: '2.0',
    params: {
      ...given,
      message: {
        role: 'user',
        messageId: randomUUID(),
        ...message,
        ...(Array.isArray(parts) ? { parts: parts.map(partOf) } : {}),
      },
    },
  };
}

function partsOfContent(content: unknown): unknown {
  return typeof content === 'string' ? [{ kind: 'text', text: content }] : content;
}

function partOf(part: unknown): unknown {
  if (!isRecord(part) || part['kind'] !== undefined) return part;
  const { type, ...rest } = part;
  return type === undefined ? part : { kind: type, ...rest };
}

/** The request that brought a message, for a target that reads its inbox. */
export function requestBody(id: RequestId, content: TurnContent): object {
  return { jsonrpc: '2.0', id, method: METHOD, params: content };
}

/** What is shown for a settled item; `undefined` while it is not. */
export function responseBody(item: QueueItem, id: RequestId): object | undefined {
  return item.outcome && { jsonrpc: '2.0', id, ...resultOf(item.outcome) };
}

function resultOf(outcome: TurnOutcome): object {
  if (outcome.kind === 'answered') return { result: outcome.message };
  const { kind: _kind, detail: message, ...data } = outcome;
  return { error: { code: SERVER_ERROR, message, data } };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
