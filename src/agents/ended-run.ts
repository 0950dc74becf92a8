import type { AgentResult, AgentRun } from './runtime.ts';

/** A run that is over from the beginning. */
export function endedRun(result: AgentResult): AgentRun {
  return { result: Promise.resolve(result), cancel: () => {} };
}

/** The end of a turn that came before the start of its agent, or after the stop. */
export const NOT_RUNNING: AgentResult = {
  ok: false,
  reason: 'failed',
  detail: 'The agent is not running.',
};
