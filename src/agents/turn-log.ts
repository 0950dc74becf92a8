import { hubTurn, type Log, logAbout } from '../core/log.ts';
import type { AgentTurn } from './runtime.ts';

/** What names a turn in the log. */
export type NamedTurn = Pick<AgentTurn, 'turnId' | 'lark'>;

/** A log whose lines all name the turn. */
export function turnLog(log: Log, { turnId, lark }: NamedTurn): Log {
  return logAbout(log, hubTurn(turnId, lark?.messageId));
}
