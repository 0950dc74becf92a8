/** The life of a turn, as a pure function: what happened goes in, the new state and what to show come out. */
import { backoffMs } from '../../time/backoff.ts';
import type { WorkspaceId } from '../../core/ids.ts';
import { isBlank, withoutTerminalControls } from '../../core/visible.ts';
import type {
  ChoiceAction,
  HoldReason,
  Show,
  Turn,
  TurnPhase,
  TurnState,
} from '../../core/turn.ts';
import { choices, notices } from '../outbox/texts.ts';
import type { SendResult, TurnAnswer, WaitResult, Withdrawal } from '../ports.ts';

/** A hub that can't be reached is tried again after this, doubling up to the maximum, without end. */
export const TURN_SEND_BACKOFF_BASE_MS = 500;
export const TURN_SEND_BACKOFF_MAX_MS = 30_000;

export interface TurnRules {
  readonly turnTimeoutMs: number;
  /** The hub takes a repeated message id for the same turn. */
  readonly deduplicates: boolean;
}

export type TurnEvent =
  | { readonly kind: 'started'; readonly target: WorkspaceId }
  | { readonly kind: 'sent'; readonly result: SendResult; readonly random: number }
  | { readonly kind: 'waited'; readonly result: WaitResult }
  | { readonly kind: 'timed_out' }
  /** The process that worked on it is gone; this one takes over. */
  | { readonly kind: 'restarted' }
  | { readonly kind: 'recalled' }
  | { readonly kind: 'chosen'; readonly action: ChoiceAction }
  /** `correlates`: answers name their turn, so that one that still comes can't be taken for another's. */
  | { readonly kind: 'dropped_by_operator'; readonly correlates: boolean }
  /** An answer that names no turn, while this is the only one that it can be of. */
  | { readonly kind: 'received'; readonly answer: TurnAnswer }
  /** An answer that may be its own came after its time; or none came for as long again. */
  | { readonly kind: 'late_answer' }
  | { readonly kind: 'gave_up_waiting' }
  /** A person's word to the bridge was carried out. */
  | { readonly kind: 'carried_out'; readonly show: readonly Show[] };

export interface TurnStep {
  readonly state: TurnState;
  readonly run?: number;
  readonly show: readonly Show[];
  readonly withdrawn?: Withdrawal;
}

const FINAL: ReadonlySet<TurnPhase> = new Set(['answered', 'failed', 'dropped']);
const ENGAGED: ReadonlySet<TurnPhase> = new Set(['sending', 'accepted']);

/** Over: nothing more happens unless a person asks for it. */
export const isFinal = (phase: TurnPhase): boolean => FINAL.has(phase);
/** Holds a slot and its chat's lane. */
export const isEngaged = (phase: TurnPhase): boolean => ENGAGED.has(phase);

/** When a turn was given to the target; `undefined` if it is not there. */
export function begunAtMs(state: TurnState, { turnTimeoutMs }: TurnRules): number | undefined {
  if ('deadlineMs' in state) return state.deadlineMs - turnTimeoutMs;
  return state.phase === 'overdue' ? state.sinceMs - turnTimeoutMs : undefined;
}

/** `undefined`: the event means nothing to a turn in this state (it came too late, or twice). */
export function step(
  turn: Turn,
  event: TurnEvent,
  rules: TurnRules & { readonly nowMs: number },
): TurnStep | undefined {
  switch (event.kind) {
    case 'started':
      return start(turn, event.target, rules.nowMs + rules.turnTimeoutMs);
    case 'sent':
      return turn.state.phase === 'sending' ? sent(turn.state, event, rules) : undefined;
    case 'waited':
      return waited(turn, event.result);
    case 'timed_out':
      return timedOut(turn, rules);
    case 'restarted':
      return restarted(turn, rules);
    case 'received':
      return mayReceive(turn.state) ? settle(event.answer) : undefined;
    case 'late_answer':
    case 'gave_up_waiting':
      // The chat was told when the time was over.
      return isBlind(turn.state, 'overdue')
        ? { state: { phase: 'failed', reason: event.kind }, show: [] }
        : undefined;
    case 'recalled':
      return recalled(turn);
    case 'chosen':
      return chosen(turn, event.action);
    case 'carried_out':
      return turn.state.phase === 'command'
        ? { state: { phase: 'answered' }, show: event.show }
        : undefined;
    case 'dropped_by_operator':
      return mayDrop(turn.state.phase, event.correlates)
        ? end({ phase: 'dropped', why: 'operator' })
        : undefined;
  }
}

function start(turn: Turn, target: WorkspaceId, deadlineMs: number): TurnStep | undefined {
  if (turn.state.phase !== 'waiting') return undefined;
  return { state: { phase: 'sending', attempt: turn.state.attempt, target, deadlineMs }, show: [] };
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
    case 'accepted':
      return { state: { ...state, phase: 'accepted', ticket: result.ticket }, show: [] };
    case 'accepted_uncorrelated':
      return { state: { ...state, phase: 'accepted', ticket: undefined }, show: [] };
    case 'unanswerable':
      return fail('unanswerable', notices.unanswerable());
    case 'busy':
      return again(state, rules.nowMs + result.retryAfterMs);
    case 'unreachable':
      return again(state, rules.nowMs + sendBackoffMs(state.attempt, random));
    case 'refused':
      return fail('refused', notices.refused(result.detail));
    case 'unknown':
      return rules.deduplicates
        ? again(state, rules.nowMs + sendBackoffMs(state.attempt, random))
        : hold('unknown');
  }
}

