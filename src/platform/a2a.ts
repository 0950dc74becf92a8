/** Writes and reads the platform's A2A messages (rows MOL-A2A, MOL-RES). Pure. */
import { larkMetadata, withHeader } from '../wire/lark-context.ts';
import { saidBy } from '../wire/agent-text.ts';
import { saidMetadata } from '../wire/said-metadata.ts';
import { withoutOwnMark } from '../wire/reply-token.ts';
import type { HttpAnswer, HttpResult } from '../net/http.ts';
import { describe, isFromElsewhere } from './answers.ts';
import { fileNamesOf } from '../wire/files.ts';
import { textOfParts } from '../wire/text-parts.ts';
import { asObject, type Json } from '../core/json-object.ts';
import type {
  SendResult,
  TurnAnswer,
  TurnQuestion,
  TurnRequest,
  WaitResult,
} from '../bridge/ports/target.ts';
import { failureSentence } from '../wire/failure-sentences.ts';

/** The pause before a message is tried again whose refusal the operator has to repair first. */
const HUB_OPERATOR_WAIT_MS = 30_000;
/** The longest pause that is kept when a hub asks for one, because a person waits. */
const HUB_RETRY_AFTER_MAX_MS = 5 * 60_000;

const BUSY_RETRY_MS = 5_000;
/** A name as the embedded hub gives it to its agents. Other names are not shown to an operator. */
const AGENT_NAME = /^[a-z0-9-]{1,40}$/;

/** The states in which a turn ends or asks (MOL-RES-16). In every other state the task is still running. */
const STATES: Readonly<Record<string, 'answered' | 'failed' | 'question'>> = {
  completed: 'answered',
  failed: 'failed',
  canceled: 'failed',
  rejected: 'failed',
  'input-required': 'question',
  'auth-required': 'question',
};

/** What a target answered about a turn. */
type Outcome =
  | TurnAnswer
  | TurnQuestion
  /** Its task is still running. A text that came with that is not the answer. */
  | { readonly kind: 'unfinished' };

export function sendBody(turn: TurnRequest): Json {
  return messageSend(turn, { ...larkMetadata(turn.context), ...saidMetadata(turn.details) });
}

/** The request for a turn, with metadata for its receiver. */
export function messageSend(turn: TurnRequest, metadata: Json): Json {
  return {
    jsonrpc: '2.0',
    id: turn.messageId,
    method: 'message/send',
    params: { message: userMessage(turn), metadata },
  };
}

/** A person's message, as a message to an agent. */
function userMessage({ messageId, text, context, reply }: TurnRequest): Json {
  return {
    kind: 'message',
    role: 'user',
    messageId,
    // One conversation for each chat, so that the hub keeps its turns in order.
    contextId: context.chatId,
    parts: [{ kind: 'text', text: withHeader(context, text, reply) }],
  };
}

/** The meaning of an answer to a send, in the order of MOL-RES-07. Never throws. */
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
  // The answer will come, but without the id of its request.
  if (outcome?.kind === 'unfinished') return { kind: 'accepted_uncorrelated' };
  return (
    outcome ?? {
      kind: 'unknown',
      detail: `the hub gave an answer that it should not (${describe(result)})`,
    }
  );
}

/** Explains why a message was not taken, if the hub's own text does not say enough. */
const REFUSALS: Readonly<Record<number, string>> = {
  402: failureSentence('budget_used_up'),
  413: failureSentence('too_large_for_hub'),
};

/** Nothing was delivered. The operator has to repair something, and then the same message is sent. */
const OPERATOR_STATUS: ReadonlySet<number> = new Set([401, 407, 421]);
/** Nothing was delivered, and the problem passes by itself. */
const PASSING_STATUS: ReadonlySet<number> = new Set([408, 425, 429, 502, 503]);

