import { type BridgeError, isStoreTrouble } from '../../core/errors.ts';
import type { AgentStore, QueueId, QueueItem, QueueStore, Settlement } from '../ports.ts';
import type { CreateRuntime } from '../../agents/runtime.ts';
import { STORE_RETRY_MS } from '../../core/limits.ts';
import { untilStored } from '../../time/until-stored.ts';
import { limitAt } from '../../time/wait.ts';
import { Wake } from '../../time/wake.ts';
import { AgentWork } from './agent-work.ts';
import { agentTurnOf } from './messages.ts';
import { failure, success } from './outcomes.ts';
import { Runtimes } from './runtimes.ts';
import { Updates } from './updates.ts';
import type { Settlements } from './settlements.ts';
import { HUB_ITEM_KEEP_MS } from './upkeep.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';

/** Times that a turn is begun before it counts as the one that kills the process. */
const HUB_ATTEMPTS_MAX = 5;
/** How often the dispatcher looks without being woken: items that expire, agents that were removed. */
const HUB_LOOK_MS = 10_000;
/** Turns that end within this after the hub was told to stop are not cancelled. */
const HUB_STOP_FINISH_MS = 1_000;

/** What happens to a turn whose agent was at work when the process died. */
export type InterruptedPolicy = 'rerun' | 'fail';

export interface DispatcherParts {
  readonly store: QueueStore & AgentStore;
  readonly settlements: Settlements;
  readonly createRuntime: CreateRuntime;
  readonly clock: Clock;
  readonly log: Log;
  readonly maxRunning: number;
  readonly turnTimeoutMs: number;
  readonly onInterrupted: InterruptedPolicy;
}

/**
 * Runs the agents that the hub runs itself. An item is marked dispatched before its agent starts and
 * settled after the agent ended; dying anywhere between leaves it marked, and the next start sees to it.
 */
