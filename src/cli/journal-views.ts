/** How turns and outgoing rows are shown to an operator, on the screen and as JSON. */
import type { FailureCause, Turn, TurnState } from '../core/turn.ts';
import type { OutboxRow, OutboxState } from '../bridge/ports/outbox.ts';
import { kindOf, reasonOf, shownText, spokenText } from '../observe/traces/trace.ts';
import type { RunCause, TurnLife, TurnRun } from '../bridge/ports/journal-reader.ts';

/** Show the texts of the chat. */
interface ViewOptions {
  readonly text: boolean;
}

export const timeOf = (atMs: number) => new Date(atMs).toISOString();
const timeIfAny = (atMs: number | undefined) => (atMs === undefined ? undefined : timeOf(atMs));

export function turnView(turn: Turn, { text }: ViewOptions) {
  const { id, message, receivedAtMs, run, askedBy, state } = turn;
  return {
    id,
    chat: message.chatId,
    sender: message.senderOpenId,
    phase: state.phase,
    reason: reasonOf(state),
    ...(state.phase === 'failed' && causeView(state.cause)),
    run,
    ...(askedBy !== undefined && { asked_by: askedBy }),
    received_at: timeOf(receivedAtMs),
    ...(text && { text: spokenText(message) }),
  };
}

export function lifeView(life: TurnLife, options: ViewOptions) {
  const { turn, ahead, admittedAtMs, endedAtMs, runs, out } = life;
  return {
    ...turnView(turn, options),
    admitted_at: timeOf(admittedAtMs),
    ended_at: timeIfAny(endedAtMs),
    ahead,
    ...detailsOf(turn.state),
    runs: runs.map(runView),
    outbox: out.map((row) => rowView(row, options)),
  };
}

function runView(run: TurnRun) {
  return {
    run: run.run,
    tries: run.tries,
    started_at: timeOf(run.startedAtMs),
    accepted_at: timeIfAny(run.acceptedAtMs),
    ended_at: timeIfAny(run.endedAtMs),
    ended_as: run.endedAs,
    reason: run.reason,
    ...causeView(run.cause),
  };
}

function causeView(cause: RunCause | undefined) {
  if (cause === undefined) return {};
  const { agent, detail, exitCode, lastWords } = cause;
  return { agent, detail, exit_code: exitCode, last_words: lastWords };
}

export function rowView(row: OutboxRow, { text }: ViewOptions) {
  return {
    key: row.key,
    turn: row.turn,
    chat: row.chatId,
    reply_to: row.replyTo,
    kind: kindOf(row),
    placement: row.placement,
    phase: row.state.phase,
    ...outcomeOf(row.state),
    created_at: timeOf(row.createdAtMs),
    tried_at: timeIfAny(row.triedAtMs),
    replayed_at: timeIfAny(row.replayedAtMs),
    attempts: row.attempts,
    last_error: row.lastError,
    ...(text && { text: shownText(row) }),
  };
}

function outcomeOf(state: OutboxState) {
  switch (state.phase) {
    case 'pending':
      return { due_at: timeOf(state.dueAtMs) };
    case 'sent':
      return { sent_at: timeOf(state.atMs), lark_id: state.larkId };
    case 'dead':
      return { dead_at: timeOf(state.atMs) };
    case 'dropped':
      return {};
  }
}

function detailsOf(state: TurnState) {
  switch (state.phase) {
    case 'waiting':
      return {
        tries: state.attempt,
        not_before: state.notBeforeMs === 0 ? undefined : timeOf(state.notBeforeMs),
      };
    case 'sending':
      return { target: state.target, deadline: timeOf(state.deadlineMs) };
    case 'accepted':
      return { target: state.target, ticket: state.ticket, deadline: timeOf(state.deadlineMs) };
    case 'overdue':
      return { target: state.target, ticket: state.ticket, since: timeOf(state.sinceMs) };
    case 'command':
      return { action: state.action, about: state.about };
    case 'held':
    case 'kept':
    case 'answered':
    case 'failed':
    case 'dropped':
      return {};
  }
}

/** Follows the reason of a turn that failed. */
export function causeText(cause: FailureCause | undefined): string {
  return cause === undefined ? '' : `; agent ${cause.agent}: ${cause.detail.replace(/\.$/, '')}`;
}

/** Where a turn waits, or how it ended, in a sentence. */
export function stateSentence({ turn: { id, state }, ahead }: TurnLife): string {
  switch (state.phase) {
    case 'waiting': {
      const behind = ahead === 0 ? 'the next one of its chat' : `behind ${ahead} of its chat`;
      return state.attempt === 0
        ? `It waits for a free place, ${behind}.`
        : `It waits, ${behind}. The hub did not take it ${state.attempt} times. The next try is at ${timeOf(state.notBeforeMs)}.`;
    }
    case 'sending':
      return `It is being sent to ${state.target}. Its time ends at ${timeOf(state.deadlineMs)}.`;
    case 'accepted':
      return `${state.target} works on it. Its time ends at ${timeOf(state.deadlineMs)}.`;
    case 'overdue':
      return state.ticket === undefined
        ? `Its time ended at ${timeOf(state.sinceMs)}. If an answer still comes, ${state.target} can't say to which turn it belongs.`
        : `Its time ended at ${timeOf(state.sinceMs)}. If its answer still comes, it is shown.`;
    case 'held':
      return `It is held (${state.why}) until a person decides: in the chat, or with \`turns retry ${id}\` or \`turns drop ${id}\`.`;
    case 'kept':
      return state.why === 'guest'
        ? 'It is kept until its sender may talk to the bot: `lark-bridge pairing list`.'
        : 'It is kept until Lark says whether its group is external.';
    case 'command':
      return 'It is a command to the bridge itself, which will be carried out soon.';
    case 'answered':
      return 'It is answered.';
    case 'failed':
      return `It failed (${state.reason}${causeText(state.cause)}). \`turns retry ${id}\` starts it again.`;
    case 'dropped':
      return `It was dropped (${state.why}).`;
  }
}

/** What the program of an agent said last before its run failed; the latest such run. */
export function lastWordsLines({ runs }: TurnLife): string[] {
  const cause = runs.findLast((run) => run.cause?.lastWords !== undefined)?.cause;
  const said = cause?.lastWords?.trimEnd().split('\n') ?? [];
  return said.length === 0
    ? []
    : [`The last words of ${cause?.agent ?? 'it'}:`, ...said.map((line) => `  ${line}`)];
}

/** A line for an outgoing row. */
export function rowColumns(row: OutboxRow): string[] {
  const { state, attempts, lastError } = row;
  const trouble = lastError === undefined ? '' : `  last error: ${lastError}`;
  return [
    row.key,
    kindOf(row),
    state.phase,
    timeOf(row.createdAtMs),
    `${attempts} ${attempts === 1 ? 'try' : 'tries'}${state.phase === 'sent' ? `  ${state.larkId}` : ''}${trouble}`,
  ];
}