function parseRefusal(result: HttpAnswer): SendResult {
  const { status, form, retryAfterSecs } = result;
  const body = asObject(result.body);
  const said = typeof body?.['error'] === 'string' ? body['error'] : '';
  const detail = said === '' ? describe(result) : said;
  if (status === 502 && (form !== 'json' || body?.['delivery_confirmed'] === true)) {
    // The agent has it, or may have it: only its answer was lost (MOL-RES-10). Never sent again.
    return { kind: 'unknown', detail };
  }
  if (status === 502 && said.includes('not publicly routable')) return { kind: 'refused', detail };
  if (PASSING_STATUS.has(status)) {
    const waitSecs = retryAfterSecs ?? Number(body?.['retry_after'] ?? NaN);
    const waitMs = waitSecs >= 0 ? waitSecs * 1000 : BUSY_RETRY_MS;
    return { kind: 'busy', retryAfterMs: Math.min(waitMs, HUB_RETRY_AFTER_MAX_MS), detail };
  }
  // With 507 the hub has no room to store it.
  if (status >= 500 && status !== 507) return { kind: 'unknown', detail };
  return { kind: 'refused', detail: REFUSALS[status] ?? detail };
}

/** The meaning of an answer about a queue item. Never throws. */
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
      detail: failureSentence('hub_answer_unknown'),
    };
  }
  const hasReason = typeof reason === 'string' && reason !== '';
  return {
    kind: 'failed',
    detail: hasReason ? reason : failureSentence('turn_ended', String(status)),
  };
}

/** Old servers write the JSON in base64 (MOL-RES-13). */
function responseBody(raw: unknown): Json | undefined {
  if (typeof raw !== 'string') return asObject(raw);
  for (const text of [raw, Buffer.from(raw, 'base64').toString('utf8')]) {
    try {
      return asObject(JSON.parse(text));
    } catch {
      // It is not base64. The other form is tried.
    }
  }
  return undefined;
}

/** What a JSON-RPC response says about its turn. Undefined if it says nothing. */
export function parseOutcome(body: Json | undefined): Outcome | undefined {
  const result = asObject(body?.['result']);
  const error = asObject(body?.['error']);
  if (result === undefined && error !== undefined) {
    const message =
      typeof error['message'] === 'string' ? error['message'] : failureSentence('told_error');
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
  /** The state of the task, as A2A 0.3 names it. Undefined if there is no task. */
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
      return { kind: 'failed', detail: text === '' ? failureSentence('task_ended', state) : text };
    }
    case 'answered': {
      const said = saidBy(text);
      return said.kind === 'failed' ? said : { ...said, ...more };
    }
  }
}

/** A2A 1.0 names the kind of a result. A2A 0.3 writes it into a field. */
function unwrapped(result: Json): Json {
  return (
    asObject(result['task']) ??
    asObject(result['statusUpdate']) ??
    (result['parts'] === undefined ? asObject(result['message']) : undefined) ??
    result
  );
}

/** Makes `input-required` of 0.3 from `TASK_STATE_INPUT_REQUIRED` of A2A 1.0. */
function stateOf(holder: Json | undefined): string | undefined {
  const state = asObject(holder?.['status'])?.['state'];
  if (typeof state !== 'string') return undefined;
  return state
    .toLowerCase()
    .replace(/^task_state_/, '')
    .replaceAll('_', '-');
}

/** A reply's text may be in three places (MOL-RES-01). They are read in this order (MOL-SOCK-06). */
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

/** The files of all places. A file that is in two places is named once. */
const filesOf = (result: Json) => fileNamesOf(placesIn(result).flat());

function firstText(places: readonly unknown[]): string {
  for (const parts of places) {
    const text = textOfParts(parts);
    if (text !== '') return text;
  }
  return '';
}

/** A message that somebody sent to us. The body may be JSON or the text of it (MOL-INB-08). */
export function messageOf(body: unknown): Said {
  const request = typeof body === 'string' ? responseBody(body) : asObject(body);
  const params = asObject(request?.['params']);
  const result = asObject(request?.['result']);
  // The state of a task may be in any of them.
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

/** What a message that somebody sent to us says about a turn. */
export const outcomeOfMessage = outcomeOf;
