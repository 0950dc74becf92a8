/** What a recall of the message does to its turn. Pure. */
import type { Turn, TurnState } from '../../core/turn.ts';
import type { Show } from '../outbox/show.ts';
import type { Withdrawal } from '../ports/changes.ts';

interface Recalled {
  readonly state: TurnState;
  readonly show: readonly Show[];
  readonly withdrawn: Withdrawal;
}

interface RecallRules {
  readonly nowMs: number;
  /** How long files without words wait for words. */
  readonly burstWaitMs?: number;
}

/**
 * In every phase the message is not used again: a run ends, no new run starts, and nothing quotes it. If there is
 * an answer already, the other people in its thread still see it.
 */
export function recalled(
  { state, message }: Turn,
  by: string | undefined,
  rules: RecallRules,
): Recalled | undefined {
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
      // The messages that it took in were not recalled, and have no answer.
      return ended(by, { dropsOut: true, frees: freedState(state, rules) });
    case 'overdue':
    case 'held':
    case 'kept':
    case 'failed':
      return ended(by, { dropsOut: true });
  }
}

function ended(by: string | undefined, withdrawn: Withdrawal): Recalled {
  const state = { phase: 'dropped', why: 'recalled', ...(by !== undefined && { by }) } as const;
  return { state, show: [{ what: 'receipt_off' }], withdrawn };
}

/** They wait for other words: until the time that they had, or as long as at first. */
function freedState(state: TurnState, { nowMs, burstWaitMs = 0 }: RecallRules): TurnState {
  if (state.phase === 'waiting' && state.gathers === true) return state;
  return { phase: 'waiting', attempt: 0, notBeforeMs: nowMs + burstWaitMs, gathers: true };
}
