import { failureSentence } from '../wire/failure-sentences.ts';
import type { AgentResult, AgentRun, FailedResult } from './runtime.ts';

/** A run that has ended already. */
export function endedRun(result: AgentResult): AgentRun {
  return { result: Promise.resolve(result), cancel: () => {}, answer: () => false };
}

/** How a turn ends that came before the start of its agent, or after its stop. */
export const NOT_RUNNING: AgentResult = {
  ok: false,
  reason: 'failed',
  detail: failureSentence('agent_not_running'),
};

/** How a turn ends that was called off. */
export const CANCELLED: FailedResult = {
  ok: false,
  reason: 'cancelled',
  detail: failureSentence('cancelled'),
};
