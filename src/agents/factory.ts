import type { AgentFactory } from './runtime.ts';
import { createEchoAgent } from './echo.ts';
import type { Environment } from './environment.ts';
import { createExecAgent } from './exec.ts';
import type { ProgramBook } from './program-book.ts';
import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';

/** An agent's answer. Longer ones would be dozens of Lark messages and are a program gone wrong. */
const AGENT_OUTPUT_BYTES_MAX = 1024 * 1024;

export interface FactoryOptions {
  readonly env: Environment;
  readonly timeoutMs: number;
  readonly programs?: ProgramBook;
  readonly clock: Clock;
  readonly log: Log;
}

/** Builds each kind of agent that the hub can run. */
export function createAgentFactory(options: FactoryOptions): AgentFactory {
  return (spec) => {
    switch (spec.kind) {
      case 'echo':
        return createEchoAgent();
      case 'exec':
        return createExecAgent({
          ...options,
          argv: spec.argv,
          outputBytesMax: AGENT_OUTPUT_BYTES_MAX,
        });
    }
  };
}
