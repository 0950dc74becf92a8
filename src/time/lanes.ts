import { FairOrder } from './fair-order.ts';

/**
 * An item of work. Of each lane one item runs at a time, in order. Different lanes run at the same time. Lanes are
 * only an index in memory: the journal has the stored state, and a start fills the lanes from it.
 */
export interface LaneItem {
  readonly id: string;
  readonly lane: string;
  /** Whose item it is. Slots are given fairly to shares. Without it, each lane has its own share. */
  readonly share?: string;
  /** Smaller goes first within its lane. */
  readonly order: number;
  /** The item must not begin before this time. The items behind it wait too. */
  readonly notBeforeMs: number;
  /** When somebody began to wait for it. */
  readonly sinceMs: number;
}

interface Lane {
  readonly items: LaneItem[];
  /** The share of the item that is at work. */
  busyFor: string | undefined;
  /** The share of the first item, if that one may begin. */
  readyFor: string | undefined;
}

export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  /** Lanes that may have an item for `take` now. */
  readonly #ready = new FairOrder();
  /** Lanes whose first item has to wait, with its time. */
  readonly #deferred = new Map<string, number>();
  #size = 0;
  #latestMs = Number.NEGATIVE_INFINITY;

  /** The number of waiting items. Taken items do not count. */
  get size(): number {
    return this.#size;
  }

  add(item: LaneItem): void {
    const lane = this.#lane(item.lane);
    let at = lane.items.length;
    while (at > 0 && (lane.items[at - 1]?.order ?? 0) > item.order) at -= 1;
    lane.items.splice(at, 0, item);
    this.#size += 1;
    this.#markReady(item.lane, lane);
  }

  /** Removes and returns the next item that is due and may have one of the free slots. Its lane is busy until `release`. */
  take(nowMs: number, free: number): LaneItem | undefined {
    this.#followClock(nowMs);
    for (const [name, dueMs] of this.#deferred) {
      if (dueMs <= nowMs) this.#markReady(name, this.#lane(name));
    }
    for (const name of this.#ready.lanes(free)) {
      const lane = this.#lane(name);
      this.#unmark(name, lane);
      const first = lane.items[0];
      if (first === undefined) continue;
      if (first.notBeforeMs > nowMs) {
        this.#deferred.set(name, first.notBeforeMs);
        continue;
      }
      lane.items.shift();
      this.#size -= 1;
      this.#occupy(lane, shareOf(first));
      return first;
    }
    return undefined;
  }

  /** If the clock was set back, all times move back with it. Otherwise items would wait too long. */
  #followClock(nowMs: number): void {
    const backMs = this.#latestMs - nowMs;
    this.#latestMs = nowMs;
    if (!(backMs > 0)) return;
    for (const [name, dueMs] of this.#deferred) this.#deferred.set(name, dueMs - backMs);
    for (const { items } of this.#lanes.values()) {
      for (const [at, item] of items.entries()) {
        items[at] = { ...item, notBeforeMs: item.notBeforeMs - backMs };
      }
    }
  }

  /** Marks a lane as busy with an item that an earlier process took. */
  occupy(name: string, share = name): void {
    const lane = this.#lane(name);
    this.#occupy(lane, share);
    // An item may wait in it already.
    this.#markReady(name, lane);
  }

  release(name: string): void {
    const lane = this.#lanes.get(name);
    if (lane === undefined) return;
    if (lane.busyFor !== undefined) this.#ready.end(lane.busyFor);
    lane.busyFor = undefined;
    this.#markReady(name, lane);
  }

  /** Removes a waiting item. False if it does not wait here. */
  remove(name: string, id: string): boolean {
    const lane = this.#lanes.get(name);
    const at = lane?.items.findIndex((item) => item.id === id) ?? -1;
    if (lane === undefined || at < 0) return false;
    lane.items.splice(at, 1);
    this.#size -= 1;
    this.#markReady(name, lane);
    return true;
  }

  /** The number of items before this one in its lane. An item that runs counts. */
  ahead(name: string, id: string): number {
    const lane = this.#lanes.get(name);
    if (lane === undefined) return 0;
    const at = lane.items.findIndex((item) => item.id === id);
    return Math.max(0, at) + (lane.busyFor === undefined ? 0 : 1);
  }

  /** When the first deferred lane may continue. */
  nextDueMs(): number | undefined {
    let next: number | undefined;
    for (const dueMs of this.#deferred.values()) {
      if (next === undefined || dueMs < next) next = dueMs;
    }
    return next;
  }

  /** The start of the longest wait. */
  oldestMs(): number | undefined {
    let oldest: number | undefined;
    for (const { sinceMs } of this.waiting()) {
      if (oldest === undefined || sinceMs < oldest) oldest = sinceMs;
    }
    return oldest;
  }

  /** Waiting items in the order in which they would begin one after another, if nothing changed meanwhile. */
  *inTurn(): Generator<LaneItem> {
    const readyFirst = new Set([...this.#ready.lanes(Infinity), ...this.#lanes.keys()]);
    const queues = new Map<string, Set<Iterator<LaneItem>>>();
    const nexts = new Map<Iterator<LaneItem>, LaneItem>();
    const wait = (lane: Iterator<LaneItem>) => {
      const next = lane.next();
      if (next.done === true) return;
      nexts.set(lane, next.value);
      const share = shareOf(next.value);
      const queue = queues.get(share);
      if (queue === undefined) queues.set(share, new Set([lane]));
      else queue.add(lane);
    };
    for (const name of readyFirst) wait(this.#lane(name).items.values());
    // One item of each share, then the next of each. What is added to a map during the loop comes last.
    for (const [share, queue] of queues) {
      const [lane] = queue;
      queues.delete(share);
      if (lane === undefined) continue;
      queue.delete(lane);
      if (queue.size > 0) queues.set(share, queue);
      const item = nexts.get(lane);
      if (item !== undefined) yield item;
      wait(lane);
    }
  }

  *waiting(): Generator<LaneItem> {
    for (const lane of this.#lanes.values()) yield* lane.items;
  }

  #lane(name: string): Lane {
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = { items: [], busyFor: undefined, readyFor: undefined };
      this.#lanes.set(name, lane);
    }
    return lane;
  }

  #occupy(lane: Lane, share: string): void {
    lane.busyFor = share;
    this.#ready.begin(share);
  }

  /** To be called when the lane or its first item has changed. A lane without any item is forgotten. */
  #markReady(name: string, lane: Lane): void {
    const [first] = lane.items;
    const share = first === undefined || lane.busyFor !== undefined ? undefined : shareOf(first);
    if (share === undefined || share !== lane.readyFor) this.#unmark(name, lane);
    this.#deferred.delete(name);
    if (share !== undefined) {
      lane.readyFor = share;
      this.#ready.add(share, name);
    } else if (first === undefined && lane.busyFor === undefined) this.#lanes.delete(name);
  }

  #unmark(name: string, lane: Lane): void {
    if (lane.readyFor !== undefined) this.#ready.remove(lane.readyFor, name);
    lane.readyFor = undefined;
  }
}

function shareOf({ share, lane }: LaneItem): string {
  return share ?? lane;
}
