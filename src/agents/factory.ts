import type { AgentFactory } from '../core/hub-ports.ts';
import { AGENT_OUTPUT_BYTES_MAX } from '../core/limits.ts';
import type { Clock, Log } from '../core/ports.ts';
import { createEchoAgent } from './echo.ts';
import type { Environment } from './environment.ts';
import { createExecAgent } from './exec.ts';
import type { ProgramBook } from './program-book.ts';

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
