/** Turns given to an agent elsewhere, and all that came of them. */
import { onTestFinished } from 'vitest';
import { A2aRuntime } from '../../../src/agents/a2a/runtime.ts';
import type { AgentTurn, TurnHost } from '../../../src/agents/runtime.ts';
import type { TurnUpdate } from '../../../src/core/turn-update.ts';
import { fasterClock } from '../../kit/clock.ts';
import { recordingLog } from '../../kit/log.ts';
import { type A2aOptions, a2aOptions } from '../../unit/agents/a2a/a2a-options.ts';
import { serveAgent } from './a2a-agents.ts';
import { turnOf } from './agent-contract.ts';

/** One that is closed after the test. */
export async function agentOf(...args: Parameters<typeof serveAgent>) {
  const agent = await serveAgent(...args);
  onTestFinished(agent.close);
  return agent;
}

/** A runtime for the agent at this address. Waits between tries are short. */
export async function a2aRig(url: string, more: Parameters<typeof a2aOptions>[1] = {}) {
  const log = recordingLog();
  const options: A2aOptions = a2aOptions(url, { clock: fasterClock(20), log, ...more });
  const runtime = new A2aRuntime(options);
  await runtime.start();
  onTestFinished(() => runtime.stop());
  return {
    log,
    runtime,
    prompt(text: string, turn: Partial<AgentTurn> = {}, host: Partial<TurnHost> = {}) {
      const updates: TurnUpdate[] = [];
      /** The agent's ids of the conversation, as they were stored. */
      const kept: (string | undefined)[] = [];
      const run = runtime.prompt(turnOf(text, turn), {
        onUpdate: (update) => updates.push(update),
        keepSession(nativeId) {
          kept.push(nativeId);
          return Promise.resolve();
        },
        ...host,
      });
      const questions = () =>
        updates.flatMap((update) => (update.kind === 'question' ? [update] : []));
      return { run, result: run.result, updates, kept, questions };
    },
  };
}
