/**
 * An item of work. Of each lane one item runs at a time, in order. Different lanes run at the same time. Lanes are
 * only an index in memory: the journal has the stored state, and a start fills the lanes from it.
 */
export interface LaneItem {
  readonly id: string;
  readonly lane: string;
  /** Smaller goes first within its lane. */
  readonly order: number;
  /** The item must not begin before this time. The items behind it wait too. */
  readonly notBeforeMs: number;
  /** When somebody began to wait for it. */
  readonly sinceMs: number;
}

interface Lane {
  readonly items: LaneItem[];
  busy: boolean;
}

export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  /** Lanes that may have an item for `take` now, the longest waiting first. */
  readonly #ready = new Set<string>();
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

  /** Removes and returns the next item that is due. Its lane is busy until `release`. */
  take(nowMs: number): LaneItem | undefined {
    this.#followClock(nowMs);
    for (const [name, dueMs] of this.#deferred) {
      if (dueMs <= nowMs) {
        this.#deferred.delete(name);
        this.#ready.add(name);
      }
    }
    for (const name of this.#ready) {
      this.#ready.delete(name);
      const lane = this.#lanes.get(name);
      const first = lane?.items[0];
      if (lane === undefined || first === undefined || lane.busy) continue;
      if (first.notBeforeMs > nowMs) {
        this.#deferred.set(name, first.notBeforeMs);
        continue;
      }
      lane.items.shift();
      this.#size -= 1;
      lane.busy = true;
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
  occupy(name: string): void {
    this.#lane(name).busy = true;
  }

  release(name: string): void {
    const lane = this.#lanes.get(name);
    if (lane === undefined) return;
    lane.busy = false;
    if (lane.items.length === 0) this.#lanes.delete(name);
    else this.#markReady(name, lane);
  }

  /** Removes a waiting item. False if it does not wait here. */
  remove(name: string, id: string): boolean {
    const lane = this.#lanes.get(name);
    const at = lane?.items.findIndex((item) => item.id === id) ?? -1;
    if (lane === undefined || at < 0) return false;
    lane.items.splice(at, 1);
    this.#size -= 1;
    if (lane.items.length === 0 && !lane.busy) this.#lanes.delete(name);
    else this.#markReady(name, lane);
    return true;
  }

  /** The number of items before this one in its lane. An item that runs counts. */
  ahead(name: string, id: string): number {
    const lane = this.#lanes.get(name);
    if (lane === undefined) return 0;
    const at = lane.items.findIndex((item) => item.id === id);
    return Math.max(0, at) + (lane.busy ? 1 : 0);
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

  *waiting(): Generator<LaneItem> {
    for (const lane of this.#lanes.values()) yield* lane.items;
  }

  #lane(name: string): Lane {
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = { items: [], busy: false };
      this.#lanes.set(name, lane);
    }
    return lane;
  }

  #markReady(name: string, lane: Lane): void {
    if (lane.busy || lane.items.length === 0) return;
    this.#deferred.delete(name);
    this.#ready.add(name);
  }
}
