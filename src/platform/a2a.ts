/** The A2A envelope on the platform's wire, both ways (rows MOL-A2A, MOL-RES). Pure. */
import { larkMetadata, withHeader } from '../wire/lark-context.ts';
import type { HttpAnswer, HttpResult } from '../net/http.ts';
import { describe, isFromElsewhere } from './answers.ts';
import type { SendResult, TurnAnswer, TurnRequest, WaitResult } from '../bridge/ports.ts';

/** How long a message waits for its next try when the operator has to put something right first. */
const HUB_OPERATOR_WAIT_MS = 30_000;
/** Whatever a hub says about when to come back, a person waits for it. */
const HUB_RETRY_AFTER_MAX_MS = 5 * 60_000;

const BUSY_RETRY_MS = 5_000;
/** Agents put this before what went wrong (MOL-RES-02). */
const AGENT_ERROR = 'Agent error:';

/** As the embedded hub names its agents; anything else is not shown to an operator as a name. */
const AGENT_NAME = /^[a-z0-9-]{1,40}$/;

/** A task that ended like this has no answer, whatever text it left. */
const FAILED_STATES: ReadonlySet<string> = new Set(['failed', 'canceled', 'rejected']);

export type Json = Readonly<Record<string, unknown>>;

export function sendBody(turn: TurnRequest): Json {
  return messageSend(turn, larkMetadata(turn.context));
}

/** The request for a turn, with what its receiver wants to know beside the message. */
export function messageSend(turn: TurnRequest, metadata: Json): Json {
  return {
    jsonrpc: '2.0',
    id: turn.messageId,
    method: 'message/send',
    params: { message: userMessage(turn), metadata },
  };
}

/** What the person wrote, as a message to an agent. */
function userMessage({ messageId, text, context }: TurnRequest): Json {
  return {
    kind: 'message',
    role: 'user',
    messageId,
    // One conversation a chat, so that the hub keeps its turns in order.
    contextId: context.chatId,
    parts: [{ kind: 'text', text: withHeader(context, text) }],
  };
}

/** What an answer to a send means, in the order of MOL-RES-07. Never throws. */
export function parseSend(result: HttpResult): SendResult {
  if (result.kind === 'not_sent') return { kind: 'unreachable', detail: result.detail };
  if (result.kind === 'no_answer') return { kind: 'unknown', detail: result.detail };
  if (isFromElsewhere(result) || OPERATOR_STATUS.has(result.status)) {
    return { kind: 'busy', retryAfterMs: HUB_OPERATOR_WAIT_MS, detail: describe(result) };
  }
  if (result.status >= 200 && result.status < 300) return parseTaken(result);
  return parseRefusal(result);
}

function parseTaken(result: HttpAnswer): SendResult {
  const body = asObject(result.body);
  const inInbox = body?.['status'] === 'queued' && typeof body['delivery_mode'] === 'string';
  if (body?.['queued'] === true || inInbox) {
    const ticket = body['queue_id'];
    return typeof ticket === 'string' && ticket !== ''
      ? { kind: 'accepted', ticket }
      : { kind: 'accepted_uncorrelated' };
  }
  return (
    parseAnswer(body) ?? {
      kind: 'unknown',
      detail: `the hub gave an answer that it should not (${describe(result)})`,
    }
  );
}

/** What is said about a message that was not taken, where the hub's own word does not say enough. */
const REFUSALS: Readonly<Record<number, string>> = {
  402: 'the budget of the workspace is used up',
  413: 'it is too large for the hub',
};

/** Nothing was delivered: the operator has to put something right, and then the same message goes out. */
const OPERATOR_STATUS: ReadonlySet<number> = new Set([401, 407, 421]);
/** Nothing was delivered, and it passes. */
const PASSING_STATUS: ReadonlySet<number> = new Set([408, 425, 429, 502, 503]);

