/** A turn that somebody ends before its answer came, and what still comes for a turn that is over. It is pure. */
import { personOf, type Turn, type TurnPhase, type TurnState } from '../../core/turn.ts';
import type { Show } from '../outbox/show.ts';
import { commandNotices } from '../texts/commands.ts';
import { isAtWork, isFinal, isGiven } from './phases.ts';

/** Undefined if the turn is over or waits for a decision. */
export function stopped(
  turn: Turn,
  { by }: { readonly by: string },
): { readonly state: TurnState; readonly show: readonly Show[] } | undefined {
  const { state } = turn;
  if (!isAtWork(state) && state.phase !== 'waiting') return undefined;
  const isOwn = by === personOf(turn);
  return {
    state: { phase: 'dropped', why: 'stopped', by },
    show: [commandNotices.stopped({ isOwn }), { what: 'receipt_off' }],
  };
}

/** For the operator. If answers name no turn, an agent's answer could be shown as that of another turn. */
export function mayDrop(phase: TurnPhase, correlates: boolean): boolean {
  return !isFinal(phase) && (correlates || !isGiven(phase));
}
