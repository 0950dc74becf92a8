/** The life of a turn, as a pure function: what happened goes in, the new state and what to show come out. */
import { withoutTerminalControls } from '../../text/visible.ts';
import type { FailureCause, HoldReason, Turn, TurnState } from '../../core/turn.ts';
import type { Show } from '../outbox/show.ts';
import { sessionNotices } from '../texts/sessions.ts';
import { choices, notices, question, withFiles } from '../texts/texts.ts';
import { showAnswer, showMore } from './answer-show.ts';
import { mayDrop, stopped } from './ended-early.ts';
import { recalled } from './recall.ts';
import type { TurnEvent, TurnRules, TurnStep } from './turn-events.ts';
import { sendBackoffMs } from './send-backoff.ts';
import type { SendResult, TurnAnswer, TurnQuestion, WaitResult } from '../ports/target.ts';

/** The reason of a turn whose agent or folder is gone. */
const CHOICE_GONE = 'choice_gone';

/** When a turn was given to the target. Undefined if the target does not have it. */
export function begunAtMs(state: TurnState, turnTimeoutMs: number): number | undefined {
  if ('deadlineMs' in state) return state.deadlineMs - (state.limitMs ?? turnTimeoutMs);
  if (state.phase !== 'overdue' || state.asks === true) return undefined;
  return state.sinceMs - (state.limitMs ?? turnTimeoutMs);
}

/** Undefined if the event changes nothing in this state: it came too late, or twice. */
export function step(
  turn: Turn,
  event: TurnEvent,
  rules: TurnRules & { readonly nowMs: number },
): TurnStep | undefined {
  switch (event.kind) {
    case 'started':
      return start(turn, event, rules);
    case 'choice_gone':
      return turn.state.phase === 'waiting'
        ? fail(CHOICE_GONE, sessionNotices.choiceGone(event.gone))
        : undefined;
    case 'sent':
      return turn.state.phase === 'sending' ? sent(turn.state, event, rules) : undefined;
    case 'waited':
      return waited(turn, event.result, rules.nowMs);
    case 'timed_out':
      return timedOut(turn, rules);
    case 'restarted':
      return restarted(turn, rules);
    case 'received':
      return received(turn.state, event, rules.nowMs);
    case 'named':
      return named(turn.state, event, rules.nowMs);
    case 'late_answer':
    case 'gave_up_waiting':
      return goOnWithout(turn.state, event.kind);
    case 'recalled':
      return recalled(turn, event.by, rules);
    case 'chosen':
      return chosen(turn, event);
    case 'carried_out':
      return turn.state.phase === 'command' || turn.state.phase === 'waiting'
        ? { state: { phase: 'answered' }, show: event.show }
        : undefined;
    case 'dropped_by_operator':
      return mayDrop(turn.state.phase, event.correlates)
        ? end({ phase: 'dropped', why: 'operator' })
        : undefined;
    case 'stopped':
      return stopped(turn, event);
  }
}

function start(
  { state }: Turn,
  { target, limitMs }: Extract<TurnEvent, { kind: 'started' }>,
  { nowMs, turnTimeoutMs }: TurnRules & { readonly nowMs: number },
): TurnStep | undefined {
  if (state.phase !== 'waiting') return undefined;
  const deadlineMs = nowMs + (limitMs ?? turnTimeoutMs);
  const time = { deadlineMs, ...(limitMs !== undefined && { limitMs }) };
  return { state: { phase: 'sending', attempt: state.attempt, target, ...time }, show: [] };
}

function sent(
  state: Extract<TurnState, { phase: 'sending' }>,
  { result, random }: { readonly result: SendResult; readonly random: number },
  rules: TurnRules & { readonly nowMs: number },
): TurnStep {
  switch (result.kind) {
    case 'answered':
    case 'failed':
      return settle(result);
    case 'question':
      return ask(result, 'sent', { target: state.target, ticket: undefined, sinceMs: rules.nowMs });
    case 'accepted':
      return { state: { ...state, phase: 'accepted', ticket: result.ticket }, show: [] };
    case 'accepted_uncorrelated':
      return { state: { ...state, phase: 'accepted', ticket: undefined }, show: [] };
    case 'unanswerable':
      return fail('unanswerable', notices.unanswerable());
    case 'busy':
      return again(state, rules.nowMs + result.retryAfterMs);
    case 'unreachable':
      return again(state, rules.nowMs + sendBackoffMs(state.attempt + 1, random));
    case 'refused':
      return fail('refused', notices.refused(result.detail));
    case 'unknown':
      return rules.deduplicates
        ? again(state, rules.nowMs + sendBackoffMs(state.attempt + 1, random))
        : hold('unknown');
  }
}