function parseRefusal(result: HttpAnswer): SendResult {
  const { status, form, retryAfterSecs } = result;
  const body = asObject(result.body);
  const said = typeof body?.['error'] === 'string' ? body['error'] : '';
  const detail = said === '' ? describe(result) : said;
  if (status === 502 && (form !== 'json' || body?.['delivery_confirmed'] === true)) {
    // The agent has it, or may have it; only its answer was lost (MOL-RES-10). Never sent again.
    return { kind: 'unknown', detail };
  }
  if (status === 502 && said.includes('not publicly routable')) return { kind: 'refused', detail };
  if (PASSING_STATUS.has(status)) {
    const waitSecs = retryAfterSecs ?? Number(body?.['retry_after'] ?? NaN);
    const waitMs = waitSecs >= 0 ? waitSecs * 1000 : BUSY_RETRY_MS;
    return { kind: 'busy', retryAfterMs: Math.min(waitMs, HUB_RETRY_AFTER_MAX_MS), detail };
  }
  if (status >= 500) return { kind: 'unknown', detail };
  return { kind: 'refused', detail: REFUSALS[status] ?? detail };
}

/** What a look at a queue item means. Never throws. */
export function parseWait(result: HttpResult): WaitResult {
  if (result.kind !== 'answer') return { kind: 'unreachable', detail: result.detail };
  const body = asObject(result.body);
  const { status } = result;
  if (status === 404 && body?.['retryable'] === true) return { kind: 'pending' };
  if (status === 403 || status === 410 || (status === 404 && !isFromElsewhere(result))) {
    return { kind: 'lost', detail: `the hub does not give this turn out (${describe(result)})` };
  }
  if (status !== 200 || body === undefined) {
    return { kind: 'unreachable', detail: describe(result) };
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
  const { status, last_error: reason } = item;
  const answer = parseAnswer(responseBody(item['response_body']));
  if (answer !== undefined && (status === 'completed' || answer.kind === 'failed')) return answer;
  if (status === 'completed') {
    return {
      kind: 'failed',
      detail: 'it answered, but the hub gave its answer in an unknown form',
    };
  }
  const isTold = typeof reason === 'string' && reason !== '';
  return { kind: 'failed', detail: isTold ? reason : `the turn was ${String(status)}` };
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

/** The answer in a JSON-RPC response; undefined if it holds none. */
export function parseAnswer(body: Json | undefined): TurnAnswer | undefined {
  const result = asObject(body?.['result']);
  const error = asObject(body?.['error']);
  if (result === undefined && error !== undefined) {
    const message =
      typeof error['message'] === 'string' ? error['message'] : 'it reported an error';
    const data = asObject(error['data']);
    const interrupted = data?.['reason'] === 'interrupted';
    const agent = data?.['agent'];
    return {
      kind: 'failed',
      detail: message,
      ...(interrupted ? { interrupted } : {}),
      ...(typeof agent === 'string' && AGENT_NAME.test(agent) ? { agent } : {}),
    };
  }
  if (result === undefined) return undefined;
  const text = textOf(result);
  const answer = answerOfText(text);
  if (answer.kind === 'failed') return answer;
  const state = asObject(result['status'])?.['state'];
  if (typeof state === 'string' && FAILED_STATES.has(state)) {
    return { kind: 'failed', detail: text === '' ? `its task ended as ${state}` : text };
  }
  return answer;
}

/** A text that says what went wrong is no answer (MOL-RES-02). */
export function answerOfText(text: string): TurnAnswer {
  return text.startsWith(AGENT_ERROR)
    ? { kind: 'failed', detail: text.slice(AGENT_ERROR.length).trim() }
    : { kind: 'answered', text };
}

/** A reply's text may be in three places (MOL-RES-01), and this is their order (MOL-SOCK-06). */
function textOf(result: Json): string {
  const status = asObject(asObject(result['status'])?.['message']);
  const artifacts = Array.isArray(result['artifacts']) ? result['artifacts'] : [];
  const places: unknown[] = [
    status?.['parts'],
    result['parts'],
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

export function asObject(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Json)
    : undefined;
}
