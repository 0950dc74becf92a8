import { BridgeError } from '../core/errors.ts';
import type { Log, LogFields } from '../core/log.ts';
import type { Clock } from './clock.ts';
import { type LaneItem, Lanes } from './lanes.ts';
import { Wake } from './wake.ts';

interface LaneRunnerParts {
  /** The name of the owner. A bug in its work is logged as `NAME_bug`. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
  /** How many items may run at once now. Call `pump` when the number grows. */
  readonly slots: () => number;
  /** Works on one item. The item holds a slot and its lane until `hold.release()`, at the latest until the work is over. */
  readonly work: (item: LaneItem, hold: Hold) => Promise<void>;
}

/** A slot and a lane that are in use. */
export interface Hold {
  readonly lane: string;
  /** Frees both before the work is over. Only the first call counts. */
  release(): void;
}

/**
 * Works on items in lanes. The items of one lane run one after another, and lanes run at the same time, up to the
 * number of slots. The slots are given fairly to those whose items they are. */
export class LaneRunner {
  readonly #parts: LaneRunnerParts;
  readonly #lanes = new Lanes();
  readonly #work = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  readonly #released = new Wake();
  #running = 0;
  #closing = false;
  #cancelTimer = () => {};

  constructor(parts: LaneRunnerParts) {
    this.#parts = parts;
  }

  /** Aborts when `stop` is called. */
  get stopSignal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Slots in use. */
  get running(): number {
    return this.#running;
  }

  /** The number of waiting items. Items that run do not count. */
  get size(): number {
    return this.#lanes.size;
  }

  /** The start of the longest wait. */
  oldestMs(): number | undefined {
    return this.#lanes.oldestMs();
  }

  waiting(): Iterable<LaneItem> {
    return this.#lanes.waiting();
  }

  /** Waiting items in the order in which one slot would get them. */
  inTurn(): Iterable<LaneItem> {
    return this.#lanes.inTurn();
  }

  /** The number of items before this one in its lane. An item that runs counts. */
  ahead({ lane, id }: LaneItem): number {
    return this.#lanes.ahead(lane, id);
  }

  /** The item can begin with the next `pump`. */
  add(item: LaneItem): void {
    this.#lanes.add(item);
  }

  /** Removes a waiting item. False if it does not wait here. */
  remove(lane: string, id: string): boolean {
    return this.#lanes.remove(lane, id);
  }

  /** For work that an earlier process began. It holds a slot of its share and its lane, but it never waited here. */
  occupy(lane: string, share?: string): Hold {
    this.#lanes.occupy(lane, share);
    return this.#hold(lane);
  }

  /** Begins all items that may begin now, and sets a timer for items that are due later. */
  pump(): void {
    if (this.#stop.signal.aborted || this.#closing) return;
    const { clock, slots, work } = this.#parts;
    const slotsMax = slots();
    while (this.#running < slotsMax) {
      const item = this.#lanes.take(clock.nowMs(), slotsMax - this.#running);
      if (item === undefined) break;
      const hold = this.#hold(item.lane);
      const whole = work(item, hold).finally(() => hold.release());
      void this.track(whole, { item: item.id });
    }
    this.#cancelTimer();
    const dueMs = this.#lanes.nextDueMs();
    this.#cancelTimer =
      dueMs === undefined
        ? () => {}
        : clock.after(Math.max(1, dueMs - clock.nowMs()), () => this.pump());
  }

  /** Adds work that `stop` waits for. The returned promise never rejects, so that one bug does not end other work. */
  track(work: Promise<void>, about: LogFields = {}): Promise<void> {
    const tracked = work
      .catch((error: unknown) => this.#report(error, about))
      .finally(() => {
        this.#work.delete(tracked);
        this.pump();
      });
    this.#work.add(tracked);
    return tracked;
  }

  /** Begins no more items, and resolves when every slot is free. */
  async finish(): Promise<void> {
    this.#closing = true;
    while (this.#running > 0 && !this.#stop.signal.aborted) {
      await this.#released.wait(this.#stop.signal);
    }
  }

  /** Begins no more items, and resolves when all work is over. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#cancelTimer();
    await Promise.all(this.#work);
  }

  #hold(lane: string): Hold {
    this.#running += 1;
    let isHeld = true;
    const release = () => {
      if (!isHeld) return;
      isHeld = false;
      this.#running -= 1;
      this.#lanes.release(lane);
      this.#released.ring();
      this.pump();
    };
    return { lane, release };
  }

  #report(error: unknown, about: LogFields): void {
    // Writes may be refused during a stop. The next start continues from what the journal has.
    if (this.#stop.signal.aborted && error instanceof BridgeError) return;
    const { name, log } = this.#parts;
    log.error(`${name}_bug`, { ...about, error: String((error as Error).stack) });
  }
}
