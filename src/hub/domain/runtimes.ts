/** One runtime for each agent that the hub runs. It is made for the first turn and kept for the next ones. */
import type {
  AgentResult,
  AgentRun,
  AgentRuntime,
  AgentTurn,
  CreateRuntime,
  OwnerNotice,
  RunnableSpec,
  RuntimeSessions,
  TurnHost,
} from '../../agents/runtime.ts';
import type { WorkspaceId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';
import { waitAtMost } from '../../time/wait.ts';
import { repeating, type RepeatedWork } from '../../time/repeat.ts';
import type { AgentRecord, AgentStore } from '../ports/agents.ts';
import type { SessionAudience } from '../ports/sessions.ts';
import { CANCELLED } from './agent-work.ts';

/** How often it is checked which agents still exist: another process may remove them. */
const AGENTS_CHECK_MS = 10_000;
/** The hub waits this long for the stop of a runtime. Programs that live on between turns take up to 3 s to end. */
const RUNTIME_STOP_MS_MAX = 4_000;

interface RunnableAgent {
  readonly name: string;
  readonly workspaceId: WorkspaceId;
  readonly spec: RunnableSpec;
}

interface Kept {
  readonly runtime: AgentRuntime;
  readonly started: Promise<void>;
  /** The turns that it was given and that have not ended. */
  turns: number;
}

interface RuntimesParts {
  readonly createRuntime: CreateRuntime;
  readonly store: AgentStore;
  readonly audience?: SessionAudience | undefined;
  /** Called with how each turn of an agent ends. */
  readonly onEnd?: (agent: WorkspaceId, result: AgentResult) => void;
  readonly clock: Clock;
  readonly log: Log;
}

export class Runtimes {
  readonly #create: CreateRuntime;
  readonly #store: AgentStore;
  readonly #audience: SessionAudience | undefined;
  readonly #onEnd: RuntimesParts['onEnd'];
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #kept = new Map<string, Kept>();
  readonly #stopping = new Set<Promise<void>>();
  readonly #rounds: RepeatedWork;

  constructor({ createRuntime, store, audience, onEnd, clock, log }: RuntimesParts) {
    this.#onEnd = onEnd;
    this.#create = createRuntime;
    this.#store = store;
    this.#audience = audience;
    this.#clock = clock;
    this.#log = log;
    this.#rounds = repeating({
      name: 'hub_agents_check',
      everyMs: AGENTS_CHECK_MS,
      work: () => this.#check(),
      clock,
      log,
    });
  }

  start(): Promise<void> {
    return this.#rounds.start();
  }

  /** Stops all runtimes. To be called when all turns have ended. */
  async stop(): Promise<void> {
    await this.#rounds.stop();
    for (const key of this.#kept.keys()) this.#end(key);
    await Promise.all(this.#stopping);
  }

  /** Gives a turn to the agent's runtime. Rejects if the runtime can't be started. The next turn tries again. */
  async prompt(agent: RunnableAgent, turn: AgentTurn, host: TurnHost): Promise<AgentRun> {
    // A turn that was stored while the hub stopped. It is put back like those that were at work.
    if (this.#rounds.stopSignal.aborted) return CANCELLED_RUN;
    const key = keyOf(agent);
    const kept = this.#kept.get(key) ?? this.#make(key, agent);
    kept.turns += 1;
    const end = () => {
      kept.turns -= 1;
    };
    try {
      await this.#started(key, kept);
      const run = kept.runtime.prompt(turn, host);
      run.result.then((result) => {
        end();
        this.#onEnd?.(agent.workspaceId, result);
      }, end);
      return run;
    } catch (error) {
      end();
      throw error;
    }
  }

  async #started(key: string, kept: Kept): Promise<void> {
    try {
      await kept.started;
    } catch (error) {
      if (this.#kept.get(key) === kept) this.#end(key);
      throw error;
    }
  }

  /** The memories of an agent. Undefined: it has none. Starts no program. */
  sessionsOf(agent: RunnableAgent): RuntimeSessions | undefined {
    if (this.#rounds.stopSignal.aborted) return undefined;
    const key = keyOf(agent);
    return (this.#kept.get(key) ?? this.#make(key, agent)).runtime.sessions;
  }

  /** Whether an agent elsewhere can be reached. */
  async reaches(agent: AgentRecord): Promise<boolean> {
    const { spec } = agent;
    if (spec.kind === 'external' || this.#rounds.stopSignal.aborted) return true;
    const key = keyOf(agent);
    const { runtime, started } = this.#kept.get(key) ?? this.#make(key, { ...agent, spec });
    await started;
    return (await runtime.reaches?.()) ?? true;
  }

  #make(key: string, { name, spec }: RunnableAgent): Kept {
    const audience = this.#audience;
    const runtime = this.#create(spec, {
      agent: name,
      onLateText: (session, text) => audience?.lateText(session, text),
      onOwnerNotice: (notice: OwnerNotice) => audience?.ownerNotice(name, notice),
    });
    const kept: Kept = { runtime, started: runtime.start(), turns: 0 };
    this.#kept.set(key, kept);
    return kept;
  }

  /** Ends the runtimes of agents that were removed or changed, once their turns are over. */
  async #check(): Promise<void> {
    if (this.#kept.size === 0) return;
    const wanted = new Set((await this.#store.agents()).map(keyOf));
    for (const [key, { turns }] of this.#kept) {
      if (turns === 0 && !wanted.has(key)) this.#end(key);
    }
  }

  #end(key: string): void {
    const kept = this.#kept.get(key);
    if (kept === undefined) return;
    this.#kept.delete(key);
    const stopped = this.#stopInTime(kept.runtime).finally(() => this.#stopping.delete(stopped));
    this.#stopping.add(stopped);
  }

  async #stopInTime(runtime: AgentRuntime): Promise<void> {
    const isStopped = await waitAtMost(this.#clock, runtime.stop(), RUNTIME_STOP_MS_MAX);
    if (!isStopped) this.#log.error('hub_runtime_abandoned');
  }
}

const CANCELLED_RUN: AgentRun = {
  result: Promise.resolve(CANCELLED),
  cancel: () => {},
  answer: () => false,
};

/** An agent that was changed counts as another agent. */
function keyOf({ workspaceId, spec }: Pick<RunnableAgent, 'workspaceId'> & { spec: unknown }) {
  return JSON.stringify([workspaceId, spec]);
}
