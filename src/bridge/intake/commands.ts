/** Commands that a person can type. They tell the bridge what to do with turns that wait for a decision. */
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

/** The command, if the message contains only a command. */
export function parseCommand(message: InboundMessage): ChoiceAction | undefined {
  const [part, ...more] = message.parts;
  if (part?.kind !== 'text' || more.length > 0) return undefined;
  return COMMANDS[visibleOf(part.text).toLowerCase()];
}

/**
 * Which turns a command means. `all` are the held and failed turns of the chat, newest first.
 * `/run` and `/skip` mean all stale turns together. If there are none, and for `/retry`, only the newest turn is
 * meant that the command fits. `/retry` never means a stale turn.
 */
export function turnsMeant(action: ChoiceAction, all: readonly Turn[]): TurnId[] {
  // Pruned turns keep only their id.
  const askable = all.filter((turn) => turn.message.parts.length > 0 && !isAwaited(turn));
  const held = askable.filter((turn) => turn.state.phase === 'held');
  const stale = held.filter(({ state }) => state.phase === 'held' && state.why === 'stale');
  if (action !== 'retry' && stale.length > 0) return stale.map((turn) => turn.id).toReversed();
  // The question about old messages does not offer `/retry`: they never ran.
  const fitting = action === 'retry' ? askable.filter((turn) => !stale.includes(turn)) : held;
  const [newest] = fitting;
  return newest === undefined ? [] : [newest.id];
}

/** Overdue with a ticket: the answer will still be shown when it comes. */
function isAwaited({ state }: Turn): boolean {
  return state.phase === 'overdue' && state.ticket !== undefined;
}
