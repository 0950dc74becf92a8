/** How a turn ends whose program could not be started, or took too long. */
import type { ChildProcess } from 'node:child_process';
import type { BridgeError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { meaningOf } from '../files/system-errors.ts';
import { failureSentence, noAnswerWithin } from '../wire/failure-sentences.ts';
import type { AgentResult, AgentRun, FailedResult } from './runtime.ts';

export function notReady(log: Log, { message, next }: BridgeError): FailedResult {
  log.error('agent_program_not_started', { error: message, next });
  return { ok: false, reason: 'failed', detail: failureSentence('program_not_prepared') };
}

export function startFailure(log: Log, error: NodeJS.ErrnoException): FailedResult {
  const meaning = meaningOf(error);
  const fields = { error: error.message };
  log.error('agent_program_not_started', meaning ? { ...fields, next: meaning.next } : fields);
  return { ok: false, reason: 'failed', detail: notStartedFor(error, meaning?.what) };
}

function notStartedFor({ code }: NodeJS.ErrnoException, cause: string | undefined): string {
  if (code === 'ENOENT') return failureSentence('program_not_found');
  return cause === undefined
    ? failureSentence('program_not_started')
    : failureSentence('program_not_started_because', cause);
}

/** The turn goes on, as where there are no cgroups. */
export function notInCgroup(log: Log, error: NodeJS.ErrnoException): void {
  log.warn('agent_cgroup_not_entered', {
    error: error.message,
    effect:
      'a process that leaves the group of its program and clears its environment goes on after the turn',
    ...(error.code === 'EAGAIN' && {
      next: 'A limit is reached: see cgroup.max.descendants and cgroup.max.depth of the cgroup of lark-bridge and of those above it.',
    }),
  });
}

export function timedOut(timeoutMs: number): AgentResult {
  return { ok: false, reason: 'timed_out', detail: noAnswerWithin(timeoutMs) };
}

/** Also for an error of `spawn`, which does not always name a call. */
export function isThrownBySystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).code === 'string';
}

/** Its error comes as an event, after this call. */
export function notStarted(child: ChildProcess, resultOf: (error: Error) => AgentResult): AgentRun {
  const result = new Promise<AgentResult>((resolve) => {
    child.once('error', (error) => resolve(resultOf(error)));
  });
  return { result, cancel: () => {}, answer: () => false };
}
