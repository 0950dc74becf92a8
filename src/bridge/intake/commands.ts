/** Commands that a person can type to the bridge itself, about turns that wait for their decision. */
import type { TurnId } from '../../core/ids.ts';
import type { InboundMessage } from '../../core/message.ts';
import type { ChoiceAction } from '../../core/content.ts';
import type { Turn } from '../../core/turn.ts';
import { visibleOf } from '../../core/visible.ts';

const COMMANDS: Readonly<Record<string, ChoiceAction>> = {
  '/run': 'run',
  '/skip': 'skip',
  '/retry': 'retry',
};

/** The command of a message that is nothing but a command. */
export function parseCommand(message: InboundMessage): ChoiceAction | undefined {
  const [part, ...more] = message.parts;
  if (part?.kind !== 'text' || more.length > 0) return undefined;
  return COMMANDS[visibleOf(part.text).toLowerCase()];
}

/**
 * Which turns a command means. `all` are those of the chat that are held or failed, newest first.
 * Stale turns are run or skipped together, and never retried; otherwise it means the newest one that it fits.
 */
export function turnsMeant(action: ChoiceAction, all: readonly Turn[]): TurnId[] {
  // Pruned turns keep only their id.
  const askable = all.filter((turn) => turn.message.parts.length > 0 && !isAwaited(turn));
  const held = askable.filter((turn) => turn.state.phase === 'held');
  const stale = held.filter(({ state }) => state.phase === 'held' && state.why === 'stale');
  if (action !== 'retry' && stale.length > 0) return stale.map((turn) => turn.id).toReversed();
  // Old messages never ran: they are asked about in other words, and the chat was offered this one for others.
  const fitting = action === 'retry' ? askable.filter((turn) => !stale.includes(turn)) : held;
  const [newest] = fitting;
  return newest === undefined ? [] : [newest.id];
}

/** Overdue with a ticket: its answer will still be shown when it comes. */
function isAwaited({ state }: Turn): boolean {
  return state.phase === 'overdue' && state.ticket !== undefined;
}
