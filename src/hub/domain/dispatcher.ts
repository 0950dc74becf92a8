import { type BridgeError, isStoreTrouble } from '../../core/errors.ts';
import type { AgentRecord, AgentSpec, AgentStore } from '../ports/agents.ts';
import type { Choice, QueueStore, Seat, Settlement } from '../ports/queue.ts';
import type { ItemToRun, QueueId, QueueItem } from '../ports/turns.ts';
import { isSameWorkspace, type WorkspaceId } from '../../core/ids.ts';
import {
  type AgentResult,
  type AgentTurn,
  type CreateRuntime,
  hasMemory,
  type RunnableSpec,
  type TurnHost,
} from '../../agents/runtime.ts';
import type { AgentSessionStore, SessionAudience } from '../ports/sessions.ts';
import type { QuestionAnswer, TurnUpdate } from '../../core/turn-update.ts';
import { STORE_RETRY_MS, untilStored } from '../../time/until-stored.ts';
import { limitAt } from '../../time/wait.ts';
import { Wake } from '../../time/wake.ts';
import { AgentWork, type WorkHost } from './agent-work.ts';
import { FairSlots } from './fair-slots.ts';
import { agentTurnOf } from './messages.ts';
import { failure, settlementOf } from './outcomes.ts';
import { Runtimes } from './runtimes.ts';
import { Updates } from './updates.ts';
import type { Settlements } from './settlements.ts';
import { HUB_ITEM_KEEP_MS } from './upkeep.ts';
import { hubTurn, type Log, logAbout, type LogFields } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';
import { failureSentence } from '../../wire/failure-sentences.ts';
import { larkContextOf } from '../../wire/lark-context.ts';

/** A turn that was begun this often is not begun again: it may be the one that kills the process. */
const HUB_ATTEMPTS_MAX = 5;
/** How often the dispatcher checks the queue without being woken: for items that expired, for removed agents. */
const HUB_CHECK_MS = 10_000;
/** Agents with a memory go on after a stop, so they have time to end what they do. A deaf one is ended after 12 s. */
const SESSION_CANCEL_MS_MAX = 15_000;
/** Turns that end within this after the hub was told to stop are not cancelled. */
const HUB_STOP_FINISH_MS = 1_000;

/** What happens to a turn whose agent was at work when the process died. */
export type InterruptedPolicy = 'rerun' | 'fail';

interface DispatcherParts {
  readonly store: QueueStore & AgentStore & AgentSessionStore;
  readonly settlements: Settlements;
  readonly createRuntime: CreateRuntime;
  readonly clock: Clock;
  readonly log: Log;
  readonly maxRunning: number;
  /** The workspace of the bridge in this process, if there is one. */
  readonly bridge?: WorkspaceId;
  readonly turnTimeoutMs: number;
  /** The same for agents with a memory, which work for long and say what they do. Undefined: no other. */
  readonly sessionTurnLimitMs?: number;
  /** Silence of an agent of this length is told to the chat. Undefined: none is. */
  readonly silenceMs?: number;
  /** Whoever shows the memories of the agents to people. */
  readonly audience?: SessionAudience;
  readonly onInterrupted: InterruptedPolicy;
  /** Called with how each run of an agent ends. */
  readonly onEnd?: (agent: WorkspaceId, result: AgentResult) => void;
}

/**
 * Runs the agents that the hub runs itself. An item is marked as dispatched before its agent starts, and
 * settled after the agent ended. If the process dies in between, the next start finds the mark.
 */
