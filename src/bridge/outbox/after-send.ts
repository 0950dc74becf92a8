/** What becomes of a row after a try to send it: a pure decision, by what Lark said. */
import { backoffMs } from '../../time/backoff.ts';
import type { InboundMessage } from '../../core/message.ts';
import type { OutboxDraft, OutboxRow, Placement } from '../../core/turn.ts';
import { outKey } from './keys.ts';
import { splitText, withQuote } from './render.ts';
import { notices } from './texts.ts';
import type { DeliveryResult, OutboxChange } from '../ports.ts';

/** A send that Lark or the network refused is tried again after this, doubling up to the maximum. */
const OUT_BACKOFF_BASE_MS = 1_000;
export const OUT_BACKOFF_MAX_MS = 60_000;
/** A missing permission is rarely granted within minutes, and each try costs a call of the quota. */
const OUT_OPERATOR_WAIT_MS = 10 * 60_000;
/** What Lark did not take for a day is a dead letter. */
const OUT_KEEP_TRYING_MS = 24 * 60 * 60 * 1000;
/** A sign of receipt that comes later than this tells nobody anything. */
const RECEIPT_USEFUL_MS = 10_000;

export interface Try {
  readonly nowMs: number;
  readonly random: number;
  /** The message that the row answers, for a quote. */
  readonly asked: InboundMessage | undefined;
}

export function afterTry(row: OutboxRow, result: DeliveryResult, at: Try): OutboxChange {
  const attempts = row.attempts + 1;
  if (result.ok) {
    return { state: { phase: 'sent', larkId: result.id, atMs: at.nowMs }, attempts };
  }
  const failed = { attempts, lastError: `${result.code ?? result.action}: ${result.detail}` };
  switch (result.action) {
    case 'wait':
    case 'retry':
    case 'unknown':
    case 'tell_operator':
      return { ...later(row, result, at), ...failed };
    case 'split':
      return { ...split(row, at), ...failed };
    case 'fall_back_to_chat':
      return { ...replace(row, 'chat', at), ...failed };
    case 'fall_back_from_thread':
      return { ...replace(row, row.placement === 'thread' ? 'reply' : 'chat', at), ...failed };
    case 'fall_back_to_text':
      return { ...asText(row, at), ...failed };
    case 'give_up':
    case 'chat_dead':
      return { ...giveUp(row, result.action === 'give_up', at), ...failed };
  }
}

/** True for a row that is not worth a call any more. */
export function isPointless(row: OutboxRow, nowMs: number): boolean {
  return (
    row.body.kind === 'react' &&
    row.triedAtMs === undefined &&
    nowMs - row.createdAtMs > RECEIPT_USEFUL_MS
  );
}

function later(
  row: OutboxRow,
  result: Extract<DeliveryResult, { ok: false }>,
  { nowMs, random }: Try,
): OutboxChange {
  if (nowMs - (row.replayedAtMs ?? row.createdAtMs) > OUT_KEEP_TRYING_MS)
    return { state: { phase: 'dead', atMs: nowMs } };
  const waitMs =
    result.retryAfterMs ??
    (result.action === 'tell_operator'
      ? OUT_OPERATOR_WAIT_MS
      : backoffMs(row.attempts + 1, {
          baseMs: OUT_BACKOFF_BASE_MS,
          maxMs: OUT_BACKOFF_MAX_MS,
          random,
        }));
  return { state: { phase: 'pending', dueAtMs: nowMs + waitMs } };
}

/** New content needs a new key: Lark takes the old one for the old content. */
function successor(row: OutboxRow, nowMs: number, change: Partial<OutboxDraft> & { how: string }) {
  const { how, ...changed } = change;
  return {
    key: outKey(row.key, how),
    lane: row.lane,
    turn: row.turn,
    chatId: row.chatId,
    replyTo: row.replyTo,
    placement: row.placement,
    priority: row.priority,
    body: row.body,
    // What takes another's place is not tried longer than that one would have been.
    createdAtMs: row.replayedAtMs ?? row.createdAtMs,
    dueAtMs: nowMs,
    ...changed,
  } satisfies OutboxDraft;
}

function split(row: OutboxRow, at: Try): OutboxChange {
  const { body } = row;
  if (body.kind !== 'text') return giveUp(row, true, at);
  const pieces = splitText(body.text, Math.ceil(new TextEncoder().encode(body.text).length / 2));
  if (pieces.length < 2) return giveUp(row, true, at);
  return {
    state: { phase: 'dropped' },
    out: pieces.map((text, part) =>
      successor(row, at.nowMs, { how: `part:${part}`, body: { kind: 'text', text } }),
    ),
  };
}

function replace(row: OutboxRow, placement: Placement, at: Try): OutboxChange {
  const { body } = row;
  if (body.kind === 'react' || body.kind === 'unreact') return { state: { phase: 'dropped' } };
  if (row.placement === 'chat') return giveUp(row, true, at);
  const quoted = placement === 'chat' ? { ...body, text: withQuote(body.text, at.asked) } : body;
  return {
    state: { phase: 'dropped' },
    out: [successor(row, at.nowMs, { how: placement, placement, body: quoted })],
  };
}

function asText(row: OutboxRow, at: Try): OutboxChange {
  const { body } = row;
  if (body.kind !== 'choice') return giveUp(row, true, at);
  return {
    state: { phase: 'dropped' },
    out: [successor(row, at.nowMs, { how: 'text', body: { kind: 'text', text: body.text } })],
  };
}

function giveUp(row: OutboxRow, tell: boolean, { nowMs }: Try): OutboxChange {
  if (row.priority === 'reaction') return { state: { phase: 'dropped' } };
  const notice = notices.undeliverable();
  return {
    state: { phase: 'dead', atMs: nowMs },
    out:
      tell && row.priority === 'answer'
        ? [
            successor(row, nowMs, {
              how: 'undeliverable',
              priority: 'notice',
              body: { kind: 'text', text: notice.text },
            }),
          ]
        : [],
  };
}
