import type { Brand } from '../../core/brand.ts';
import type { TurnId, WorkspaceId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { Service } from '../../core/service.ts';
import type { Show, Turn } from '../../core/turn.ts';
import type { Clock } from '../../time/clock.ts';
import { LaneRunner } from '../../time/lane-runner.ts';
import type { LaneItem } from '../../time/lanes.ts';
import type { Delivery } from '../outbox/delivery.ts';
import type { ContentForm, Journal, Observer, TurnHead, TurnTarget } from '../ports.ts';
import { INBOX_KEEP_MS } from '../pruning.ts';
import type { StoreRetry } from '../store-retry.ts';
import { Attempts, laneItemOf } from './attempt.ts';
import { CallOffs } from './call-offs.ts';
import { TurnRequests } from './requests.ts';
import { type Owner, SingleSlot } from './single-slot.ts';
import { isEngaged, isFinal, type TurnEvent } from './turn.ts';
import { TurnChanges } from './turn-changes.ts';

interface EngineParts {
  readonly journal: Journal;
  readonly target: TurnTarget;
  readonly form: ContentForm;
  readonly delivery: Delivery;
  readonly storeRetry: StoreRetry;
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
  readonly #parts: EngineParts;
  readonly #runner: LaneRunner;
  readonly #slot: SingleSlot;
  readonly #callOffs: CallOffs;
  readonly #changes: TurnChanges;
  readonly #attempts: Attempts;
  #started = false;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    const { clock, log, target, turnsRunningMax, turnTimeoutMs } = parts;
    const runner = new LaneRunner({
      name: this.name,
      clock,
      log,
      slots: () => (target.correlates ? turnsRunningMax : Number(this.#slot.mayStart)),
      work: (item, hold) => this.#attempts.begin(item.id as TurnId, hold),
    });
    const slot = new SingleSlot({ clock, lateMs: turnTimeoutMs, onFree: () => runner.pump() });
    const callOffs = new CallOffs({ ...parts, runner });
    const requests = new TurnRequests(target, parts.brand);
    const changes = new TurnChanges({ ...parts, runner, slot, callOffs, requests });
    this.#attempts = new Attempts({ ...parts, runner, requests, changes });
    this.#runner = runner;
    this.#slot = slot;
    this.#callOffs = callOffs;
    this.#changes = changes;
  }

  async start(): Promise<void> {
    const { journal, clock } = this.#parts;
    this.#started = true;
    const sinceMs = clock.nowMs() - INBOX_KEEP_MS;
    this.#slot.restore(await journal.unanswered(sinceMs), clock.nowMs());
    for (const head of await journal.openTurns()) await this.#takeUp(head);
    await this.#callOffs.resume();
    this.#runner.pump();
  }

  /** Leaves what is at work as the journal has it; the next start goes on from there. */
  async stop(): Promise<void> {
    const stopped = this.#runner.stop();
    this.#attempts.endAll();
    this.#slot.stop();
    this.#changes.receipts.cancelAll();
    await stopped;
  }

  /** Begins no more turns, and resolves when those at work are over; each has its time. */
  finish(): Promise<void> {
    return this.#runner.finish();
  }

  /** A turn that waits in the journal now. Before the start the journal keeps it. */
  offer(turn: Turn): void {
    const item = laneItemOf(turn);
    if (item === undefined || !this.#started) return;
    this.#runner.add(item);
    this.#changes.receipts.plan(turn.id);
    this.#runner.pump();
  }

  /** Something happened to a turn from outside, such as a recall or a command. False if it changed nothing. */
  async apply(id: TurnId, event: TurnEvent, once?: string): Promise<boolean> {
    const { turn, changed } = await this.#changes.apply(id, event, once);
    if (!changed) return false;
    if (turn.state.phase === 'waiting') this.offer(turn);
    else this.#runner.remove(turn.message.chatId, id);
    if (isFinal(turn.state.phase)) this.#attempts.end(id);
    // What others wait for may be this one.
    if (this.#started) this.#runner.pump();
    return true;
  }

  /** Shows something about a turn that waits or is at work, without changing it. */
  show(id: TurnId, show: Show): Promise<void> {
    return this.#changes.show(id, show);
  }

  /** Whose an answer is that names no turn. */
  ownerOfAnswer(from: WorkspaceId): Owner {
    return this.#slot.owner(from, this.#parts.clock.nowMs());
  }

  /** An answer that may be this turn's was shown in its chat, or kept aside. */
  async noteAnswer(turn: TurnId): Promise<void> {
    this.#slot.close(turn);
    if (!this.#slot.expects(turn)) await this.apply(turn, { kind: 'late_answer' });
  }

  waiting(): Iterable<LaneItem> {
    return this.#runner.waiting();
  }

  /** How many go before one that waits. */
  ahead(item: LaneItem): number {
    if (this.#parts.target.correlates) return this.#runner.ahead(item);
    const before = [...this.waiting()].filter((other) => other.order < item.order);
    return this.#runner.running + before.length;
  }

  /** Nothing is sent, because nobody knows yet what became of the request before. */
  get isInDoubt(): boolean {
    return !this.#parts.target.correlates && this.#slot.isInDoubt;
  }

  load() {
    const { size, running } = this.#runner;
    return { waiting: size, waitingSinceMs: this.#runner.oldestMs(), running };
  }

  async #takeUp(head: TurnHead): Promise<void> {
    const { journal, clock } = this.#parts;
    const { id, chatId: lane, seq: order, receivedAtMs: sinceMs } = head;
    // The process before this one may have died before it came to it.
    if (head.phase === 'waiting' || isEngaged(head.phase)) this.#changes.receipts.plan(id);
    if (head.phase === 'waiting') {
      this.#runner.add({ id, lane, order, notBeforeMs: 0, sinceMs });
    } else if (head.phase === 'sending') {
      const sent = await journal.turn(id);
      // What the request came to is not known: the turn may be answered yet.
      if (sent !== undefined) this.#slot.note(sent, clock.nowMs());
      const { turn } = await this.#changes.apply(id, { kind: 'restarted' });
      const item = laneItemOf(turn);
      if (item !== undefined) this.#runner.add(item);
    } else if (head.phase === 'accepted' || head.phase === 'overdue') {
      const turn = await journal.turn(id);
      if (turn === undefined) return;
      this.#slot.note(turn, clock.nowMs());
      const hold = isEngaged(head.phase) ? this.#runner.occupy(lane) : undefined;
      void this.#runner.track(this.#attempts.resume(turn, hold));
    }
  }
}