export class Dispatcher {
  readonly updates: Updates;
  readonly runtimes: Runtimes;
  readonly #parts: DispatcherParts;
  readonly #running = new Map<
    QueueId,
    {
      readonly seat: Seat;
      /** What names it in the log. */
      readonly named: LogFields;
      readonly work: AgentWork;
      readonly ended: Promise<void>;
    }
  >();
  readonly #slots: FairSlots;
  readonly #woken = new Wake();
  readonly #stopping = new AbortController();
  #wakes = 0;
  /** False only if no item waits in the queue: most turns begin without having waited. */
  #mayBeQueued = true;
  #loop: Promise<void> = Promise.resolve();
  /** The latest round of `#startDue`. */
  #starting: Promise<unknown> = Promise.resolve();

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
    this.updates = new Updates(parts.clock);
    this.runtimes = new Runtimes(parts);
    this.#slots = new FairSlots({ slots: parts.maxRunning, bridge: parts.bridge });
  }

  get turnsAtWork(): number {
    return this.#running.size;
  }

  /** First repairs what a crash left behind. Rejects if the database refuses. */
  async start(): Promise<void> {
    await this.#recover();
    await this.runtimes.start();
    this.#loop = this.#runLoop();
  }

  /** To be called when there may be something to do. */
  wake(): void {
    this.#mayBeQueued = true;
    this.#wakes += 1;
    this.#woken.ring();
  }

  /** Ends a turn for good and stops the agent that works on it. A turn that has its answer keeps it. */
  async cancel(turn: QueueId): Promise<void> {
    const { store, settlements, clock, log } = this.#parts;
    const ending = failure('cancelled', failureSentence('cancelled'), clock.nowMs());
    if (!(await store.settle(turn, ending))) return;
    settlements.notify(turn);
    log.debug('hub_turn_cancelled', this.#named(turn));
    // The turn may have been claimed a moment ago, before its agent was started.
    await this.#starting;
    this.#running.get(turn)?.work.cancel();
    // The next turn of its lane can start now.
    this.wake();
  }

  /** Gives the agent at work on a turn the answer to its question. False if it does not wait for it. */
  async answer(turn: QueueId, questionId: string, answer: QuestionAnswer): Promise<boolean> {
    return (await this.#running.get(turn)?.work.answer(questionId, answer)) ?? false;
  }

  /**
   * Starts no new turn and gives the running ones a moment to finish. The others are cancelled and put back, so
   * that they run at the next start.
   */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
    const ended = Promise.all([...this.#running.values()].map((one) => one.ended));
    const cancelTimer = this.#parts.clock.after(HUB_STOP_FINISH_MS, () => {
      for (const { work } of this.#running.values()) work.cancelSoon();
    });
    await ended;
    cancelTimer();
    await this.runtimes.stop();
  }

  async #recover(): Promise<void> {
    const { store, clock, log } = this.#parts;
    for (const item of await store.dispatched()) {
      const { queueId: turn, attempts } = item;
      const agent = await store.agentOf(item.target);
      const mayRerun = this.#mayRerun(agent?.spec);
      if (mayRerun && attempts < HUB_ATTEMPTS_MAX) {
        await store.retry(turn);
        log.info('hub_turn_resumed', { ...this.#named(turn), attempts });
      } else {
        const detail = !mayRerun
          ? failureSentence('agent_interrupted')
          : failureSentence('agent_interrupted_often', attempts);
        await store.settle(turn, failure('interrupted', detail, clock.nowMs()));
        log.warn('hub_turn_given_up', { ...this.#named(turn), attempts });
      }
    }
  }

  async #runLoop(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const wakes = this.#wakes;
      const starting = this.#startDue();
      this.#starting = starting;
      const idleMs = await starting;
      if (wakes === this.#wakes) await this.#waitForWake(idleMs);
    }
  }

  /** Starts the turns that can start. Returns how long to wait for `wake` before the next check. */
  async #startDue(): Promise<number> {
    const { store, clock, log, maxRunning } = this.#parts;
    try {
      await this.#endOverdue();
      if (this.#running.size >= maxRunning) return HUB_CHECK_MS;
      this.#mayBeQueued = false;
      const { items, more } = await store.claim(this.#choice, clock.nowMs());
      if (more) this.#mayBeQueued = true;
      for (const item of items) this.begin(item);
      return HUB_CHECK_MS;
    } catch (error) {
      if (!isStoreTrouble(error)) throw error;
      this.#mayBeQueued = true;
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
        ? failure('expired', failureSentence('expired'), nowMs)
        : failure('unanswered', failureSentence('no_answer_in_day'), nowMs);
      log.warn('hub_turn_dropped', { ...this.#named(item.queueId), expired });
      await this.#settle(item, ending);
    }
  }

  /** Chooses for a turn that is sent now. It gets no slot before others that wait for one. */
  get choiceAtOnce(): Choice {
    const { slots, choose } = this.#choice;
    const isOpen = () => !this.#stopping.signal.aborted && !this.#mayBeQueued;
    return { slots, choose: (waiting, seats) => (isOpen() ? choose(waiting, seats) : []) };
  }

  get #choice(): Choice {
    return {
      slots: this.#parts.maxRunning,
      choose: (waiting, dispatched) => {
        // A turn that was cancelled holds its slot until its agent has ended.
        const seats = new Map(dispatched.map((seat) => [seat.queueId, seat]));
        for (const { seat } of this.#running.values()) seats.set(seat.queueId, seat);
        return this.#slots.next(waiting, [...seats.values()]);
      },
    };
  }

  /** To be called when a turn no longer holds a slot. */
  slotFreed(): void {
    if (this.#mayBeQueued) this.wake();
  }

  /** Runs the agent on an item that is marked dispatched. */
  begin(item: ItemToRun): void {
    const { clock, silenceMs } = this.#parts;
    const { queueId, source, content } = item;
    const named = hubTurn(queueId, larkContextOf(content.metadata)?.messageId);
    const log = logAbout(this.#parts.log, named);
    const work = new AgentWork({ clock, log, silenceMs });
    const ended = this.#run(item, { work, log }).finally(() => {
      this.#running.delete(queueId);
      this.updates.forget(item);
      this.slotFreed();
    });
    this.#running.set(queueId, { seat: { queueId, source }, named, work, ended });
    this.#slots.noteBegun(source);
  }

  async #run(item: ItemToRun, { work, log }: { work: AgentWork; log: Log }): Promise<void> {
    const { store, clock } = this.#parts;
    const turn = item.queueId;
    const startedAtMs = clock.nowMs();
    const agent = await store.agentOf(item.target);
    if (agent === undefined || agent.spec.kind === 'external') {
      log.warn('hub_turn_dropped', { expired: false });
      await this.#settle(item, failure('removed', failureSentence('agent_removed'), clock.nowMs()));
      return;
    }
    const runnable = { ...agent, spec: agent.spec };
    log.debug('hub_turn_started', { agent: agent.name, attempt: item.attempts });
    const result = await work.run(
      async (host) => this.runtimes.prompt(runnable, ...(await this.#given(item, runnable, host))),
      (update) => this.#tell(item, update, work),
      this.#timesOf(agent.spec),
    );
    if (!result.ok && result.reason === 'cancelled' && this.#stopping.signal.aborted) {
      await this.#putBack(turn, agent);
      return;
    }
    await this.#settle(
      item,
      settlementOf(item, result, { agent: agent.name, atMs: clock.nowMs() }),
    );
    const about = { agent: agent.name, took_ms: clock.nowMs() - startedAtMs };
    if (result.ok) log.debug('hub_turn_answered', about);
    else if (result.reason !== 'cancelled') {
      const { reason, detail } = result;
      // The bridge in this process tells of its own turns.
      const level = this.#isOfBridge(item) ? 'debug' : 'warn';
      log[level]('hub_turn_failed', { ...about, reason, detail });
    }
  }

  #timesOf(spec: RunnableSpec): { readonly timeoutMs: number; readonly cancelMs?: number } {
    const { turnTimeoutMs, sessionTurnLimitMs = turnTimeoutMs } = this.#parts;
    if (!hasMemory(spec)) return { timeoutMs: turnTimeoutMs };
    return { timeoutMs: sessionTurnLimitMs, cancelMs: SESSION_CANCEL_MS_MAX };
  }

  /** What the runtime gets for an item: the turn with its memory, and whom it can ask. */
  async #given(
    item: ItemToRun,
    { workspaceId: agent }: { readonly workspaceId: WorkspaceId },
    host: WorkHost,
  ): Promise<[AgentTurn, TurnHost]> {
    const { store, audience } = this.#parts;
    const turn = agentTurnOf(item);
    const { session, lark } = turn;
    const chat = lark && audience?.chatOf(lark);
    const inChat = { ...host, ...(chat !== undefined && { chat }) };
    if (session === undefined) return [turn, inChat];
    const key = { agent, session: session.id };
    const known = await store.agentSession(key);
    const withMemory: TurnHost = {
      ...inChat,
      keepSession: (nativeId) =>
        this.#untilStored(item.queueId, () => store.keepNativeId(key, nativeId)),
      ...(audience !== undefined && { saidBefore: () => audience.saidBefore(session.id) }),
    };
    if (known === undefined) return [turn, withMemory];
    const { nativeId, choices } = known;
    const kept = { ...session, choices, ...(nativeId !== undefined && { nativeId }) };
    return [{ ...turn, session: kept }, withMemory];
  }

  /** The hub stops, so that the agent can't go on. */
  async #putBack(turn: QueueId, { name, spec }: AgentRecord): Promise<void> {
    const { store, log } = this.#parts;
    log.info('hub_turn_put_back', { ...this.#named(turn), agent: name });
    // Else it stays marked, and the next start ends it as interrupted.
    if (this.#mayRerun(spec)) await this.#untilStored(turn, () => store.putBack(turn));
  }

  /** What an agent with a memory has done before it was interrupted must not be done again. */
  #mayRerun(spec: AgentSpec | undefined): boolean {
    const mayHaveActed = spec !== undefined && hasMemory(spec);
    return this.#parts.onInterrupted === 'rerun' && !mayHaveActed;
  }

  /** Only the bridge in this process watches turns. What nobody sees nobody answers. */
  #tell(item: ItemToRun, update: TurnUpdate, work: AgentWork): void {
    const { log, audience } = this.#parts;
    const isSeen = this.updates.tell(item, update);
    if (isSeen) return;
    const { session } = item.content.details ?? {};
    // Whoever has stopped a turn does not watch it any more.
    if (update.kind === 'told' && session !== undefined) audience?.told(session.id, update.what);
    if (update.kind !== 'question') return;
    const callOff = () => {
      log.warn('hub_question_not_asked', this.#named(item.queueId));
      void work.answer(update.id, { kind: 'cancelled' });
    };
    if (this.#isOfBridge(item)) this.updates.keep(item, update, callOff);
    else callOff();
  }

  /** True if the bridge in this process sent it. */
  #isOfBridge({ source }: Pick<QueueItem, 'source'>): boolean {
    const { bridge } = this.#parts;
    return bridge !== undefined && isSameWorkspace(bridge, source);
  }

  /** What names a turn in the log. The message is known of those at work. */
  #named(turn: QueueId): LogFields {
    return this.#running.get(turn)?.named ?? hubTurn(turn, undefined);
  }

  async #settle(item: QueueItem, settlement: Settlement): Promise<void> {
    const { store, settlements } = this.#parts;
    const turn = item.queueId;
    // A caller in this process that expects this end stores it together with its own changes.
    if (settlements.handOver(turn, settlement)) return;
    await this.#untilStored(turn, () => store.settle(turn, settlement));
    settlements.notify(turn);
  }

  /**
   * Tries until the write succeeds, so that a full disk loses no answer. If the hub stops before that, the item
   * stays marked as dispatched, and its turn runs again at the next start.
   */
  async #untilStored(turn: QueueId, write: () => Promise<unknown>): Promise<void> {
    const { clock, log } = this.#parts;
    const report = (error: BridgeError) => {
      log.error('hub_result_not_stored', { ...this.#named(turn), error: error.message });
    };
    try {
      await untilStored(write, { clock, stop: this.#stopping.signal, onRefused: report });
    } catch (error) {
      if (!isStoreTrouble(error)) throw error;
      report(error);
    }
  }

  /** Resolves at the next `wake`, after this time, or when the hub stops. */
  async #waitForWake(durationMs: number): Promise<void> {
    const { clock } = this.#parts;
    const limit = limitAt(clock, this.#stopping.signal, clock.nowMs() + durationMs);
    await this.#woken.wait(limit.signal);
    limit.cancel();
  }
}
