/** The life of a turn, as a pure function: what happened goes in, the new state and what to show come out. */
import { backoffMs } from '../../time/backoff.ts';
import type { WorkspaceId } from '../../core/ids.ts';
import { isBlank, withoutTerminalControls } from '../../core/visible.ts';
import type { ChoiceAction } from '../../core/content.ts';
import type {
  FailureCause,
  HoldReason,
  Show,
  Turn,
  TurnPhase,
  TurnState,
} from '../../core/turn.ts';
import { choices, notices, question, withFiles } from '../texts/texts.ts';
import type { SendResult, TurnAnswer, TurnQuestion, WaitResult, Withdrawal } from '../ports.ts';

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
  /** Something that names no turn, while this is the only one that it can be about. */
  | {
      readonly kind: 'received';
      readonly id: string;
      readonly from: WorkspaceId;
      readonly said: TurnAnswer | TurnQuestion;
    }
  /** Something that says by the token of this turn that it is about it. */
  | {
      readonly kind: 'named';
      readonly id: string;
      readonly from: WorkspaceId;
      readonly said: TurnAnswer | TurnQuestion;
    }
  /** An answer that may be its own came after its time; or none came for as long again. */
  | { readonly kind: 'late_answer' }
  | { readonly kind: 'gave_up_waiting' }
  /** A person's command to the bridge was carried out. */
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
export function begunAtMs(state: TurnState, turnTimeoutMs: number): number | undefined {
  if ('deadlineMs' in state) return state.deadlineMs - turnTimeoutMs;
  if (state.phase !== 'overdue' || state.asks === true) return undefined;
  return state.sinceMs - turnTimeoutMs;
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
      // The item stays as it is; whatever ends the task may be put into it, or come by itself.
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
  // A target that never said that it has the turn may answer it all the same.
  const ticket = isSending ? undefined : state.ticket;
  const isLoose = !isSending && state.isLoose === true;
  const notice = ticket === undefined ? notices.timedOut() : notices.overdue();
  const { target } = state;
  return {
    state: { phase: 'overdue', target, ticket, ...(isLoose && { isLoose }), sinceMs: nowMs },
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
  // Pruned turns keep only their id.
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
      : fail('agent_failed', notices.agentFailed(answer.detail), causeOf(answer));
  }
  // Programs write for terminals; a chat would show their colour codes.
  const text = withFiles(withoutTerminalControls(answer.text), answer.files);
  return {
    state: { phase: 'answered' },
    show: [
      isBlank(text) ? notices.emptyAnswer() : { what: 'answer', text },
      { what: 'receipt_off' },
    ],
  };
}

/** The agent's question is shown and the slot is free: the person's reply is a message like any other. */
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

/** Its answer came where it could not be told to be its own, or came not at all. */
function goOnWithout(state: TurnState, reason: string): TurnStep | undefined {
  if (state.phase !== 'overdue' || !isBlind(state, 'overdue')) return undefined;
  return state.asks === true
    ? { state: { phase: 'answered', isOpen: true }, show: [] }
    : stopWaiting(state, reason);
}

/** A chat that was told that the answer will be shown if it still comes hears that it will not. */
function stopWaiting(
  { ticket, asks }: Extract<TurnState, { phase: 'overdue' }>,
  reason: string,
): TurnStep {
  if (ticket !== undefined && asks !== true) return fail(reason, notices.timedOut());
  // It was told already: by the question, or when the time was over.
  return { state: { phase: 'failed', reason }, show: [] };
}

function hold(why: Exclude<HoldReason, 'stale'>): TurnStep {
  return { state: { phase: 'held', why }, show: [choices[why](), { what: 'receipt_off' }] };
}

/** What a remote agent says about its failure is content, and stands in the chat alone. */
function causeOf({ agent, detail }: Extract<TurnAnswer, { kind: 'failed' }>) {
  return agent === undefined ? undefined : { agent, detail };
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

/** With a target that can't say which turn an answer belongs to. */
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
 * An answer can be faster than the receipt for its question, come although the receipt was lost, and after the
 * time was over: nobody else can have been meant.
 */
function mayReceive(state: TurnState): boolean {
  const isInDoubt = state.phase === 'held' && state.why === 'unknown';
  const isOut = isBlind(state, 'accepted') || isBlind(state, 'overdue');
  return state.phase === 'sending' || isOut || isInDoubt;
}

/** The first answer is the turn's; what comes after the end follows under the same question. */
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
      // It runs again by somebody's wish, unless the answer is here.
      return said.kind === 'answered' ? settle(said) : undefined;
    case 'failed':
      return said.kind === 'answered' ? settle(said) : { state, show: follow(said, id) };
    case 'answered':
      return { state: { phase: 'answered' }, show: follow(said, id) };
    case 'command':
    case 'dropped':
      // Nobody wants it any more.
      return undefined;
  }
}

function follow(said: TurnAnswer | TurnQuestion, id: string): Show[] {
  const name = `more:${id}`;
  if (said.kind === 'failed') return [{ ...notices.agentFailed(said.detail), name }];
  const words = said.kind === 'question' ? question(said.wants, said.text) : said.text;
  const text = withFiles(words, said.files);
  return text.trim() === '' ? [] : [{ what: 'answer', name, text }];
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
