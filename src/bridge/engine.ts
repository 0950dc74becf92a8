import type { Brand } from '../core/brand.ts';
import { BridgeError, errorText } from '../core/errors.ts';
import type { TurnId, WorkspaceId } from '../core/ids.ts';
import type { Journal, TurnHead } from '../core/journal.ts';
import type { Service } from '../core/lifecycle.ts';
import { RECEIPT_DELAY_MS } from '../core/limits.ts';
import type { Clock, Log, SendResult, TurnTarget, WaitResult } from '../core/ports.ts';
import type { Show, Turn } from '../core/turn.ts';
import { contextOf } from './context.ts';
import type { Delivery } from './delivery.ts';
import { platformMessageId } from './keys.ts';
import { Lanes } from './lanes.ts';
import type { Persistence } from './persistence.ts';
import { toDrafts } from './render.ts';
import { isEngaged, isFinal, step, type TurnEvent } from './turn.ts';
import { backoffMs } from '../core/backoff.ts';
import { TURN_SEND_BACKOFF_BASE_MS, TURN_SEND_BACKOFF_MAX_MS } from '../core/limits.ts';

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
  readonly #receipts = new Map<TurnId, () => void>();
  #running = 0;
  #cancelTimer: (() => void) | undefined;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    for (const head of await this.#parts.journal.openTurns()) await this.#takeUp(head);
    this.#pump();
  }

  /** Leaves what is at work as the journal has it; the next start goes on from there. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#cancelTimer?.();
    for (const cancel of this.#receipts.values()) cancel();
    await Promise.all(this.#working);
  }

  get running(): number {
    return this.#running;
  }

  /** A turn that waits in the journal now. */
  offer(turn: Turn): void {
    if (turn.state.phase !== 'waiting') return;
    this.#wait(turn);
    this.#planReceipt(turn);
    this.#pump();
  }

  /** Something happened to a turn from outside: a recall, a person's word. False if it meant nothing. */
  async happen(id: TurnId, event: TurnEvent, once?: string): Promise<boolean> {
    const { turn, changed } = await this.#apply(id, event, once);
    if (!changed) return false;
    if (turn.state.phase === 'waiting') this.offer(turn);
    else this.lanes.remove(this.#laneOf(turn.message.chatId), id);
    return true;
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
      if (isEngaged(head.phase)) this.lanes.occupy(lane);
      this.#track(this.#resume(turn, lane));
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
    const slots = target.correlates ? turnsRunningMax : 1;
    while (this.#running < slots) {
      const item = this.lanes.take(clock.nowMs());
      if (item === undefined) break;
      this.#track(this.#work(item.id as TurnId, item.lane));
    }
    this.#cancelTimer?.();
    const dueMs = this.lanes.nextDueMs();
    this.#cancelTimer =
      dueMs === undefined
        ? undefined
        : clock.after(Math.max(1, dueMs - clock.nowMs()), () => this.#pump());
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
  async #work(id: TurnId, lane: string): Promise<void> {
    this.#running += 1;
    let turn: Turn | undefined;
    try {
      const target = await this.#currentTarget();
      if (target === undefined) {
        await this.#putBack(id);
        return;
      }
      ({ turn } = await this.#apply(id, { kind: 'started', target }));
      if (turn.state.phase === 'sending') turn = await this.#send(turn);
      if (turn.state.phase === 'accepted') turn = await this.#awaitAnswer(turn);
    } finally {
      this.#running -= 1;
      this.#releaseLane(turn, lane);
    }
    if (turn.state.phase === 'overdue') await this.#awaitAnswer(turn);
  }

  async #resume(turn: Turn, lane: string): Promise<void> {
    const engaged = isEngaged(turn.state.phase);
    if (engaged) this.#running += 1;
    let now = turn;
    try {
      if (engaged) now = await this.#awaitAnswer(turn);
    } finally {
      if (engaged) {
        this.#running -= 1;
        this.#releaseLane(now, lane);
      }
    }
    if (now.state.phase === 'overdue') await this.#awaitAnswer(now);
  }

  #releaseLane(turn: Turn | undefined, lane: string): void {
    if (this.#stop.signal.aborted) return;
    if (turn?.state.phase === 'waiting') this.#wait(turn);
    this.lanes.release(lane);
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

  async #send(turn: Turn): Promise<Turn> {
    if (turn.state.phase !== 'sending') return turn;
    const { target, random, brand } = this.#parts;
    const { deadlineMs } = turn.state;
    const limit = this.#limit(deadlineMs);
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
  async #awaitAnswer(turn: Turn): Promise<Turn> {
    const { target, clock, random } = this.#parts;
    const { state } = turn;
    if (state.phase !== 'accepted' && state.phase !== 'overdue') return turn;
    const deadlineMs = state.phase === 'accepted' ? state.deadlineMs : undefined;
    let failures = 0;
    while (!this.#stop.signal.aborted) {
      if (deadlineMs !== undefined && clock.nowMs() >= deadlineMs) {
        return (await this.#apply(turn.id, { kind: 'timed_out' })).turn;
      }
      if (state.ticket === undefined) {
        await this.#sleep(Math.max(1, (deadlineMs ?? 0) - clock.nowMs()));
        continue;
      }
      const limit = this.#limit(deadlineMs);
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
        await this.#sleep(backoffMs(failures, { ...options, random: random() }));
      } else return (await this.#apply(turn.id, { kind: 'waited', result })).turn;
    }
    return turn;
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
          return { state: next.state, run, out: toDrafts({ ...turn, run }, next.show, nowMs) };
        },
        once,
      ),
    );
    if (done.changed) {
      const { phase } = done.turn.state;
      log.info('turn_changed', {
        turn: id,
        chat: done.turn.message.chatId,
        on: event.kind,
        phase,
      });
      if (isFinal(phase) || phase === 'held') this.#cancelReceipt(id);
      delivery.offer(done.out);
    }
    return done;
  }

  #planReceipt(turn: Turn): void {
    if (this.#receipts.has(turn.id)) return;
    const cancel = this.#parts.clock.after(RECEIPT_DELAY_MS, () => {
      this.#receipts.delete(turn.id);
      this.#track(this.#showReceipt(turn.id));
    });
    this.#receipts.set(turn.id, cancel);
  }

  #cancelReceipt(id: TurnId): void {
    this.#receipts.get(id)?.();
    this.#receipts.delete(id);
  }

  async #showReceipt(id: TurnId): Promise<void> {
    const nowMs = this.#parts.clock.nowMs();
    await this.show(id, { what: 'receipt', dueAtMs: nowMs });
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

  #limit(deadlineMs: number | undefined): { signal: AbortSignal; cancel: () => void } {
    const { clock } = this.#parts;
    if (deadlineMs === undefined) return { signal: this.#stop.signal, cancel: () => {} };
    const controller = new AbortController();
    const cancelTimer = clock.after(Math.max(1, deadlineMs - clock.nowMs()), () =>
      controller.abort(),
    );
    const onStop = () => controller.abort();
    this.#stop.signal.addEventListener('abort', onStop);
    return {
      signal: controller.signal,
      cancel: () => {
        cancelTimer();
        this.#stop.signal.removeEventListener('abort', onStop);
      },
    };
  }

  #sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#parts.clock.after(delayMs, done);
      const { signal } = this.#stop;
      function done() {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      }
      signal.addEventListener('abort', done);
    });
  }
}

function textOf(turn: Turn): string {
  return turn.message.parts.map((part) => (part.kind === 'text' ? part.text : '')).join('\n');
}