/** It is sent again later with the same message id. It keeps its place in the chat, and its slot is free until then. */
function again(state: Extract<TurnState, { phase: 'sending' }>, notBeforeMs: number): TurnStep {
  return { state: { phase: 'waiting', attempt: state.attempt + 1, notBeforeMs }, show: [] };
}

function waited(turn: Turn, result: WaitResult, nowMs: number): TurnStep | undefined {
  const { state } = turn;
  if (state.phase !== 'accepted' && state.phase !== 'overdue') return undefined;
  switch (result.kind) {
    case 'answered':
    case 'failed':
      return settle(result);
    case 'question': {
      const { target, ticket } = state;
      const isAsked = state.phase === 'overdue' && state.asks === true;
      // The item at the hub stays as it is. The end of the task may be put into it, or come as a message of its own.
      const place = { target, ticket, isLoose: true, sinceMs: nowMs } as const;
      return isAsked ? undefined : ask(result, 'waited', place);
    }
    case 'unfinished':
      return state.isLoose === true ? undefined : { state: { ...state, isLoose: true }, show: [] };
    case 'pending':
    case 'unreachable':
      return undefined;
    case 'lost':
      return state.phase === 'overdue' ? stopWaiting(state, 'lost') : hold('unknown');
  }
}

function timedOut(
  { state }: Turn,
  { deduplicates, nowMs }: TurnRules & { readonly nowMs: number },
): TurnStep | undefined {
  const isSending = state.phase === 'sending';
  if (isSending && deduplicates) return fail('timed_out', notices.timedOut());
  if (!isSending && state.phase !== 'accepted') return undefined;
  // The target may answer although it never confirmed that it has the turn.
  const ticket = isSending ? undefined : state.ticket;
  const isLoose = !isSending && state.isLoose === true;
  const notice = ticket === undefined ? notices.timedOut() : notices.overdue();
  const { target, limitMs } = state;
  const time = { sinceMs: nowMs, ...(limitMs !== undefined && { limitMs }) };
  return {
    state: { phase: 'overdue', target, ticket, ...(isLoose && { isLoose }), ...time },
    show: [notice, { what: 'receipt_off' }],
  };
}

function restarted(
  turn: Turn,
  rules: TurnRules & { readonly nowMs: number },
): TurnStep | undefined {
  if (turn.state.phase !== 'sending') return undefined;
  // The request may have left before the process died.
  return rules.deduplicates ? again(turn.state, rules.nowMs) : hold('unknown');
}

function chosen(
  turn: Turn,
  { action, by }: Extract<TurnEvent, { kind: 'chosen' }>,
): TurnStep | undefined {
  const { state, message } = turn;
  if (action === 'skip') {
    return state.phase === 'held' ? end({ phase: 'dropped', why: 'skipped', by }) : undefined;
  }
  // Pruned turns keep only their id.
  if (message.parts.length === 0) return undefined;
  if (state.phase === 'held' || state.phase === 'failed' || isBlind(state, 'overdue')) {
    // A stale turn never ran, so this is its first run. Any other turn starts a new run with new keys.
    const fresh = state.phase === 'held' && state.why === 'stale';
    return {
      state: { phase: 'waiting', attempt: 0, notBeforeMs: 0 },
      run: fresh ? turn.run : turn.run + 1,
      // An operator orders it for the author.
      askedBy: by === 'operator' || by === message.senderOpenId ? undefined : by,
      show: [],
      ...(state.phase === 'failed' && state.reason === CHOICE_GONE && { isChosenAnew: true }),
    };
  }
  return undefined;
}

function settle(answer: TurnAnswer): TurnStep {
  if (answer.kind === 'failed') {
    const { interrupted, detail, lastWords, login } = answer;
    if (interrupted === true) return hold('interrupted');
    const notice =
      login === undefined ? notices.agentFailed(detail, lastWords) : choices.login(login.command);
    return fail('agent_failed', notice, causeOf(answer));
  }
  return { state: { phase: 'answered' }, show: [...showAnswer(answer), { what: 'receipt_off' }] };
}

