/** What happened to one message, in order of time, from the journal. */
import type { InboundMessage } from '../../core/message.ts';
import type { ProgramOutput } from '../../core/program-output.ts';
import type { TurnState } from '../../core/turn.ts';
import type { OutboxRow } from '../../bridge/ports/outbox.ts';
import type { RunCause, TurnLife, TurnRun } from '../../bridge/ports/journal-reader.ts';
import { messageText } from '../../wire/message-text.ts';

export interface TraceEvent {
  readonly atMs: number;
  /** Time since the event before it; undefined for the first. */
  readonly afterMs: number | undefined;
  readonly event: string;
  /** Ids, counts and reasons. Texts of the chat only if they are wanted. */
  readonly facts: Readonly<Record<string, string | number>>;
}

type Moment = Omit<TraceEvent, 'afterMs'>;

/** `said` comes first and has the time of Lark's clock. All others have the time of this machine's clock. */
export function traceOf(
  life: TurnLife,
  options: {
    readonly text: boolean;
    /** What programs said that gave no answer, by run. */
    readonly outputs?: ReadonlyMap<number, ProgramOutput>;
  },
): TraceEvent[] {
  const { message } = life.turn;
  const said = momentOf(message.sentAtMs, 'said', {
    by: message.senderOpenId,
    ...(options.text && { text: spokenText(message) }),
  });
  const ours = [
    momentOf(life.turn.receivedAtMs, 'received', { event_id: message.eventId }),
    momentOf(life.admittedAtMs, 'admitted'),
    ...life.runs.flatMap((run) => momentsOfRun(run, options.outputs?.get(run.run))),
    ...momentsOfState(life),
    ...life.out.flatMap((row) => momentsOfRow(row, { ...options, fromMs: life.admittedAtMs })),
  ];
  // The sort is stable: events of the same millisecond keep their order.
  const all = [said, ...ours.toSorted((one, other) => one.atMs - other.atMs)];
  return all.map((moment, at) => {
    const before = all[at - 1];
    return { ...moment, afterMs: before && moment.atMs - before.atMs };
  });
}

/** The text of a message as its agent gets it. */
export function spokenText({ parts }: InboundMessage): string {
  return messageText(parts);
}

/** What a row shows in the chat; undefined for a reaction. */
export function shownText({ body }: OutboxRow): string | undefined {
  if (body.kind === 'update') return body.content.note;
  return body.kind === 'message' ? body.content.text : undefined;
}

/** What a row is, in a word for people. */
export function kindOf({ body, priority }: OutboxRow): string {
  switch (body.kind) {
    case 'message':
      return body.content.kind === 'choice' || body.content.kind === 'question'
        ? 'question'
        : priority;
    case 'update':
      return 'question_end';
    case 'react':
      return 'reaction';
    case 'unreact':
      return 'reaction_removal';
  }
}

function momentsOfRun(run: TurnRun, output: ProgramOutput | undefined): Moment[] {
  const name = { run: run.run };
  const tries = run.tries > 1 ? { tries: run.tries } : {};
  return [
    momentOf(run.startedAtMs, 'started', { ...name, ...tries }),
    ...(run.acceptedAtMs === undefined ? [] : [momentOf(run.acceptedAtMs, 'accepted', name)]),
    ...(run.endedAtMs === undefined
      ? []
      : [
          momentOf(run.endedAtMs, run.endedAs ?? 'ended', {
            ...name,
            ...(run.reason !== undefined && { reason: run.reason }),
            ...causeFacts(run.cause),
            ...(output ?? wordsOf(run.cause)),
          }),
        ]),
  ];
}

function causeFacts(cause: RunCause | undefined): TraceEvent['facts'] {
  if (cause === undefined) return {};
  const { agent, detail, exitCode } = cause;
  return { agent, detail, ...(exitCode !== undefined && { exit_code: exitCode }) };
}

/** The hub keeps more of it, and not as long. */
function wordsOf(cause: RunCause | undefined): TraceEvent['facts'] {
  return cause?.lastWords === undefined ? {} : { last_words: cause.lastWords };
}

/** States that no run explains: an end in the queue, or a time limit that passed. */
function momentsOfState({ turn, runs, endedAtMs }: TurnLife): Moment[] {
  const { state } = turn;
  if (state.phase === 'overdue') return [momentOf(state.sinceMs, 'overdue', { run: turn.run })];
  if (endedAtMs === undefined || runs.some((run) => run.endedAtMs === endedAtMs)) return [];
  const reason = reasonOf(state);
  return [momentOf(endedAtMs, state.phase, reason === undefined ? {} : { reason })];
}

/** Why a turn is in its state. */
export function reasonOf(state: TurnState): string | undefined {
  if (state.phase === 'failed') return state.reason;
  const { phase } = state;
  return phase === 'held' || phase === 'kept' || phase === 'dropped' ? state.why : undefined;
}

/** `fromMs`: a row counts as queued when its turn is stored, even if it was created a little earlier. */
function momentsOfRow(
  row: OutboxRow,
  options: { readonly text: boolean; readonly fromMs: number },
): Moment[] {
  const { key, createdAtMs, triedAtMs, replayedAtMs, lastError, state } = row;
  const text = options.text ? shownText(row) : undefined;
  const queued = {
    what: kindOf(row),
    key,
    ...(state.phase === 'dropped' && {
      phase: state.phase,
      ...(lastError !== undefined && { last_error: lastError }),
    }),
    ...(text !== undefined && { text }),
  };
  return [
    momentOf(Math.max(createdAtMs, options.fromMs), 'queued', queued),
    ...(triedAtMs === undefined ? [] : [momentOf(triedAtMs, 'tried', { key })]),
    ...(replayedAtMs === undefined ? [] : [momentOf(replayedAtMs, 'replayed', { key })]),
    ...momentsOfSending(row),
  ];
}

function momentsOfSending({ key, attempts, lastError, state }: OutboxRow): Moment[] {
  const facts = { key, attempts, ...(lastError !== undefined && { last_error: lastError }) };
  switch (state.phase) {
    case 'pending':
      return [momentOf(state.dueAtMs, 'next_try', facts)];
    case 'sent':
      return [momentOf(state.atMs, 'sent', { ...facts, lark_id: state.larkId })];
    case 'dead':
      return [momentOf(state.atMs, 'given_up', facts)];
    case 'dropped':
      return [];
  }
}

function momentOf(atMs: number, event: string, facts: TraceEvent['facts'] = {}): Moment {
  return { atMs, event, facts };
}
