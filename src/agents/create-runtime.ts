import { join } from 'node:path';
import { A2aRuntime } from './a2a/runtime.ts';
import { AcpRuntime } from './acp/acp-runtime.ts';
import type { AcpObserver } from './acp/observer.ts';
import type { ProgramPlaces } from './acp/places.ts';
import type { OpenTools } from './acp/tools-port.ts';
import { EchoRuntime } from './echo.ts';
import { endedRun } from './ended-run.ts';
import type { Environment } from './environment.ts';
import { ExecRuntime } from './exec.ts';
import { knownAgent } from './known-agents.ts';
import type { LateCode } from './late-code.ts';
import type { OutputFolders } from './output-folders.ts';
import type { ProgramCgroups } from './cgroups/program-cgroups.ts';
import type { RunningPrograms } from './running-programs.ts';
import type { TurnFiles } from './turn-files.ts';
import type { AgentRuntime, RunnableSpec, RuntimeHost } from './runtime.ts';
import type { Log } from '../core/log.ts';
import { failureSentence } from '../wire/failure-sentences.ts';
import type { ProxySettings } from '../net/proxy.ts';
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
  /** Programs that live on between turns, of all agents. */
  readonly places: ProgramPlaces;
  readonly idleMs: number;
  /** Holds a folder for each agent that works in none of the person's. */
  readonly agentFolders: string;
  /** Without them agents can do nothing in the chat but answer. */
  readonly openTools?: OpenTools;
  readonly observer?: AcpObserver;
  readonly proxies?: ProxySettings;
  /** Without it each part is loaded when it is first used. */
  readonly lateCode?: LateCode;
  readonly clock: Clock;
  readonly log: Log;
}

/** Makes the runtime of each kind of agent that can be run here. */
export function createRuntime(
  spec: RunnableSpec,
  options: RuntimeOptions,
  host: RuntimeHost,
): AgentRuntime {
  if (options.lateCode?.isThere(spec.kind) === false) return WAITS_FOR_RESTART;
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
      return new AcpRuntime({
        ...options,
        spec,
        host,
        known: knownAgent(spec.known),
        ownFolder: join(options.agentFolders, host.agent),
        outputBytesMax: AGENT_OUTPUT_BYTES_MAX,
      });
    case 'a2a':
      return new A2aRuntime({ ...options, spec, answerBytesMax: AGENT_OUTPUT_BYTES_MAX });
  }
}

const WAITS_FOR_RESTART: AgentRuntime = {
  start: () => Promise.resolve(),
  stop: () => Promise.resolve(),
  prompt: () =>
    endedRun({ ok: false, reason: 'failed', detail: failureSentence('agent_needs_restart') }),
};
