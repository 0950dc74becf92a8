/** Held and failed turns that people can decide about, and which of them a word means. It is pure. */
import type { TurnId } from '../../core/ids.ts';
import type { ChoiceAction } from '../../core/content.ts';
import type { Turn } from '../../core/turn.ts';

/** The largest number of held or failed turns of a chat that a command can mean. */
export const ASKABLE_MAX = 100;

/** The held and failed turns of a chat, newest first. */
interface Askable {
  /** Those whose messages the person wrote who sends the command. */
  readonly own: readonly Turn[];
  readonly all: readonly Turn[];
}

/**
 * Which turns a command means. A turn belongs to the person who wrote its message, so `/run` and `/skip` mean only
 * own turns: all old ones together, or else the newest one that is held. `/retry` means the newest own one that it
 * fits, or else the newest one of the chat, which then runs as the person who asks for it. It never means an old one.
 */
export function turnsToDecide(action: ChoiceAction, { own, all }: Askable): TurnId[] {
  if (action === 'retry') {
    // The question about old messages does not offer `/retry`.
    const newest = [...own, ...all].find((turn) => isAskable(turn) && !isStale(turn));
    return newest === undefined ? [] : [newest.id];
  }
  const stale = staleAmong(own);
  const held = own.filter((turn) => isAskable(turn) && turn.state.phase === 'held');
  return (stale.length > 0 ? stale : held.slice(0, 1)).map(({ id }) => id).toReversed();
}

/** Old messages that wait for a decision. */
export function staleAmong(turns: readonly Turn[]): Turn[] {
  return turns.filter((turn) => isAskable(turn) && isStale(turn));
}

/** Pruned turns keep only their id. */
function isAskable(turn: Turn): boolean {
  return turn.message.parts.length > 0 && !isAwaited(turn);
}

/** The chat is asked about all of them at once. */
export function isStale({ state }: Pick<Turn, 'state'>): boolean {
  return state.phase === 'held' && (state.why === 'stale' || state.why === 'restored');
}

/** Overdue with a ticket: the answer will still be shown when it comes. */
function isAwaited({ state }: Turn): boolean {
  return state.phase === 'overdue' && state.ticket !== undefined;
}
