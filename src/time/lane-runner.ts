import { BridgeError } from '../core/errors.ts';
import type { Log, LogFields } from '../core/log.ts';
import type { Clock } from './clock.ts';
import { type LaneItem, Lanes } from './lanes.ts';
import { Wake } from './wake.ts';

interface LaneRunnerParts {
  /** Whose work it is; a bug in it is logged as `<name>_bug`. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
  /** How much may run at once now. Call `pump` when it grows. */
  readonly slots: () => number;
  /** Works on one item. It holds a slot and its lane until `hold.release()`, or else until its work is over. */
  readonly work: (item: LaneItem, hold: Hold) => Promise<void>;
}

/** A slot and a lane that somebody works in. */
export interface Hold {
  readonly lane: string;
  /** Gives both back before the work is over. Only the first call counts. */
  release(): void;
}

/** Works on what waits in lanes: each lane in order, lanes side by side, as many at once as there are slots. */
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

  /** Items that wait; those at work don't count. */
  get size(): number {
    return this.#lanes.size;
  }

  /** Since when the item waits that waits longest. */
  oldestMs(): number | undefined {
    return this.#lanes.oldestMs();
  }

  waiting(): Iterable<LaneItem> {
    return this.#lanes.waiting();
  }

  /** How many go before this one in its lane; the one at work counts. */
  ahead({ lane, id }: LaneItem): number {
    return this.#lanes.ahead(lane, id);
  }

  /** Begins with the next `pump`. */
  add(item: LaneItem): void {
    this.#lanes.add(item);
  }

  /** Takes a waiting item out; false if it does not wait here. */
  remove(lane: string, id: string): boolean {
    return this.#lanes.remove(lane, id);
  }

  /** For something that an earlier process began: it holds a slot and its lane although it never waited here. */
  occupy(lane: string): Hold {
    this.#lanes.occupy(lane);
    return this.#hold(lane);
  }

  /** Begins whatever may begin now, and sets a timer for what is due later. */
  pump(): void {
    if (this.#stop.signal.aborted || this.#closing) return;
    const { clock, slots, work } = this.#parts;
    const slotsMax = slots();
    while (this.#running < slotsMax) {
      const item = this.#lanes.take(clock.nowMs());
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

  /** Work that `stop` waits for. What is returned never rejects: one bug must not take the other work with it. */
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

  /** Begins nothing more, and resolves when every slot is free. */
  async finish(): Promise<void> {
    this.#closing = true;
    while (this.#running > 0 && !this.#stop.signal.aborted) {
      await this.#released.wait(this.#stop.signal);
    }
  }

  /** Begins nothing more, and resolves when all work is over. */
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
    // While stopping, a write may be refused: the next start goes on from what the journal has.
    if (this.#stop.signal.aborted && error instanceof BridgeError) return;
    const { name, log } = this.#parts;
    log.error(`${name}_bug`, { ...about, error: String((error as Error).stack) });
  }
}
