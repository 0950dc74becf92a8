/** The A2A envelope on the platform's wire, both ways (rows MOL-A2A, MOL-RES). Pure. */
import { larkMetadata, withHeader } from '../wire/lark-context.ts';
import { saidBy } from '../wire/agent-text.ts';
import { withoutOwnMark } from '../wire/reply-token.ts';
import type { HttpAnswer, HttpResult } from '../net/http.ts';
import { describe, isFromElsewhere } from './answers.ts';
import { fileNamesOf } from '../wire/files.ts';
import { asObject, type Json } from '../core/json-object.ts';
import type {
  SendResult,
  TurnAnswer,
  TurnQuestion,
  TurnRequest,
  WaitResult,
} from '../bridge/ports.ts';

/** How long a message waits for its next try when the operator has to put something right first. */
const HUB_OPERATOR_WAIT_MS = 30_000;
/** Whatever a hub says about when to come back, a person waits for it. */
const HUB_RETRY_AFTER_MAX_MS = 5 * 60_000;

const BUSY_RETRY_MS = 5_000;
/** As the embedded hub names its agents; anything else is not shown to an operator as a name. */
const AGENT_NAME = /^[a-z0-9-]{1,40}$/;

/** The states that mean something to a turn (MOL-RES-16); in every other one the task is still at work. */
const STATES: Readonly<Record<string, 'answered' | 'failed' | 'question'>> = {
  completed: 'answered',
  failed: 'failed',
  canceled: 'failed',
  rejected: 'failed',
  'input-required': 'question',
  'auth-required': 'question',
};

/** What a target said about a turn. */
export type Outcome =
  | TurnAnswer
  | TurnQuestion
  /** Its task is at work. Whatever text came with that is no answer. */
  | { readonly kind: 'unfinished' };

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
function userMessage({ messageId, text, context, reply }: TurnRequest): Json {
  return {
    kind: 'message',
    role: 'user',
    messageId,
    // One conversation a chat, so that the hub keeps its turns in order.
    contextId: context.chatId,
    parts: [{ kind: 'text', text: withHeader(context, text, reply) }],
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
  const outcome = parseOutcome(body);
  // The answer will come, but nothing says under which name.
  if (outcome?.kind === 'unfinished') return { kind: 'accepted_uncorrelated' };
  return (
    outcome ?? {
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

function settled(item: Json): Outcome {
  const { status, last_error: reason } = item;
  const outcome = parseOutcome(responseBody(item['response_body']));
  if (outcome !== undefined && (status === 'completed' || outcome.kind === 'failed')) {
    return outcome;
  }
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

/** What a JSON-RPC response says about its turn; undefined if it says nothing. */
export function parseOutcome(body: Json | undefined): Outcome | undefined {
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
  const holder = unwrapped(result);
  const text = withoutOwnMark(textOf(holder));
  return outcomeOf({ state: stateOf(holder), text, files: filesOf(holder) });
}

interface Said {
  /** Of the task, in the words of A2A 0.3; undefined if no task is told of. */
  readonly state: string | undefined;
  readonly text: string;
  readonly files: readonly string[];
}

function outcomeOf({ state, text, files }: Said): Outcome {
  const meaning = state === undefined ? 'answered' : (STATES[state] ?? 'unfinished');
  const more = files.length === 0 ? {} : { files };
  switch (meaning) {
    case 'unfinished':
      return { kind: 'unfinished' };
    case 'question': {
      const wants = state === 'auth-required' ? 'sign_in' : 'input';
      return { kind: 'question', wants, text, ...more };
    }
    case 'failed': {
      const said = saidBy(text);
      if (said.kind === 'failed') return said;
      return { kind: 'failed', detail: text === '' ? `its task ended as ${state}` : text };
    }
    case 'answered': {
      const said = saidBy(text);
      return said.kind === 'failed' ? said : { ...said, ...more };
    }
  }
}

/** A2A 1.0 names the kind of a result where 0.3 says it in a field. */
function unwrapped(result: Json): Json {
  return (
    asObject(result['task']) ??
    asObject(result['statusUpdate']) ??
    (result['parts'] === undefined ? asObject(result['message']) : undefined) ??
    result
  );
}

/** `TASK_STATE_INPUT_REQUIRED` of A2A 1.0 is `input-required` of 0.3. */
function stateOf(holder: Json | undefined): string | undefined {
  const state = asObject(holder?.['status'])?.['state'];
  if (typeof state !== 'string') return undefined;
  return state
    .toLowerCase()
    .replace(/^task_state_/, '')
    .replaceAll('_', '-');
}

/** A reply's text may be in three places (MOL-RES-01), and this is their order (MOL-SOCK-06). */
function placesIn(result: Json): unknown[] {
  const status = asObject(asObject(result['status'])?.['message']);
  const artifacts = Array.isArray(result['artifacts']) ? result['artifacts'] : [];
  return [
    status?.['parts'],
    result['parts'],
    artifacts.flatMap((artifact) => {
      const parts = asObject(artifact)?.['parts'];
      return Array.isArray(parts) ? (parts as unknown[]) : [];
    }),
  ];
}

const textOf = (result: Json) => firstText(placesIn(result));

/** Of all places: a file in one is not said again in another. */
const filesOf = (result: Json) => fileNamesOf(placesIn(result).flat());

function firstText(places: readonly unknown[]): string {
  for (const parts of places) {
    const text = partsText(parts);
    if (text !== '') return text;
  }
  return '';
}

/** A message that somebody sent us; the body may be JSON or its text (MOL-INB-08). */
export function messageOf(body: unknown): Said {
  const request = typeof body === 'string' ? responseBody(body) : asObject(body);
  const params = asObject(request?.['params']);
  const result = asObject(request?.['result']);
  // What tells of a task instead of saying something may lie in any of them.
  const holders = [asObject(params?.['message']), params, request, result]
    .flatMap((one) => [one, asObject(one?.['task']), asObject(one?.['statusUpdate'])])
    .filter((holder) => holder !== undefined);
  const places = [...holders.map((holder) => holder['parts']), ...holders.flatMap(placesIn)];
  return {
    state: holders.map(stateOf).find((state) => state !== undefined),
    text: firstText(places),
    files: fileNamesOf(places.flat()),
  };
}

/** What a message that somebody sent us says about a turn. */
export const outcomeOfMessage = outcomeOf;

function partsText(parts: unknown): string {
  if (!Array.isArray(parts)) return '';
  return parts
    .map((part) => {
      const { kind, type, text } = asObject(part) ?? {};
      return (kind ?? type ?? 'text') === 'text' && typeof text === 'string' ? text : '';
    })
    .filter((text) => text !== '')
    .join('\n');
}
