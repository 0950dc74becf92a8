/** Finds out which agents nobody serves: what is sent to them waits or fails until somebody does something. */
import { BridgeError } from '../../core/errors.ts';
import type { WorkspaceId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';
import { attempt, repeating } from '../../time/repeat.ts';
import type { Service } from '../../time/service.ts';
import type { AgentResult } from '../../agents/runtime.ts';
import type { AgentRecord, AgentStore } from '../ports/agents.ts';
import type { QueueStore } from '../ports/queue.ts';

/** An agent that fetches its turns asks at least this often, as docs/turn-contract.md says, and may miss a little. */
const QUIET_MS_MAX = 45_000;
/** How soon it is noticed that nobody asks, and that somebody does again. */
const CHECK_EVERY_MS = 5_000;
/** How soon it is noticed that an address answers again. */
const REACH_EVERY_MS = 30_000;
/** Another agent than the usual one counts for this long after its address did not answer: nobody may write to it. */
const OTHER_COUNTS_MS = 10 * 60_000;

/** An agent whom nobody serves. */
interface UnservedAgent {
  readonly agent: string;
  /**
   * `never`: nobody has asked for its turns since this process started. `gone`: nobody asks any more.
   * `unreachable`: its address does not answer.
   */
  readonly why: 'never' | 'gone' | 'unreachable';
  readonly sinceMs: number;
}

interface AgentWatchParts {
  readonly store: AgentStore & QueueStore;
  /** The workspace of the bridge in this process. Without one nobody is told of what is found. */
  readonly bridge?: WorkspaceId;
  /** The agent that gets new turns. */
  readonly usualAgent?: () => Promise<AgentRecord>;
  /** Asks an agent elsewhere whether it can be reached. */
  readonly reaches: (agent: AgentRecord) => Promise<boolean>;
  /** A turn may take so long. An agent that works on one need not ask for others. */
  readonly turnTimeoutMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

interface Unreachable {
  readonly sinceMs: number;
  /** When it was noticed last. */
  readonly lastMs: number;
  readonly askedAtMs: number;
}

/** The usual agent, and those with turns of the bridge. An agent that is never needed may be away. */
export class AgentWatch implements Service {
  readonly name = 'hub_agent_watch';
  readonly #parts: AgentWatchParts;
  readonly #rounds: Service;
  readonly #askedAtMs = new Map<WorkspaceId, number>();
  readonly #unreachable = new Map<WorkspaceId, Unreachable>();
  #startedAtMs = 0;
  #unserved: ReadonlyMap<WorkspaceId, UnservedAgent> = new Map();

  constructor(parts: AgentWatchParts) {
    this.#parts = parts;
    const { clock, log } = parts;
    const work = () => this.#check();
    this.#rounds = repeating({ name: this.name, everyMs: CHECK_EVERY_MS, work, clock, log });
  }

  start(): Promise<void> {
    this.#startedAtMs = this.#parts.clock.nowMs();
    return this.#parts.bridge === undefined ? Promise.resolve() : this.#rounds.start();
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  /** An agent has asked for its turns. */
  asked(agent: WorkspaceId): void {
    this.#askedAtMs.set(agent, this.#parts.clock.nowMs());
  }

  /** A turn of an agent that the hub runs has ended. */
  ended(agent: WorkspaceId, result: AgentResult): void {
    if (result.ok || result.isUnreachable !== true) {
      this.#unreachable.delete(agent);
      return;
    }
    const nowMs = this.#parts.clock.nowMs();
    const { sinceMs = nowMs } = this.#unreachable.get(agent) ?? {};
    this.#unreachable.set(agent, { sinceMs, lastMs: nowMs, askedAtMs: nowMs });
  }

  /** Whether an agent is one of them, as it was found out last. */
  unservedOf(agent: WorkspaceId): UnservedAgent | undefined {
    return this.#unserved.get(agent);
  }

  /** The usual agent if it is one of them, else another one. */
  get unserved(): UnservedAgent | undefined {
    return [...this.#unserved.values()][0];
  }

  async #check(): Promise<void> {
    const { store, bridge } = this.#parts;
    const agents = (await store.agents()).filter(
      ({ spec }) => spec.kind === 'external' || spec.kind === 'a2a',
    );
    const usual = agents.length === 0 ? undefined : await this.#usual();
    const waiting = agents.length === 0 || bridge === undefined ? [] : await store.openOf(bridge);
    const sinceOf = new Map(waiting.map(({ target, sinceMs }) => [target, sinceMs]));
    const found = new Map<WorkspaceId, UnservedAgent>();
    const first = (one: AgentRecord) => Number(one.workspaceId === usual);
    for (const agent of agents.toSorted((one, other) => first(other) - first(one))) {
      const { workspaceId: id, spec } = agent;
      const about = { isUsual: id === usual, openSinceMs: sinceOf.get(id) };
      const unserved =
        spec.kind === 'a2a' ? await this.#ofElsewhere(agent, about) : this.#ofPolling(agent, about);
      if (unserved !== undefined) found.set(id, unserved);
    }
    this.#tell(found, new Set(agents.map(({ workspaceId }) => workspaceId)));
    this.#unserved = found;
  }

  /** Undefined if the settings name an agent that is gone: the turns wait, and say so. */
  async #usual(): Promise<WorkspaceId | undefined> {
    try {
      return (await this.#parts.usualAgent?.())?.workspaceId;
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      return undefined;
    }
  }

  #ofPolling(
    { name: agent, workspaceId, createdAtMs }: AgentRecord,
    { isUsual, openSinceMs }: { isUsual: boolean; openSinceMs: number | undefined },
  ): UnservedAgent | undefined {
    if (!isUsual && openSinceMs === undefined) return undefined;
    const { clock, turnTimeoutMs } = this.#parts;
    const askedAtMs = this.#askedAtMs.get(workspaceId);
    const sinceMs = askedAtMs ?? Math.max(this.#startedAtMs, createdAtMs);
    const quietMs = clock.nowMs() - sinceMs;
    if (quietMs < QUIET_MS_MAX) return undefined;
    if (askedAtMs === undefined) {
      // An earlier process may have given it a turn, and it need not ask before that is done.
      const mayWork = openSinceMs !== undefined && openSinceMs < this.#startedAtMs;
      return mayWork && quietMs < turnTimeoutMs ? undefined : { agent, why: 'never', sinceMs };
    }
    const isAtWork = openSinceMs !== undefined && openSinceMs <= askedAtMs;
    return isAtWork && quietMs < turnTimeoutMs ? undefined : { agent, why: 'gone', sinceMs };
  }

  async #ofElsewhere(
    record: AgentRecord,
    { isUsual }: { isUsual: boolean },
  ): Promise<UnservedAgent | undefined> {
    const { workspaceId: id, name: agent } = record;
    const known = this.#unreachable.get(id);
    if (known === undefined) return undefined;
    const nowMs = this.#parts.clock.nowMs();
    if (nowMs - known.askedAtMs >= REACH_EVERY_MS) {
      this.#unreachable.set(id, { ...known, askedAtMs: nowMs });
      // Beside the rounds: a call may take long.
      void attempt(this.name, this.#parts.log, () => this.#askAgain(record));
    }
    const counts = isUsual || nowMs - known.lastMs < OTHER_COUNTS_MS;
    return counts ? { agent, why: 'unreachable', sinceMs: known.sinceMs } : undefined;
  }

  async #askAgain(agent: AgentRecord): Promise<void> {
    if (await this.#parts.reaches(agent)) this.#unreachable.delete(agent.workspaceId);
  }

  /** One line for an outage, and one for its end. */
  #tell(found: ReadonlyMap<WorkspaceId, UnservedAgent>, known: ReadonlySet<WorkspaceId>): void {
    const { log } = this.#parts;
    for (const [id, { agent, why, sinceMs }] of found) {
      if (this.#unserved.has(id)) continue;
      const since = new Date(sinceMs).toISOString();
      log.warn('agent_found_unserved', { agent, why, since, next: NEXT[why] });
    }
    for (const [id, { agent }] of this.#unserved) {
      // One that was removed is served by nobody.
      if (!found.has(id) && known.has(id)) log.info('agent_served_again', { agent });
    }
  }
}

const NEXT: Readonly<Record<UnservedAgent['why'], string>> = {
  never: 'Start the program that fetches its turns.',
  gone: 'Start its program again.',
  unreachable: 'Start that agent, or check its address.',
};
