/** A turn's A2A message: brought into one form, and read for the agent that answers it. */
import { randomUUID } from 'node:crypto';
import { BRANDS, type Brand } from '../../../core/brand.ts';
import { headOf } from '../../../core/cut.ts';
import { withoutHeader } from '../../../wire/lark-context.ts';
import type { QueueItem } from '../../ports.ts';
import type { LarkContext } from '../../../core/message.ts';
import type { A2aRequest } from './schemas.ts';
import type { AgentTurn } from '../../../agents/runtime.ts';

export type A2aMessage = A2aRequest['params']['message'];

const SUMMARY_CHARS_MAX = 200;

/** SQLite would cut a text at U+0000. JSON texts need no care: there it is written as an escape. */
export function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}

/**
 * What older and lazier clients leave out or call otherwise, put right (MOL-A2A-03): the envelope, the
 * message id, the role, `type` for `kind`, and the one `content` text that parts were before version 0.3.
 */
export function normalizeRequest(body: unknown): unknown {
  if (!isRecord(body)) return body;
  const { params: given = body['message'] === undefined ? undefined : body, ...envelope } = body;
  if (!isRecord(given) || !isRecord(given['message'])) {
    return { method: 'message/send', id: randomUUID(), ...body, jsonrpc: '2.0' };
  }
  const { content, ...message } = given['message'];
  const parts = message['parts'] ?? partsOfContent(content);
  return {
    method: 'message/send',
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

export function textOf(message: A2aMessage): string {
  return message.parts
    .flatMap((part) => (part.kind === 'text' && part.text !== undefined ? [part.text] : []))
    .join('\n');
}

export function summaryOf(message: A2aMessage): string {
  return storable(headOf(textOf(message), { chars: SUMMARY_CHARS_MAX }));
}

/** Messages with the same lane are answered in the order in which they came. */
export function laneOf({ params }: A2aRequest, otherwise: string): string {
  const chat = params.metadata?.['chat_id'];
  return storable(params.message.contextId ?? (typeof chat === 'string' ? chat : otherwise));
}

/** A stored request was judged when it came and is trusted here. */
export function requestOf(item: QueueItem): A2aRequest {
  return JSON.parse(item.requestBody) as A2aRequest;
}

export function agentTurnOf(item: QueueItem, { params }: A2aRequest): AgentTurn {
  return {
    turnId: item.queueId,
    text: withoutHeader(textOf(params.message)),
    lark: larkContextOf(params.metadata),
  };
}

/** `undefined` for a message that does not say that it comes from Lark. */
export function larkContextOf(
  metadata: Readonly<Record<string, unknown>> | undefined,
): LarkContext | undefined {
  const text = (key: string) => {
    const value = metadata?.[key];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const brand = text('brand');
  const chatId = text('chat_id');
  const chatType = text('chat_type');
  const senderOpenId = text('sender_open_id');
  const messageId = text('message_id');
  if (chatId === undefined || senderOpenId === undefined || messageId === undefined) {
    return undefined;
  }
  if (!isBrand(brand) || (chatType !== 'p2p' && chatType !== 'group')) return undefined;
  const threadId = text('thread_id');
  const parentId = text('parent_id');
  return {
    brand,
    chatId,
    chatType,
    senderOpenId,
    messageId,
    ...(threadId === undefined ? {} : { threadId }),
    ...(parentId === undefined ? {} : { parentId }),
  };
}

function isBrand(value: string | undefined): value is Brand {
  return BRANDS.some((brand) => brand === value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
