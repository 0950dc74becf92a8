import type { Brand } from '../../core/brand.ts';
import { BridgeError, errorText } from '../../core/errors.ts';
import type { TurnId, WorkspaceId } from '../../core/ids.ts';
import type { Service } from '../../core/service.ts';
import type { Show, Turn, TurnState } from '../../core/turn.ts';
import { Wake } from '../../time/wake.ts';
import { CallOffs, mayBeAtHub } from './call-offs.ts';
import { contextOf } from './context.ts';
import { type Limit, limitAt, pause } from '../../time/wait.ts';
import type { Delivery } from '../outbox/delivery.ts';
import { createReplyToken, platformMessageId } from '../outbox/keys.ts';
import { type LaneItem, Lanes } from './lanes.ts';
import type { Persistence } from '../until-stored.ts';
import { Receipts } from './receipts.ts';
import { toDrafts } from '../outbox/render.ts';
import { SingleSlot } from './single-slot.ts';
import {
  begunAtMs,
  isBlind,
  isEngaged,
  isFinal,
  step,
  type TurnEvent,
  TURN_SEND_BACKOFF_BASE_MS,
  TURN_SEND_BACKOFF_MAX_MS,
} from './turn.ts';
import { backoffMs } from '../../time/backoff.ts';
import { INBOX_KEEP_MS } from '../pruning.ts';
import type { Journal, Observer, TurnHead, TurnRequest, TurnTarget, WaitResult } from '../ports.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';

/** How often a ticket is looked at whose task is not over: as often as a hub that holds no question is asked. */
const UNFINISHED_LOOK_MS = 8_000;
/** An answer that came while no process ran is found within this after a start, a hub that is slow to answer included. */
const LAST_LOOK_MS = 30_000;
/** Runs of one turn that are called off with it; people rarely begin one more often. */
const CALLED_OFF_RUNS_MAX = 3;

export interface EngineParts {
  readonly journal: Journal;
  readonly target: TurnTarget;
  readonly delivery: Delivery;
  readonly persistence: Persistence;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly observer: Observer;
  readonly brand: Brand;
  readonly turnsRunningMax: number;
  readonly turnTimeoutMs: number;
}

/**
 * Takes waiting turns one at a time per chat, sends them to the agent and settles them. Every step is in
 * the journal before the next begins, so that another process can go on from any of them. A target that
 * can't correlate answers gets one turn at a time in all; which kind it is may show only later.
 */