/** The same message id goes out again; the slot is free meanwhile, the place in the chat is kept. */
function again(state: Extract<TurnState, { phase: 'sending' }>, notBeforeMs: number): TurnStep {
  return { state: { phase: 'waiting', attempt: state.attempt + 1, notBeforeMs }, show: [] };
}

function waited(turn: Turn, result: WaitResult): TurnStep | undefined {
  const { state } = turn;
  if (state.phase !== 'accepted' && state.phase !== 'overdue') return undefined;
  switch (result.kind) {
    case 'answered':
    case 'failed':
      return settle(result);
    case 'pending':
    case 'unreachable':
      return undefined;
    case 'lost':
      // An overdue turn's chat has been told already.
      return state.phase === 'overdue' ? end({ phase: 'failed', reason: 'lost' }) : hold('unknown');
  }
}

function timedOut(
  { state }: Turn,
  { deduplicates, nowMs }: TurnRules & { readonly nowMs: number },
): TurnStep | undefined {
  const isSending = state.phase === 'sending';
  if (isSending && deduplicates) return fail('timed_out', notices.timedOut());
  if (!isSending && state.phase !== 'accepted') return undefined;
  // A target that never said that it has the turn may answer it all the same.
  const ticket = isSending ? undefined : state.ticket;
  const notice = ticket === undefined ? notices.timedOut() : notices.overdue();
  return {
    state: { phase: 'overdue', target: state.target, ticket, sinceMs: nowMs },
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

function chosen(turn: Turn, action: ChoiceAction): TurnStep | undefined {
  const { state } = turn;
  if (action === 'skip') {
    return state.phase === 'held' ? end({ phase: 'dropped', why: 'skipped' }) : undefined;
  }
  // Of an old turn only the id is left.
  if (turn.message.parts.length === 0) return undefined;
  if (state.phase === 'held' || state.phase === 'failed' || isBlind(state, 'overdue')) {
    // A stale turn never ran: its first run begins. Any other begins anew, under new keys.
    const fresh = state.phase === 'held' && state.why === 'stale';
    return {
      state: { phase: 'waiting', attempt: 0, notBeforeMs: 0 },
      run: fresh ? turn.run : turn.run + 1,
      show: [],
    };
  }
  return undefined;
}

/**
 * Whatever phase it is in, nothing of the message is used again: no run goes on, none is begun, nothing quotes it.
 * An answer that is there already is still shown to the others in its thread.
 */
function recalled({ state, message }: Turn): TurnStep | undefined {
  switch (state.phase) {
    case 'command':
      return undefined;
    case 'dropped':
    case 'answered': {
      if (message.parts.length === 0) return undefined;
      return { state, show: [], withdrawn: { dropsOut: message.threadId === undefined } };
    }
    case 'waiting':
    case 'sending':
    case 'accepted':
    case 'overdue':
    case 'held':
    case 'failed':
      return { ...end({ phase: 'dropped', why: 'recalled' }), withdrawn: { dropsOut: true } };
  }
}

function settle(answer: TurnAnswer): TurnStep {
  if (answer.kind === 'failed') {
    return answer.interrupted === true
      ? hold('interrupted')
      : fail('agent_failed', notices.agentFailed(answer.detail));
  }
  // Programs write for terminals; a chat would show their colour codes.
  const text = withoutTerminalControls(answer.text);
  return {
    state: { phase: 'answered' },
    show: [
      isBlank(text) ? notices.emptyAnswer() : { what: 'answer', text },
      { what: 'receipt_off' },
    ],
  };
}

function hold(why: Exclude<HoldReason, 'stale'>): TurnStep {
  return { state: { phase: 'held', why }, show: [choices[why](), { what: 'receipt_off' }] };
}

function fail(reason: string, notice: Show): TurnStep {
  return { state: { phase: 'failed', reason }, show: [notice, { what: 'receipt_off' }] };
}

function end(state: TurnState): TurnStep {
  return { state, show: [{ what: 'receipt_off' }] };
}

/** With a target that can't say which turn an answer belongs to. */
function isBlind(state: TurnState, phase: 'accepted' | 'overdue'): boolean {
  return state.phase === phase && state.ticket === undefined;
}

/** An answer can be faster than the receipt for its question, and come although the receipt was lost. */
function mayReceive(state: TurnState): boolean {
  const isInDoubt = state.phase === 'held' && state.why === 'unknown';
  return state.phase === 'sending' || isBlind(state, 'accepted') || isInDoubt;
}

function mayDrop(phase: TurnPhase, correlates: boolean): boolean {
  return !isFinal(phase) && (correlates || !(isEngaged(phase) || phase === 'overdue'));
}

function sendBackoffMs(attempt: number, random: number): number {
  return backoffMs(attempt + 1, {
    baseMs: TURN_SEND_BACKOFF_BASE_MS,
    maxMs: TURN_SEND_BACKOFF_MAX_MS,
    random,
  });
}
