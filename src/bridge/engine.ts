import type { Brand } from '../core/brand.ts';
import { BridgeError, errorText } from '../core/errors.ts';
import type { TurnId, WorkspaceId } from '../core/ids.ts';
import type { Journal, TurnHead } from '../core/journal.ts';
import type { Service } from '../core/lifecycle.ts';
import type { Clock, Log, LooseAnswer, SendResult, TurnTarget, WaitResult } from '../core/ports.ts';
import type { Show, Turn } from '../core/turn.ts';
import { Wake } from '../core/wake.ts';
import { contextOf } from './context.ts';
import { limitAt, pause } from './deadline.ts';
import type { Delivery } from './delivery.ts';
import { platformMessageId } from './keys.ts';
import { Lanes } from './lanes.ts';
import type { Persistence } from './persistence.ts';
import { Receipts } from './receipts.ts';
import { toDrafts } from './render.ts';
import { SingleSlot } from './single-slot.ts';
import { isEngaged, isFinal, step, type TurnEvent } from './turn.ts';
import { backoffMs } from '../core/backoff.ts';
import {
  RECEIPTS_BEHIND_MAX,
  TURN_SEND_BACKOFF_BASE_MS,
  TURN_SEND_BACKOFF_MAX_MS,
} from '../core/limits.ts';

export interface EngineParts {
  readonly journal: Journal;
  readonly target: TurnTarget;
  readonly delivery: Delivery;
  readonly persistence: Persistence;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly brand: Brand;
  readonly turnsRunningMax: number;
  readonly turnTimeoutMs: number;
}

/** Where all turns of a target that can't correlate answers wait for the one slot. */
const SINGLE_LANE = 'target';

/**
 * Takes waiting turns one at a time per lane, sends them to the agent and settles them. Every step is in
 * the journal before the next begins, so that another process can go on from any of them.
 */
