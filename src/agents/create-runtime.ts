import { EchoRuntime } from './echo.ts';
import type { Environment } from './environment.ts';
import { ExecRuntime } from './exec.ts';
import type { OutputFolders } from './output-folders.ts';
import type { ProgramCgroups } from './cgroups/program-cgroups.ts';
import type { RunningPrograms } from './running-programs.ts';
import type { TurnFiles } from './turn-files.ts';
import type { AgentRuntime, RunnableSpec, RuntimeHost } from './runtime.ts';
import { BridgeError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';

/** An agent's answer. A longer one would make dozens of Lark messages; its program has most likely failed. */
const AGENT_OUTPUT_BYTES_MAX = 1024 * 1024;

interface RuntimeOptions {
  readonly env: Environment;
  readonly timeoutMs: number;
  readonly programs?: RunningPrograms;
  readonly cgroups?: ProgramCgroups;
  readonly outputs?: OutputFolders;
  readonly turnFiles?: TurnFiles;
  readonly clock: Clock;
  readonly log: Log;
}

/** Makes the runtime of each kind of agent that can be run here. */
export function createRuntime(
  spec: RunnableSpec,
  options: RuntimeOptions,
  _host: RuntimeHost,
): AgentRuntime {
  switch (spec.kind) {
    case 'echo':
      return new EchoRuntime();
    case 'exec':
      return new ExecRuntime({
        ...options,
        spec,
        outputBytesMax: AGENT_OUTPUT_BYTES_MAX,
      });
    case 'acp':
    case 'a2a':
      throw new BridgeError('config_invalid', `agents of the kind ${spec.kind} can't be run yet`);
  }
}
