import { EchoRuntime } from './echo.ts';
import type { Environment } from './environment.ts';
import { ExecRuntime } from './exec.ts';
import type { ProgramBook } from './program-book.ts';
import type { AgentRuntime, RunnableSpec } from './runtime.ts';
import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';

/** An agent's answer. Longer ones would be dozens of Lark messages and are a program gone wrong. */
const AGENT_OUTPUT_BYTES_MAX = 1024 * 1024;

export interface RuntimeOptions {
  readonly env: Environment;
  readonly timeoutMs: number;
  readonly programs?: ProgramBook;
  readonly clock: Clock;
  readonly log: Log;
}

/** Makes the runtime of each kind of agent that can be run here. */
export function createRuntime(spec: RunnableSpec, options: RuntimeOptions): AgentRuntime {
  switch (spec.kind) {
    case 'echo':
      return new EchoRuntime();
    case 'exec':
      return new ExecRuntime({
        ...options,
        argv: spec.argv,
        outputBytesMax: AGENT_OUTPUT_BYTES_MAX,
      });
  }
}