export class Dispatcher {
  readonly updates = new Updates();
  readonly #parts: DispatcherParts;
  readonly #running = new Map<
    QueueId,
    { readonly work: AgentWork; readonly over: Promise<void> }
  >();
  readonly #runtimes: Runtimes;
  readonly #bell = new Wake();
  readonly #stopping = new AbortController();
  #calls = 0;
  #loop: Promise<void> = Promise.resolve();
  /** The latest look for something to start. */
  #looking: Promise<unknown> = Promise.resolve();

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
    this.#runtimes = new Runtimes(parts);
  }

  /** Sees to what a crash left behind, then begins to work. Rejects if the database refuses. */
  async start(): Promise<void> {
    await this.#recover();
    await this.#runtimes.start();
    this.#loop = this.#runLoop();
  }

  /** There may be something to do. */
  wake(): void {
    this.#calls += 1;
    this.#bell.ring();
  }

  /** Ends a turn for good; an agent at work on it is told to stop. A turn that has its answer keeps it. */
  async cancel(turn: QueueId): Promise<void> {
    const { store, settlements, clock, log } = this.#parts;
    const ending = failure('cancelled', 'The turn was cancelled.', clock.nowMs());
    if (!(await store.settle(turn, ending))) return;
    settlements.ring(turn);
    log.info('hub_turn_cancelled', { turn });
    // It may have been taken a moment ago, and not be at work yet.
    await this.#looking;
    this.#running.get(turn)?.work.cancel();
    // What stood behind it may go on.
    this.wake();
  }

  /**
   * Takes nothing new, lets what is nearly done finish, cancels the rest and puts it back, so that it
   * runs at the next start.
   */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
    const over = Promise.all([...this.#running.values()].map((one) => one.over));
    const cancelTimer = this.#parts.clock.after(HUB_STOP_FINISH_MS, () => {
      for (const { work } of this.#running.values()) work.cancel();
    });
    await over;
    cancelTimer();
    await this.#runtimes.stop();
  }

  async #recover(): Promise<void> {
    const { store, clock, log, onInterrupted } = this.#parts;
    for (const item of await store.dispatched()) {
      const { queueId: turn, attempts } = item;
      if (onInterrupted === 'rerun' && attempts < HUB_ATTEMPTS_MAX) {
        await store.retry(turn);
        log.info('hub_turn_resumed', { turn, attempts });
      } else {
        const detail =
          onInterrupted === 'fail'
            ? 'The agent was interrupted by a restart.'
            : `The agent was interrupted ${attempts} times while it worked on this.`;
        await store.settle(turn, failure('interrupted', detail, clock.nowMs()));
        log.warn('hub_turn_given_up', { turn, attempts });
      }
    }
  }

  async #runLoop(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const calls = this.#calls;
      const looking = this.#look();
      this.#looking = looking;
      const restMs = await looking;
      if (calls === this.#calls) await this.#rest(restMs);
    }
  }

  /** Starts what can be started. Returns how long there is nothing to do unless somebody calls. */
  async #look(): Promise<number> {
    const { store, clock, log, maxRunning } = this.#parts;
    try {
      await this.#endOverdue();
      const free = maxRunning - this.#running.size;
      if (free <= 0) return HUB_LOOK_MS;
      for (const item of await store.claim(free, clock.nowMs())) this.begin(item);
      return HUB_LOOK_MS;
    } catch (error) {
      if (!isStoreTrouble(error)) throw error;
      log.warn('hub_dispatch_postponed', { error: error.message });
      return STORE_RETRY_MS;
    }
  }

  async #endOverdue(): Promise<void> {
    const { store, clock, log } = this.#parts;
    const nowMs = clock.nowMs();
    for (const item of await store.overdue(nowMs, nowMs - HUB_ITEM_KEEP_MS)) {
      const expired = item.expiresAtMs !== undefined && item.expiresAtMs <= nowMs;
      const ending = expired
        ? failure('expired', 'The message expired before the agent got to it.', nowMs)
        : failure('unanswered', 'The agent did not answer within a day.', nowMs);
      log.warn('hub_turn_dropped', { turn: item.queueId, expired });
      await this.#settle(item, ending);
    }
  }

  /** True if another agent may begin at once. */
  get hasRoom(): boolean {
    return !this.#stopping.signal.aborted && this.#running.size < this.#parts.maxRunning;
  }

  /** Runs the agent on an item that is marked dispatched. */
  begin(item: QueueItem): void {
    const { clock, log, turnTimeoutMs } = this.#parts;
    const work = new AgentWork({ clock, log, turn: item.queueId, timeoutMs: turnTimeoutMs });
    const over = this.#run(item, work).finally(() => {
      this.#running.delete(item.queueId);
      this.wake();
    });
    this.#running.set(item.queueId, { work, over });
  }

  async #run(item: QueueItem, work: AgentWork): Promise<void> {
    const { store, clock, log, onInterrupted } = this.#parts;
    const turn = item.queueId;
    const startedAtMs = clock.nowMs();
    const agent = await store.agentOf(item.target);
    if (agent === undefined || agent.spec.kind === 'external') {
      log.warn('hub_turn_dropped', { turn, expired: false });
      await this.#settle(item, failure('removed', 'The agent was removed.', clock.nowMs()));
      return;
    }
    const runnable = { workspaceId: agent.workspaceId, spec: agent.spec };
    log.debug('hub_turn_started', { turn, agent: agent.name, attempt: item.attempts });
    const result = await work.run(
      (onUpdate) => this.#runtimes.prompt(runnable, agentTurnOf(item), onUpdate),
      (update) => this.updates.tell(item, update),
    );
    if (!result.ok && result.reason === 'cancelled' && this.#stopping.signal.aborted) {
      log.info('hub_turn_put_back', { turn, agent: agent.name });
      // Otherwise it stays marked, and the next start ends it as interrupted.
      if (onInterrupted === 'rerun') await this.#untilStored(turn, () => store.putBack(turn));
      return;
    }
    const { contextId } = item.content.message;
    const nowMs = clock.nowMs();
    const { output } = result;
    const settlement = result.ok
      ? success(result.text, contextId, nowMs)
      : failure(result.reason, result.detail, nowMs, agent.name);
    await this.#settle(item, { ...settlement, ...(output && { output }) });
    const tookMs = clock.nowMs() - startedAtMs;
    if (result.ok) log.info('hub_turn_answered', { turn, agent: agent.name, tookMs });
    else if (result.reason !== 'cancelled') {
      const { reason, detail } = result;
      log.warn('hub_turn_failed', { turn, agent: agent.name, reason, detail, tookMs });
    }
  }

  async #settle(item: QueueItem, settlement: Settlement): Promise<void> {
    const { store, settlements } = this.#parts;
    const turn = item.queueId;
    // Who waits for it in this process stores it together with what follows from it.
    if (settlements.handOver(turn, settlement)) return;
    await this.#untilStored(turn, () => store.settle(turn, settlement));
    settlements.ring(turn);
  }

  /**
   * An answer is not lost because the disk is full. When the hub stops meanwhile, the item stays marked as
   * dispatched, and its turn runs again at the next start.
   */
  async #untilStored(turn: QueueId, write: () => Promise<unknown>): Promise<void> {
    const { clock, log } = this.#parts;
    const report = (error: BridgeError) => {
      log.error('hub_result_not_stored', { turn, error: error.message });
    };
    try {
      await untilStored(write, { clock, stop: this.#stopping.signal, onRefused: report });
    } catch (error) {
      if (!isStoreTrouble(error)) throw error;
      report(error);
    }
  }

  /** Until somebody calls, the time is over or the hub stops. */
  async #rest(durationMs: number): Promise<void> {
    const { clock } = this.#parts;
    const limit = limitAt(clock, this.#stopping.signal, clock.nowMs() + durationMs);
    await this.#bell.wait(limit.signal);
    limit.cancel();
  }
}