export class Engine implements Service {
  readonly name = 'engine';
  readonly lanes = new Lanes();
  readonly #parts: EngineParts;
  readonly #working = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  readonly #receipts: Receipts;
  readonly slot: SingleSlot;
  /** Targets that were seen to take a turn without saying how its answer will be known. */
  readonly #uncorrelated = new Set<WorkspaceId>();
  readonly #callOffs: CallOffs;
  /** Rings when a turn without a ticket has changed. */
  readonly #changed = new Wake();
  /** Ends the work on a turn before its time. */
  readonly #atWork = new Map<TurnId, AbortController>();
  #started = false;
  #closing = false;
  #running = 0;
  #cancelTimer: (() => void) | undefined;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.slot = new SingleSlot({
      clock: parts.clock,
      lateMs: parts.turnTimeoutMs,
      onFree: () => this.#pump(),
    });
    this.#callOffs = new CallOffs(parts);
    this.#receipts = new Receipts({
      clock: parts.clock,
      waiting: () => parts.delivery.length,
      show: (id, dueAtMs) => this.#track(this.show(id, { what: 'receipt', dueAtMs })),
    });
  }

  async start(): Promise<void> {
    const { journal, clock } = this.#parts;
    this.#started = true;
    const sinceMs = clock.nowMs() - INBOX_KEEP_MS;
    this.slot.restore(await journal.unanswered(sinceMs), clock.nowMs());
    for (const head of await journal.openTurns()) await this.#takeUp(head);
    for (const turn of await this.#callOffs.left()) {
      void this.#track(this.#callOffs.carryOut(turn, undefined, this.#stop.signal));
    }
    this.#pump();
  }

  /** Leaves what is at work as the journal has it; the next start goes on from there. */
  async stop(): Promise<void> {
    this.#stop.abort();
    for (const ending of this.#atWork.values()) ending.abort();
    this.#cancelTimer?.();
    this.slot.stop();
    this.#receipts.cancelAll();
    await Promise.all(this.#working);
  }

  /** Nothing is sent, because nobody knows yet what became of the request before. */
  get isInDoubt(): boolean {
    return !this.#parts.target.correlates && this.slot.isInDoubt;
  }

  /** Begins no more turns, and resolves when those at work are over; each has its time. */
  async finish(): Promise<void> {
    this.#closing = true;
    while (this.#running > 0) await Promise.race(this.#working);
  }

  get running(): number {
    return this.#running;
  }

  /** A turn that waits in the journal now. Before the start the journal keeps it. */
  offer(turn: Turn): void {
    if (turn.state.phase !== 'waiting' || !this.#started) return;
    this.#wait(turn);
    this.#receipts.plan(turn.id);
    this.#pump();
  }

  /** Something happened to a turn from outside: a recall, a person's word. False if it meant nothing. */
  async happen(id: TurnId, event: TurnEvent, once?: string): Promise<boolean> {
    const { turn, changed } = await this.#apply(id, event, once);
    if (!changed) return false;
    if (turn.state.phase === 'waiting') this.offer(turn);
    else this.lanes.remove(turn.message.chatId, id);
    if (isFinal(turn.state.phase)) this.#atWork.get(id)?.abort();
    // What others wait for may be this one.
    if (this.#started) this.#pump();
    return true;
  }

  /** How many go before one that waits. */
  ahead({ lane, id, order }: LaneItem): number {
    if (this.#parts.target.correlates) return this.lanes.ahead(lane, id);
    return this.#running + [...this.lanes.waiting()].filter((other) => other.order < order).length;
  }

  async #takeUp(head: TurnHead): Promise<void> {
    const { journal, clock } = this.#parts;
    const lane = head.chatId;
    // The process before this one may have died before it came to it.
    if (head.phase === 'waiting' || isEngaged(head.phase)) this.#receipts.plan(head.id);
    if (head.phase === 'waiting') {
      this.lanes.add({
        id: head.id,
        lane,
        order: head.seq,
        notBeforeMs: 0,
        sinceMs: head.receivedAtMs,
      });
    } else if (head.phase === 'sending') {
      const sent = await journal.turn(head.id);
      // What the request came to is not known: the turn may be answered yet.
      if (sent !== undefined) this.slot.note(sent, clock.nowMs());
      const { turn } = await this.#apply(head.id, { kind: 'restarted' });
      if (turn.state.phase === 'waiting') this.#wait(turn);
    } else if (head.phase === 'accepted' || head.phase === 'overdue') {
      const turn = await journal.turn(head.id);
      if (turn === undefined) return;
      this.slot.note(turn, clock.nowMs());
      const { state } = turn;
      if ('target' in state && isBlind(state, head.phase)) this.#uncorrelated.add(state.target);
      if (isEngaged(head.phase)) this.lanes.occupy(lane);
      this.#attend(turn.id, (signal) => this.#resume(turn, lane, signal));
    }
  }

  #wait(turn: Turn): void {
    if (turn.state.phase !== 'waiting') return;
    this.lanes.add({
      id: turn.id,
      lane: turn.message.chatId,
      order: turn.seq,
      notBeforeMs: turn.state.notBeforeMs,
      sinceMs: turn.receivedAtMs,
    });
  }

  #pump(): void {
    if (this.#stop.signal.aborted || this.#closing) return;
    const { clock, target, turnsRunningMax } = this.#parts;
    const slots = target.correlates ? turnsRunningMax : Number(this.slot.mayStart);
    while (this.#running < slots) {
      const item = this.lanes.take(clock.nowMs());
      if (item === undefined) break;
      const id = item.id as TurnId;
      this.#attend(id, (signal) => this.#work(id, item.lane, signal));
    }
    this.#cancelTimer?.();
    const dueMs = this.lanes.nextDueMs();
    this.#cancelTimer =
      dueMs === undefined
        ? undefined
        : clock.after(Math.max(1, dueMs - clock.nowMs()), () => this.#pump());
  }

  /** Work on one turn, under a signal that aborts at the stop, and when the turn is over by other means. */
  #attend(id: TurnId, work: (signal: AbortSignal) => Promise<void>): void {
    const ending = new AbortController();
    this.#atWork.set(id, ending);
    const forget = () => {
      if (this.#atWork.get(id) === ending) this.#atWork.delete(id);
    };
    void this.#track(work(ending.signal).finally(forget));
  }

  /** Never rejects. */
  #track(work: Promise<void>): Promise<void> {
    const guarded = work
      .catch((error: unknown) => {
        if (this.#stop.signal.aborted && error instanceof BridgeError) return;
        this.#parts.log.error('engine_bug', { error: String((error as Error).stack) });
      })
      .finally(() => {
        this.#working.delete(guarded);
        this.#pump();
      });
    this.#working.add(guarded);
    return guarded;
  }

  /** One turn from its lane to the end of its slot. */
  async #work(id: TurnId, lane: string, signal: AbortSignal): Promise<void> {
    this.#running += 1;
    const { clock, turnTimeoutMs } = this.#parts;
    const limit = limitAt(clock, signal, clock.nowMs() + turnTimeoutMs);
    let turn: Turn | undefined;
    try {
      const target = await this.#currentTarget();
      if (target === undefined) {
        await this.#putBack(id);
        return;
      }
      ({ turn } = await this.#apply(id, { kind: 'started', target }));
      if (turn.state.phase === 'sending') turn = await this.#send(turn, limit);
      if (turn.state.phase === 'accepted') turn = await this.#awaitAnswer(turn, limit);
    } finally {
      limit.cancel();
      this.#running -= 1;
      this.#releaseLane(turn, lane);
    }
    if (turn.state.phase === 'overdue') await this.#awaitAnswer(turn, this.#limitOf(turn, signal));
  }

  async #resume(turn: Turn, lane: string, signal: AbortSignal): Promise<void> {
    const engaged = isEngaged(turn.state.phase);
    if (engaged) this.#running += 1;
    let now = turn;
    try {
      if (engaged) now = await this.#awaitAnswer(turn, this.#limitOf(turn, signal));
    } finally {
      if (engaged) {
        this.#running -= 1;
        this.#releaseLane(now, lane);
      }
    }
    if (now.state.phase === 'overdue') await this.#awaitAnswer(now, this.#limitOf(now, signal));
  }

  /** How long a turn that an agent has is waited for. */
  #limitOf({ state }: Turn, signal: AbortSignal): Limit {
    const { clock, turnTimeoutMs } = this.#parts;
    if (state.phase === 'accepted') return limitAt(clock, signal, state.deadlineMs);
    const isBounded = state.phase === 'overdue' && isBlind(state, 'overdue');
    if (!isBounded) return limitAt(clock, signal, undefined);
    const leastMs = clock.nowMs() + LAST_LOOK_MS;
    return limitAt(clock, signal, Math.max(leastMs, state.sinceMs + turnTimeoutMs));
  }

  #releaseLane(turn: Turn | undefined, lane: string): void {
    if (this.#stop.signal.aborted) return;
    if (turn?.state.phase === 'waiting') this.#wait(turn);
    this.lanes.release(lane);
    this.#pump();
  }

  async #currentTarget(): Promise<WorkspaceId | undefined> {
    try {
      return await this.#parts.target.currentTarget();
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      this.#parts.log.warn('target_unknown', { error: errorText(error) });
      return undefined;
    }
  }

  /** The hub can't be asked right now; the turn keeps its place. */
  async #putBack(id: TurnId): Promise<void> {
    const turn = await this.#parts.journal.turn(id);
    if (turn?.state.phase !== 'waiting') return;
    const notBeforeMs = this.#parts.clock.nowMs() + TURN_SEND_BACKOFF_BASE_MS;
    this.#wait({ ...turn, state: { ...turn.state, notBeforeMs } });
  }

  async #send(turn: Turn, limit: Limit): Promise<Turn> {
    if (turn.state.phase !== 'sending') return turn;
    const { target, random } = this.#parts;
    const result = await target.send(this.#requestOf(turn, turn.state.target), limit.signal);
    if (result.kind === 'accepted_uncorrelated') this.#uncorrelated.add(turn.state.target);
    // What a cut request came to is not known; the next start asks again under the same id.
    if (this.#stop.signal.aborted && result.kind === 'unknown') return turn;
    const late = result.kind === 'unknown' && limit.isOver();
    const event: TurnEvent = late
      ? { kind: 'timed_out' }
      : { kind: 'sent', result, random: random() };
    return (await this.#apply(turn.id, event)).turn;
  }

  #replyOf({ replyToken: token }: Turn, to: WorkspaceId): Pick<TurnRequest, 'reply'> {
    if (token === undefined) return {};
    const isAskedFor = !this.#parts.target.correlates && this.#uncorrelated.has(to);
    return { reply: { token, isAskedFor } };
  }

  /** Waits under the turn's ticket until it is settled or the limit is over. */
  async #awaitAnswer(turn: Turn, limit: Limit): Promise<Turn> {
    const { target, clock, random } = this.#parts;
    const { state } = turn;
    if (state.phase !== 'accepted' && state.phase !== 'overdue') return turn;
    try {
      if (state.ticket === undefined) return await this.#awaitLoose(turn, limit);
      let failures = 0;
      while (!limit.signal.aborted) {
        const result = await target.wait(state.target, state.ticket, limit.signal);
        if (result.kind === 'pending') failures = 0;
        else if (result.kind === 'unreachable') {
          failures += 1;
          const options = { baseMs: TURN_SEND_BACKOFF_BASE_MS, maxMs: TURN_SEND_BACKOFF_MAX_MS };
          await pause(clock, limit.signal, backoffMs(failures, { ...options, random: random() }));
        } else {
          const now = await this.#takeWaited(turn, result, limit);
          if (now.state.phase !== state.phase) return now;
        }
      }
      return limit.isOver() ? await this.#timeIsOver(turn) : turn;
    } finally {
      limit.cancel();
    }
  }

  /** What a ticket holds may leave the turn where it is; then the next look is put off. */
  async #takeWaited(turn: Turn, result: WaitResult, limit: Limit): Promise<Turn> {
    const { turn: now } = await this.#apply(turn.id, { kind: 'waited', result });
    if (now.state.phase !== turn.state.phase) return now;
    const { clock } = this.#parts;
    const rest = limitAt(clock, limit.signal, clock.nowMs() + UNFINISHED_LOOK_MS);
    const then = await this.#untilMoved(now, rest.signal);
    rest.cancel();
    return then;
  }

  /** Waits while `receive` may settle the turn. */
  async #awaitLoose(turn: Turn, limit: Limit): Promise<Turn> {
    const now = await this.#untilMoved(turn, limit.signal);
    return now.state.phase === turn.state.phase && limit.isOver() ? this.#timeIsOver(now) : now;
  }

  /** The turn when it has left its phase, or when the signal aborts. */
  async #untilMoved(turn: Turn, signal: AbortSignal): Promise<Turn> {
    let now = turn;
    for (;;) {
      const change = this.#changed.wait(signal);
      now = (await this.#parts.journal.turn(turn.id)) ?? now;
      if (now.state.phase !== turn.state.phase || signal.aborted) return now;
      await change;
    }
  }

  async #timeIsOver({ id, state }: Turn): Promise<Turn> {
    const kind = state.phase === 'overdue' ? 'gave_up_waiting' : 'timed_out';
    return (await this.#apply(id, { kind })).turn;
  }

  async #apply(id: TurnId, event: TurnEvent, once?: string) {
    const { journal, persistence, delivery, target, turnTimeoutMs, clock, log } = this.#parts;
    const nowMs = clock.nowMs();
    const rules = { turnTimeoutMs, deduplicates: target.deduplicates, nowMs };
    let was: TurnState | undefined;
    let begunMs: number | undefined;
    const done = await persistence.insist(() =>
      journal.changeTurn(
        id,
        (turn) => {
          const next = step(turn, event, rules);
          if (next === undefined) return undefined;
          was = turn.state;
          begunMs = begunAtMs(turn.state, rules);
          const run = next.run ?? turn.run;
          const out = toDrafts({ ...turn, run }, next.show, nowMs);
          const token = event.kind === 'started' && { replyToken: createReplyToken() };
          const { state, withdrawn } = next;
          return { state, run, ...token, atMs: nowMs, out, ...(withdrawn && { withdrawn }) };
        },
        { once, join: this.#joinedBy(event) },
      ),
    );
    if (done.changed) {
      const { phase } = done.turn.state;
      // A recall of what is over changes no state.
      const isMoved = done.turn.state !== was;
      if (isMoved) this.slot.note(done.turn, nowMs);
      this.#changed.ring();
      log.info('turn_changed', {
        turn: id,
        chat: done.turn.message.chatId,
        on: event.kind,
        phase,
      });
      if (isFinal(phase) || phase === 'held') {
        this.#receipts.cancel(id);
        if (begunMs !== undefined) this.#parts.observer.turnEnded(id, phase, nowMs - begunMs);
      }
      if (phase === 'dropped' && was !== undefined && isMoved) this.#callOff(done.turn, was);
      delivery.offer(done.out);
    }
    return done;
  }

  /** What a target in the journal's own database writes in the commit of a turn's change. */
  #joinedBy(event: TurnEvent): ((turn: Turn, changed: boolean) => void) | undefined {
    const { target } = this.#parts;
    if (event.kind === 'started') {
      return (turn, changed) => {
        if (changed) target.join?.(this.#requestOf(turn, event.target));
      };
    }
    if (event.kind !== 'sent' && event.kind !== 'waited') return undefined;
    const { result } = event;
    return 'store' in result ? result.store : undefined;
  }

  #requestOf(turn: Turn, target: WorkspaceId): TurnRequest {
    return {
      messageId: platformMessageId(turn),
      text: textOf(turn),
      context: contextOf(turn.message, this.#parts.brand),
      target,
      ...this.#replyOf(turn, target),
    };
  }

  /** Tells the hub that nobody waits for the answer any more. */
  #callOff(turn: Turn, was: TurnState): void {
    const workspace = 'target' in was ? was.target : undefined;
    // Runs before the latest may be left at work there, if their answers did not come.
    const runs = mayBeAtHub(was) ? turn.run : turn.run - 1;
    for (let run = runs; run > Math.max(0, runs - CALLED_OFF_RUNS_MAX); run -= 1) {
      void this.#track(this.#callOffs.carryOut({ ...turn, run }, workspace, this.#stop.signal));
    }
  }

  /** Shows something about a turn that waits or is at work, without changing it. */
  async show(id: TurnId, show: Show): Promise<void> {
    const { journal, persistence, delivery, clock } = this.#parts;
    const nowMs = clock.nowMs();
    const { out } = await persistence.insist(() =>
      journal.changeTurn(id, (turn) => {
        const { phase } = turn.state;
        if (phase !== 'waiting' && !isEngaged(phase)) return undefined;
        return { state: turn.state, out: toDrafts(turn, [show], nowMs) };
      }),
    );
    delivery.offer(out);
  }
}

function textOf(turn: Turn): string {
  return turn.message.parts.map((part) => (part.kind === 'text' ? part.text : '')).join('\n');
}
