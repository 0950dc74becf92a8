/** The A2A envelope on the platform's wire, both ways (rows MOL-A2A, MOL-RES). Pure. */
import { withHeader } from '../core/header.ts';
import type { SendResult, TurnAnswer, TurnRequest, WaitResult } from '../core/ports.ts';
import type { HttpResult } from './http.ts';

const BUSY_RETRY_MS = 5_000;
/** Agents put this before what went wrong (MOL-RES-02). */
const AGENT_ERROR = 'Agent error:';

type Json = Readonly<Record<string, unknown>>;

export function sendBody(turn: TurnRequest): Json {
  const { context } = turn;
  return {
    jsonrpc: '2.0',
    id: turn.messageId,
    method: 'message/send',
    params: {
      message: {
        kind: 'message',
        role: 'user',
        messageId: turn.messageId,
        // One conversation a chat, so that the hub keeps its turns in order.
        contextId: context.chatId,
        parts: [{ kind: 'text', text: withHeader(context, turn.text) }],
      },
      metadata: {
        source: 'lark',
        brand: context.brand,
        chat_id: context.chatId,
        chat_type: context.chatType,
        sender_open_id: context.senderOpenId,
        message_id: context.messageId,
        ...(context.threadId === undefined ? {} : { thread_id: context.threadId }),
        ...(context.parentId === undefined ? {} : { parent_id: context.parentId }),
      },
    },
  };
}

/** What an answer to a send means, in the order of MOL-RES-07. Never throws. */
export function parseSend(result: HttpResult): SendResult {
  if (result.kind === 'not_sent') return { kind: 'unreachable', detail: result.detail };
  if (result.kind === 'no_answer') return { kind: 'unknown', detail: result.detail };
  const { status } = result;
  const body = asObject(result.body);
  if (status >= 200 && status < 300) return parseTaken(body);
  return parseRefusal(status, body, result.retryAfterSecs);
}

function parseTaken(body: Json | undefined): SendResult {
  if (body === undefined)
    return { kind: 'unknown', detail: 'the hub answered without a JSON body' };
  const ticket = body['queue_id'];
  if (typeof ticket === 'string' && ticket !== '') return { kind: 'accepted', ticket };
  if (body['queued'] === true || body['status'] === 'queued') {
    return { kind: 'accepted_uncorrelated' };
  }
  return parseAnswer(body) ?? { kind: 'unknown', detail: 'the hub answered in an unknown form' };
}

function parseRefusal(
  status: number,
  body: Json | undefined,
  retryAfterSecs: number | undefined,
): SendResult {
  const detail = typeof body?.['error'] === 'string' ? body['error'] : `HTTP ${status}`;
  if (status === 502 && body?.['delivery_confirmed'] === true) {
    // The agent has it; only its answer was lost (MOL-RES-10). Never sent again.
    return { kind: 'unknown', detail };
  }
  if (status === 429 || status === 502 || status === 503 || status === 504) {
    const bodySecs = Number(body?.['retry_after']);
    const secs = retryAfterSecs ?? (Number.isFinite(bodySecs) ? bodySecs : undefined);
    return {
      kind: 'busy',
      retryAfterMs: secs === undefined ? BUSY_RETRY_MS : secs * 1000,
      detail,
    };
  }
  if (status >= 500) return { kind: 'unknown', detail };
  return { kind: 'refused', detail };
}

/** What a look at a queue item means. Never throws. */
export function parseWait(result: HttpResult): WaitResult {
  if (result.kind !== 'answer') return { kind: 'unreachable', detail: result.detail };
  const body = asObject(result.body);
  const { status } = result;
  if (status === 404 && body?.['retryable'] === true) return { kind: 'pending' };
  if (status === 403 || status === 404 || status === 410) {
    return { kind: 'lost', detail: `the hub does not know this turn (HTTP ${status})` };
  }
  if (status !== 200 || body === undefined) {
    return { kind: 'unreachable', detail: `HTTP ${status}` };
  }
  switch (body['status']) {
    case 'queued':
    case 'dispatched':
      return { kind: 'pending' };
    case 'completed':
    case 'failed':
    case 'dropped':
      return settled(body);
    default:
      return { kind: 'unreachable', detail: 'the hub answered in an unknown form' };
  }
}

function settled(item: Json): TurnAnswer {
  const answer = parseAnswer(responseBody(item['response_body']));
  if (answer !== undefined && (item['status'] === 'completed' || answer.kind === 'failed')) {
    return answer;
  }
  const reason = item['last_error'];
  return {
    kind: 'failed',
    detail:
      typeof reason === 'string' && reason !== ''
        ? reason
        : `the turn was ${String(item['status'])}`,
  };
}

/** Old servers give the JSON bytes in base64 (MOL-RES-13). */
function responseBody(raw: unknown): Json | undefined {
  if (typeof raw !== 'string') return asObject(raw);
  for (const text of [raw, Buffer.from(raw, 'base64').toString('utf8')]) {
    try {
      return asObject(JSON.parse(text));
    } catch {
      // Not this form; the other one is tried.
    }
  }
  return undefined;
}

function parseAnswer(body: Json | undefined): TurnAnswer | undefined {
  const error = asObject(body?.['error']);
  if (error !== undefined) {
    const message =
      typeof error['message'] === 'string' ? error['message'] : 'it reported an error';
    const interrupted = asObject(error['data'])?.['reason'] === 'interrupted';
    return { kind: 'failed', detail: message, ...(interrupted ? { interrupted } : {}) };
  }
  const result = asObject(body?.['result']);
  if (result === undefined) return undefined;
  const text = textOf(result);
  return text.startsWith(AGENT_ERROR)
    ? { kind: 'failed', detail: text.slice(AGENT_ERROR.length).trim() }
    : { kind: 'answered', text };
}

/** A reply's text may be in three places (MOL-RES-01). */
function textOf(result: Json): string {
  const status = asObject(asObject(result['status'])?.['message']);
  const artifacts = Array.isArray(result['artifacts']) ? result['artifacts'] : [];
  const places: unknown[] = [
    result['parts'],
    status?.['parts'],
    artifacts.flatMap((artifact) => {
      const parts = asObject(artifact)?.['parts'];
      return Array.isArray(parts) ? (parts as unknown[]) : [];
    }),
  ];
  for (const parts of places) {
    const text = partsText(parts);
    if (text !== '') return text;
  }
  return '';
}

/** Text of a message that somebody sent us; the body may be JSON or its text (MOL-INB-08). */
export function messageTextOf(body: unknown): string {
  const request = typeof body === 'string' ? responseBody(body) : asObject(body);
  const params = asObject(request?.['params']);
  for (const parts of [
    asObject(params?.['message'])?.['parts'],
    params?.['parts'],
    request?.['parts'],
  ]) {
    const text = partsText(parts);
    if (text !== '') return text;
  }
  return '';
}

function partsText(parts: unknown): string {
  if (!Array.isArray(parts)) return '';
  return parts
    .map((part) => {
      const { kind, type, text } = asObject(part) ?? {};
      return (kind === 'text' || type === 'text') && typeof text === 'string' ? text : '';
    })
    .filter((text) => text !== '')
    .join('\n');
}

function asObject(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Json)
    : undefined;
}
