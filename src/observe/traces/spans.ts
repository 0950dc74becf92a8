/** The history of one message as spans. It is made from the journal, so it is right even if a process died meanwhile. */
import type { OutboxRow } from '../../bridge/ports/outbox.ts';
import { kindOf } from './trace.ts';
import type { TurnLife, TurnRun } from '../../bridge/ports/journal-reader.ts';

/** A period of time. It contains no text of the chat. */
export interface SpanPlan {
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** What went wrong; undefined if nothing went wrong. */
  readonly error?: string;
  /** A call to another machine. */
  readonly outgoing?: true;
}

/** One message, or another run of it. The root span contains all others. */
export interface TracePlan {
  /** The same for every plan of the same run. */
  readonly id: string;
  readonly root: SpanPlan;
  readonly spans: readonly SpanPlan[];
}

/** `undefined` while the turn is not over, or something still has to be sent. */
export function traceOfLife(life: TurnLife): TracePlan | undefined {
  const { turn, admittedAtMs, endedAtMs } = life;
  const { state, message } = turn;
  const run = life.runs.at(-1);
  const isFirst = run === undefined || life.runs.length === 1;
  const startMs = isFirst ? turn.receivedAtMs : run.startedAtMs;
  const rows = life.out.filter(
    ({ priority, createdAtMs }) => priority !== 'reaction' && createdAtMs >= startMs,
  );
  if (endedAtMs === undefined && state.phase !== 'held') return undefined;
  if (rows.some((row) => row.state.phase === 'pending')) return undefined;
  const spans = [
    ...(isFirst ? spansBeforeRun(life, run) : []),
    ...(run === undefined ? [] : [turnSpan(run)]),
    ...rows.flatMap(rowSpans),
  ];
  const error = spans.find((span) => span.error !== undefined)?.error;
  const root: SpanPlan = {
    name: 'message',
    startMs,
    endMs: Math.max(endedAtMs ?? admittedAtMs, ...spans.map(({ endMs }) => endMs)),
    attributes: {
      'lark.app_id': message.appId,
      'lark.message_id': message.messageId,
      'lark.chat_id': message.chatId,
      'lark.chat_type': message.chatType,
      'lark_bridge.outcome': state.phase,
      'lark_bridge.run': turn.run,
    },
    ...(error !== undefined && { error }),
  };
  return { id: `${turn.id} ${turn.run}`, root, spans };
}

/** The time until the first run, or until an end without a run. */
function spansBeforeRun(life: TurnLife, run: TurnRun | undefined): SpanPlan[] {
  const { turn, admittedAtMs, endedAtMs } = life;
  const admit = spanOf('admit', [turn.receivedAtMs, admittedAtMs], {});
  const untilMs = run?.startedAtMs ?? endedAtMs;
  // A turn that ended at once without a run did not wait in the queue.
  const leastMs = run === undefined ? 1 : 0;
  return untilMs === undefined || untilMs < admittedAtMs + leastMs
    ? [admit]
    : [admit, spanOf('queue', [admittedAtMs, untilMs], {})];
}

function turnSpan(run: TurnRun): SpanPlan {
  const { startedAtMs, acceptedAtMs, endedAtMs, endedAs = 'open', reason, tries } = run;
  const span = spanOf('turn', [startedAtMs, endedAtMs ?? startedAtMs], {
    'lark_bridge.outcome': endedAs,
    'lark_bridge.tries': tries,
    ...(acceptedAtMs !== undefined && {
      'lark_bridge.accepted_after_ms': Math.max(0, acceptedAtMs - startedAtMs),
    }),
    ...(reason !== undefined && { 'lark_bridge.reason': reason }),
  });
  const failed = endedAs === 'failed' || endedAs === 'held';
  return { ...span, outgoing: true, ...(failed && { error: reason ?? endedAs }) };
}

/** How long a row waited, and how long Lark needed for it, from the first try on. */
function rowSpans(row: OutboxRow): SpanPlan[] {
  const { key, createdAtMs, triedAtMs, attempts, lastError, state } = row;
  if (triedAtMs === undefined || !('atMs' in state)) return [];
  const what = { 'lark_bridge.what': kindOf(row), 'lark_bridge.key': key };
  const call = spanOf('lark_call', [triedAtMs, state.atMs], {
    ...what,
    'lark_bridge.attempts': attempts,
    ...(lastError !== undefined && { 'lark_bridge.last_error': lastError }),
    ...(state.phase === 'sent' && { 'lark.reply_id': state.larkId }),
  });
  return [
    spanOf('outbox', [createdAtMs, triedAtMs], what),
    {
      ...call,
      outgoing: true,
      ...(state.phase === 'dead' && { error: lastError ?? 'given up' }),
    },
  ];
}

function spanOf(
  name: string,
  [startMs, endMs]: readonly [number, number],
  attributes: SpanPlan['attributes'],
): SpanPlan {
  // A clock that was set back must not give a span a negative length.
  return { name, startMs, endMs: Math.max(startMs, endMs), attributes };
}
