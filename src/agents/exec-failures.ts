/** How a turn ends whose program could not be started, or took too long. */
import type { BridgeError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { meaningOf } from '../files/system-errors.ts';
import type { AgentResult, AgentTurn } from './runtime.ts';

export function notReady(log: Log, turn: AgentTurn, { message, next }: BridgeError): AgentResult {
  log.error('agent_program_not_started', { turn: turn.turnId, error: message, next });
  const detail =
    "The agent's program could not be started, because its user or its file of variables can't be used.";
  return { ok: false, reason: 'failed', detail };
}

export function startFailure(log: Log, turn: AgentTurn, error: NodeJS.ErrnoException): AgentResult {
  const meaning = meaningOf(error);
  const fields = { turn: turn.turnId, error: error.message };
  log.error('agent_program_not_started', meaning ? { ...fields, next: meaning.next } : fields);
  const because = meaning === undefined ? '' : `, because ${meaning.what}`;
  const detail =
    error.code === 'ENOENT'
      ? "The agent's program was not found."
      : `The agent's program could not be started${because}.`;
  return { ok: false, reason: 'failed', detail };
}

export function timedOut(timeoutMs: number): AgentResult {
  const secs = Math.round(timeoutMs / 1000);
  const detail = `The agent gave no answer within ${secs} ${secs === 1 ? 'second' : 'seconds'}.`;
  return { ok: false, reason: 'timed_out', detail };
}

/** Also for an error of `spawn`, which does not always name a call. */
export function isThrownBySystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).code === 'string';
}