export class Engine implements Service {
  readonly name = 'engine';
  readonly lanes = new Lanes();
  readonly #parts: EngineParts;
  readonly #working = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  readonly #receipts: Receipts;
  readonly #slot = new SingleSlot();
  /** Rings when a turn without a ticket has changed. */
  readonly #changed = new Wake();
  /** Ends the work on a turn before its time. */
  readonly #atWork = new Map<TurnId, AbortController>();
  #started = false;
  #running = 0;
  #cancelTimer: (() => void) | undefined;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#receipts = new Receipts(parts.clock, (id, dueAtMs) => {
      if (parts.delivery.length < RECEIPTS_BEHIND_MAX) {
        this.#track(this.show(id, { what: 'receipt', dueAtMs }));
      }
    });
  }

  async start(): Promise<void> {
    this.#started = true;
    for (const head of await this.#parts.journal.openTurns()) await this.#takeUp(head);
    this.#pump();
  }

  /** Leaves what is at work as the journal has it; the next start goes on from there. */
  async stop(): Promise<void> {
    this.#stop.abort();
    for (const ending of this.#atWork.values()) ending.abort();
    this.#cancelTimer?.();
    this.#receipts.cancelAll();
    await Promise.all(this.#working);
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
    else this.lanes.remove(this.#laneOf(turn.message.chatId), id);
    if (isFinal(turn.state.phase)) this.#atWork.get(id)?.abort();
    return true;
  }

  /** An answer that names no turn: shown if it can only be that of the turn at work, else kept aside. */
  async receive(answer: LooseAnswer): Promise<void> {
    const { journal, persistence, clock, log } = this.#parts;
    if (await journal.isHandled(answer.id)) return;
    const owner = this.#slot.owner();
    if (owner.kind === 'in_flight') {
      await this.#apply(owner.turn, { kind: 'received', text: answer.text }, answer.id);
      return;
    }
    const turn = owner.kind === 'late' ? owner.turn : undefined;
    const { id, text } = answer;
    await persistence.insist(() => journal.quarantine({ id, text, turn, atMs: clock.nowMs() }));
    log.warn('answer_quarantined', { answer: id, turn });
    if (turn !== undefined) await this.#apply(turn, { kind: 'late_answer' });
  }

  laneOf(turn: Turn): string {
    return this.#laneOf(turn.message.chatId);
  }

  #laneOf(chat: string): string {
    return this.#parts.target.correlates ? chat : SINGLE_LANE;
  }

  async #takeUp(head: TurnHead): Promise<void> {
    const { journal } = this.#parts;
    const lane = this.#laneOf(head.chatId);
    if (head.phase === 'waiting') {
      this.lanes.add({
        id: head.id,
        lane,
        order: head.seq,
        notBeforeMs: 0,
        sinceMs: head.receivedAtMs,
      });
    } else if (head.phase === 'sending') {
      const { turn } = await this.#apply(head.id, { kind: 'restarted' });
      if (turn.state.phase === 'waiting') this.#wait(turn);
    } else if (head.phase === 'accepted' || head.phase === 'overdue') {
      const turn = await journal.turn(head.id);
      if (turn === undefined) return;
      this.#slot.note(turn);
      if (isEngaged(head.phase)) this.lanes.occupy(lane);
      this.#attend(turn.id, (signal) => this.#resume(turn, lane, signal));
    }
  }

  #wait(turn: Turn): void {
    if (turn.state.phase !== 'waiting') return;
    this.lanes.add({
      id: turn.id,
      lane: this.laneOf(turn),
      order: turn.seq,
      notBeforeMs: turn.state.notBeforeMs,
      sinceMs: turn.receivedAtMs,
    });
  }

  #pump(): void {
    if (this.#stop.signal.aborted) return;
    const { clock, target, turnsRunningMax } = this.#parts;
    const slots = target.correlates ? turnsRunningMax : Number(this.#slot.mayStart);
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
    this.#track(work(ending.signal).finally(forget));
  }

  #track(work: Promise<void>): void {
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
  }

  /** One turn from its lane to the end of its slot. */
  async #work(id: TurnId, lane: string, signal: AbortSignal): Promise<void> {
    this.#running += 1;
    let turn: Turn | undefined;
    try {
      const target = await this.#currentTarget();
      if (target === undefined) {
        await this.#putBack(id);
        return;
      }
      ({ turn } = await this.#apply(id, { kind: 'started', target }));
      if (turn.state.phase === 'sending') turn = await this.#send(turn, signal);
      if (turn.state.phase === 'accepted') turn = await this.#awaitAnswer(turn, signal);
    } finally {
      this.#running -= 1;
      this.#releaseLane(turn, lane);
    }
    if (turn.state.phase === 'overdue') await this.#awaitAnswer(turn, signal);
  }

  async #resume(turn: Turn, lane: string, signal: AbortSignal): Promise<void> {
    const engaged = isEngaged(turn.state.phase);
    if (engaged) this.#running += 1;
    let now = turn;
    try {
      if (engaged) now = await this.#awaitAnswer(turn, signal);
    } finally {
      if (engaged) {
        this.#running -= 1;
        this.#releaseLane(now, lane);
      }
    }
    if (now.state.phase === 'overdue') await this.#awaitAnswer(now, signal);
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

  async #send(turn: Turn, signal: AbortSignal): Promise<Turn> {
    if (turn.state.phase !== 'sending') return turn;
    const { target, random, brand } = this.#parts;
    const { deadlineMs } = turn.state;
    const limit = limitAt(this.#parts.clock, signal, deadlineMs);
    let result: SendResult;
    try {
      result = await target.send(
        {
          messageId: platformMessageId(turn),
          text: textOf(turn),
          context: contextOf(turn.message, brand),
          target: turn.state.target,
        },
        limit.signal,
      );
    } finally {
      limit.cancel();
    }
    // What a cut request came to is not known; the next start asks again under the same id.
    if (this.#stop.signal.aborted && result.kind === 'unknown') return turn;
    const late = result.kind === 'unknown' && this.#parts.clock.nowMs() >= deadlineMs;
    const event: TurnEvent = late
      ? { kind: 'timed_out' }
      : { kind: 'sent', result, random: random() };
    return (await this.#apply(turn.id, event)).turn;
  }

  /** Waits under the turn's ticket until it is settled; an `accepted` turn at most until its time is over. */
  async #awaitAnswer(turn: Turn, signal: AbortSignal): Promise<Turn> {
    const { target, clock, random } = this.#parts;
    const { state } = turn;
    if (state.phase !== 'accepted' && state.phase !== 'overdue') return turn;
    if (state.ticket === undefined) return this.#awaitLoose(turn);
    const deadlineMs = state.phase === 'accepted' ? state.deadlineMs : undefined;
    let failures = 0;
    while (!signal.aborted) {
      if (deadlineMs !== undefined && clock.nowMs() >= deadlineMs) {
        return (await this.#apply(turn.id, { kind: 'timed_out' })).turn;
      }
      const limit = limitAt(this.#parts.clock, signal, deadlineMs);
      let result: WaitResult;
      try {
        result = await target.wait(state.target, state.ticket, limit.signal);
      } finally {
        limit.cancel();
      }
      if (result.kind === 'pending') failures = 0;
      else if (result.kind === 'unreachable') {
        failures += 1;
        const options = { baseMs: TURN_SEND_BACKOFF_BASE_MS, maxMs: TURN_SEND_BACKOFF_MAX_MS };
        await pause(clock, signal, backoffMs(failures, { ...options, random: random() }));
      } else return (await this.#apply(turn.id, { kind: 'waited', result })).turn;
    }
    return turn;
  }

  /** Waits while `receive` may settle the turn; after its time, once more for as long. */
  async #awaitLoose(turn: Turn): Promise<Turn> {
    const { journal, clock, turnTimeoutMs } = this.#parts;
    let now: Turn | undefined = turn;
    while (!this.#stop.signal.aborted) {
      const state = now?.state;
      if (state?.phase !== 'accepted' && state?.phase !== 'overdue') break;
      const overdue = state.phase === 'overdue';
      const leftMs = (overdue ? state.sinceMs + turnTimeoutMs : state.deadlineMs) - clock.nowMs();
      if (leftMs <= 0) {
        const event = { kind: overdue ? 'gave_up_waiting' : 'timed_out' } as const;
        return (await this.#apply(turn.id, event)).turn;
      }
      const limit = limitAt(clock, this.#stop.signal, clock.nowMs() + leftMs);
      await this.#changed.wait(limit.signal);
      limit.cancel();
      now = await journal.turn(turn.id);
    }
    return now ?? turn;
  }

  async #apply(id: TurnId, event: TurnEvent, once?: string) {
    const { journal, persistence, delivery, target, turnTimeoutMs, clock, log } = this.#parts;
    const nowMs = clock.nowMs();
    const rules = { turnTimeoutMs, deduplicates: target.deduplicates, nowMs };
    const done = await persistence.insist(() =>
      journal.changeTurn(
        id,
        (turn) => {
          const next = step(turn, event, rules);
          if (next === undefined) return undefined;
          const run = next.run ?? turn.run;
          const out = toDrafts({ ...turn, run }, next.show, nowMs);
          return { state: next.state, run, atMs: nowMs, out };
        },
        once,
      ),
    );
    if (done.changed) {
      const { phase } = done.turn.state;
      this.#slot.note(done.turn);
      this.#changed.ring();
      log.info('turn_changed', {
        turn: id,
        chat: done.turn.message.chatId,
        on: event.kind,
        phase,
      });
      if (isFinal(phase) || phase === 'held') this.#receipts.cancel(id);
      delivery.offer(done.out);
    }
    return done;
  }

  /** Shows something about a turn that is still open, without changing it. */
  async show(id: TurnId, show: Show): Promise<void> {
    const { journal, persistence, delivery, clock } = this.#parts;
    const nowMs = clock.nowMs();
    const { out } = await persistence.insist(() =>
      journal.changeTurn(id, (turn) => {
        const { phase } = turn.state;
        if (isFinal(phase) || phase === 'held' || phase === 'command') return undefined;
        return { state: turn.state, out: toDrafts(turn, [show], nowMs) };
      }),
    );
    delivery.offer(out);
  }
}

function textOf(turn: Turn): string {
  return turn.message.parts.map((part) => (part.kind === 'text' ? part.text : '')).join('\n');
}
