/** What its phase says about a turn. It is pure. */
import type { TurnPhase, TurnState } from '../../core/turn.ts';

const FINAL: ReadonlySet<TurnPhase> = new Set(['answered', 'failed', 'dropped']);
const ENGAGED: ReadonlySet<TurnPhase> = new Set(['sending', 'accepted']);

/** The turn is over. Nothing more happens unless a person wants it. */
export const isFinal = (phase: TurnPhase): boolean => FINAL.has(phase);

/** The turn holds a slot and the lane of its chat. */
export const isEngaged = (phase: TurnPhase): boolean => ENGAGED.has(phase);

/** Its person waits for the bridge or for the agent. */
export const waitsOrRuns = (phase: TurnPhase): boolean => phase === 'waiting' || isEngaged(phase);

/** An agent may have it: it works on it, answers late, or has asked the person for something. */
export const isGiven = (phase: TurnPhase): boolean => isEngaged(phase) || phase === 'overdue';

/** An agent may be at work on it. After a question it waits for the person, who can only answer. */
export function isAtWork(state: TurnState): boolean {
  return state.phase === 'overdue' ? state.asks !== true : isEngaged(state.phase);
}
