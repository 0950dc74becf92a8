/** What the log says of a turn that has changed: one line when it is over. What happens on the way is for `debug`. */
import type { Log } from '../../core/log.ts';
import type { Turn, TurnState } from '../../core/turn.ts';
import { begunAtMs } from './turn.ts';
import type { TurnEvent } from './turn-events.ts';

interface Changed {
  readonly turn: Turn;
  readonly was: TurnState;
  readonly event: TurnEvent;
  readonly nowMs: number;
  /** Who had the turn: the name of the agent, or its workspace at a hub elsewhere. */
  readonly agent: string | undefined;
  readonly turnTimeoutMs: number;
}

/** What happens to every message, or again and again while the agent is away. `trace` and the health tell it. */
const USUAL_PHASES: ReadonlySet<TurnState['phase']> = new Set([
  'waiting',
  'sending',
  'accepted',
  'answered',
]);
const ANSWERS: ReadonlySet<TurnEvent['kind']> = new Set(['sent', 'waited', 'received', 'named']);

export function logChange(log: Log, changed: Changed): void {
  const { turn, was, event } = changed;
  const { state } = turn;
  const about = { turn: turn.id, chat: turn.message.chatId };
  const isOver = state.phase !== was.phase;
  if (isOver && state.phase === 'failed') {
    const { agent, detail, exitCode } = state.cause ?? {};
    log.warn('turn_failed', {
      ...about,
      ...workOf(changed, agent),
      reason: state.reason,
      ...(exitCode !== undefined && { exit_code: exitCode }),
      ...(detail !== undefined && { detail }),
    });
  } else if (isOver && state.phase === 'answered' && ANSWERS.has(event.kind)) {
    log.info('turn_answered', { ...about, ...workOf(changed) });
  } else if (event.kind === 'carried_out' && was.phase === 'command') {
    log.info('command_carried_out', { ...about, command: was.action });
  } else {
    const by = 'by' in event ? event.by : undefined;
    // What somebody ordered is always told.
    const level = by === undefined && USUAL_PHASES.has(state.phase) ? 'debug' : 'info';
    const what = { on: event.kind, ...(by !== undefined && { by }), phase: state.phase };
    log[level]('turn_changed', { ...about, ...what });
  }
}

/** Who worked on it, and for how long. */
function workOf({ agent, was, nowMs, turnTimeoutMs }: Changed, named = agent) {
  const begunMs = begunAtMs(was, turnTimeoutMs);
  return {
    ...(named !== undefined && { agent: named }),
    ...(begunMs !== undefined && { took_ms: nowMs - begunMs }),
  };
}
