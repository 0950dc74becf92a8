/** An agent elsewhere that speaks A2A. */
import { BridgeError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { ProxySettings } from '../../net/proxy.ts';
import type { Clock } from '../../time/clock.ts';
import { endedRun, NOT_RUNNING } from '../ended-run.ts';
import type { Environment } from '../environment.ts';
import type { OutputFolders } from '../output-folders.ts';
import type {
  A2aSpec,
  AgentRun,
  AgentRuntime,
  AgentTurn,
  RuntimeSessions,
  TurnHost,
} from '../runtime.ts';
import { RemoteAgent } from './agent.ts';
import { A2aRun, type RunParts } from './run.ts';
import { AgentTrouble, UNREACHABLE } from './trouble.ts';
import { turnLog } from '../turn-log.ts';

interface A2aOptions {
  readonly spec: A2aSpec;
  /** The bridge's own environment, which holds the token. */
  readonly env: Environment;
  /** Without them the agent is reached directly. */
  readonly proxies?: ProxySettings;
  /** Without them files of answers are left out. */
  readonly outputs?: OutputFolders;
  readonly answerBytesMax: number;
  readonly clock: Clock;
  readonly log: Log;
}

export class A2aRuntime implements AgentRuntime {
  readonly sessions: RuntimeSessions = NO_CHOICES;
  readonly #options: A2aOptions;
  readonly #agent: RemoteAgent;
  readonly #runs = new Set<AgentRun>();
  #life: 'new' | 'started' | 'stopped' = 'new';

  constructor(options: A2aOptions) {
    const { spec, env, clock, proxies = {} } = options;
    this.#options = options;
    this.#agent = new RemoteAgent({ spec, env, proxies, clock });
  }

  /** Asks the agent nothing: whether it can be reached is told by the turns. */
  start(): Promise<void> {
    if (this.#life !== 'new') return Promise.resolve();
    this.#life = 'started';
    const { spec, log } = this.#options;
    if (spec.tokenVariable !== undefined && this.#agent.token === '') {
      log.warn('agent_variables_not_set', {
        names: spec.tokenVariable,
        effect: 'the agent is asked without a token',
        next: 'Set it in the environment of lark-bridge.',
      });
    }
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#life = 'stopped';
    const runs = [...this.#runs];
    for (const run of runs) run.cancel();
    await Promise.all(runs.map(({ result }) => result));
    await this.#agent.close();
  }

  /** Reads its card. */
  async reaches(): Promise<boolean> {
    if (this.#life !== 'started') return true;
    try {
      this.#agent.forgetCard();
      await this.#agent.client();
      return true;
    } catch (error) {
      if (!(error instanceof AgentTrouble)) throw error;
      return !UNREACHABLE.has(error.kind);
    }
  }

  prompt(turn: AgentTurn, host: TurnHost): AgentRun {
    if (this.#life !== 'started') return endedRun(NOT_RUNNING);
    const { clock, outputs, answerBytesMax } = this.#options;
    const log = turnLog(this.#options.log, turn);
    const parts: RunParts = { agent: this.#agent, clock, log, outputs, answerBytesMax };
    const run = new A2aRun(parts, turn, host);
    this.#runs.add(run);
    const end = () => this.#runs.delete(run);
    run.result.then(end, end);
    return run;
  }
}

/** The agent keeps the conversation under an id of its own, as long as it likes. A2A has no choices. */
const NO_CHOICES: RuntimeSessions = {
  options: () => [],
  choose: () =>
    Promise.reject(
      new BridgeError('usage', 'an agent that speaks A2A has nothing to choose', {
        next: 'Tell the agent in your own words what you want.',
      }),
    ),
  close: () => Promise.resolve(),
};