/** The agent's question is shown, and the slot becomes free. The person's reply is a new message. */
function ask(
  { wants, text, files }: TurnQuestion,
  name: string,
  place: Omit<Extract<TurnState, { phase: 'overdue' }>, 'phase' | 'asks'>,
): TurnStep {
  return {
    state: { phase: 'overdue', ...place, asks: true },
    show: [
      {
        what: 'answer',
        name: `question:${name}`,
        text: withFiles(question(wants, withoutTerminalControls(text)), files),
      },
      { what: 'receipt_off' },
    ],
  };
}

/** No answer came, or one came that may belong to another turn as well. */
function goOnWithout(state: TurnState, reason: string): TurnStep | undefined {
  if (state.phase !== 'overdue' || !isBlind(state, 'overdue')) return undefined;
  return state.asks === true
    ? { state: { phase: 'answered', isOpen: true }, show: [] }
    : stopWaiting(state, reason);
}

/** If the chat was told that a late answer will be shown, it is told now that the bridge stopped waiting. */
function stopWaiting(
  { ticket, asks }: Extract<TurnState, { phase: 'overdue' }>,
  reason: string,
): TurnStep {
  if (ticket !== undefined && asks !== true) return fail(reason, notices.timedOut());
  // The chat knows it already, from the question or from the notice when the time was over.
  return { state: { phase: 'failed', reason }, show: [] };
}

function hold(why: Exclude<HoldReason, 'stale' | 'restored'>): TurnStep {
  return { state: { phase: 'held', why }, show: [choices[why](), { what: 'receipt_off' }] };
}

/** What a remote agent says about its failure is content of the chat, so it is not stored as a cause. */
function causeOf({
  agent,
  detail,
  exitCode,
}: Extract<TurnAnswer, { kind: 'failed' }>): FailureCause | undefined {
  if (agent === undefined) return undefined;
  return { agent, detail, ...(exitCode !== undefined && { exitCode }) };
}

function fail(reason: string, notice: Show, cause?: FailureCause): TurnStep {
  return {
    state: { phase: 'failed', reason, ...(cause !== undefined && { cause }) },
    show: [notice, { what: 'receipt_off' }],
  };
}

function end(state: TurnState): TurnStep {
  return { state, show: [{ what: 'receipt_off' }] };
}

/** True if the answer to this turn may come without naming the turn. */
export function isBlind(state: TurnState, phase: 'accepted' | 'overdue'): boolean {
  return state.phase === phase && (state.ticket === undefined || state.isLoose === true);
}

function received(
  state: TurnState,
  { id, from, said }: Extract<TurnEvent, { kind: 'received' }>,
  nowMs: number,
): TurnStep | undefined {
  if (!mayReceive(state)) return undefined;
  if (said.kind !== 'question') return settle(said);
  return ask(said, id, { target: from, ticket: undefined, sinceMs: nowMs });
}

/**
 * An answer may come before the target confirmed the request, although that confirmation was lost, or after the
 * time was over.
 */
function mayReceive(state: TurnState): boolean {
  const isInDoubt = state.phase === 'held' && state.why === 'unknown';
  const isOut = isBlind(state, 'accepted') || isBlind(state, 'overdue');
  return state.phase === 'sending' || isOut || isInDoubt;
}

/** The first answer ends the turn. What comes later is shown under the same question too. */
function named(
  state: TurnState,
  { id, from, said }: Extract<TurnEvent, { kind: 'named' }>,
  nowMs: number,
): TurnStep | undefined {
  switch (state.phase) {
    case 'sending':
    case 'accepted':
    case 'overdue':
    case 'held': {
      if (said.kind !== 'question') return settle(said);
      const ticket = 'ticket' in state ? state.ticket : undefined;
      return ask(said, id, { target: from, ticket, isLoose: true, sinceMs: nowMs });
    }
    case 'waiting':
      // A person wants it to run again. With an answer that is not needed.
      return said.kind === 'answered' ? settle(said) : undefined;
    case 'failed':
      return said.kind === 'answered' ? settle(said) : { state, show: showMore(said, id) };
    case 'answered':
      return { state: { phase: 'answered' }, show: showMore(said, id) };
    case 'kept':
    case 'command':
    case 'dropped':
      // Nobody wants an answer any more.
      return undefined;
  }
}
