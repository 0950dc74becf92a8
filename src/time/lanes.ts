/**
 * What is to be done, by lane: one thing of a lane at a time, in order; lanes side by side. Only an index
 * in memory: the journal is the truth, and a start fills this from it.
 */
export interface LaneItem {
  readonly id: string;
  readonly lane: string;
  /** Smaller goes first within its lane. */
  readonly order: number;
  /** Not before this time; what stands behind it waits too. */
  readonly notBeforeMs: number;
  /** Since when somebody waits for it. */
  readonly sinceMs: number;
}

interface Lane {
  readonly items: LaneItem[];
  busy: boolean;
}

export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  /** Lanes that may have something to give now, longest waiting first. */
  readonly #ready = new Set<string>();
  /** Lanes whose first item has to wait, with its time. */
  readonly #deferred = new Map<string, number>();
  #size = 0;
  #latestMs = Number.NEGATIVE_INFINITY;

  /** Items that wait; those taken don't count. */
  get size(): number {
    return this.#size;
  }

  add(item: LaneItem): void {
    const lane = this.#lane(item.lane);
    let at = lane.items.length;
    while (at > 0 && (lane.items[at - 1]?.order ?? 0) > item.order) at -= 1;
    lane.items.splice(at, 0, item);
    this.#size += 1;
    this.#offer(item.lane, lane);
  }

  /** The next item whose time has come; its lane is busy until `release`. */
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

  /** A clock that was set back must not make anybody wait for it to catch up. */
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

  /** Marks a lane busy with something that was taken before (by an earlier process). */
  occupy(name: string): void {
    this.#lane(name).busy = true;
  }

  release(name: string): void {
    const lane = this.#lanes.get(name);
    if (lane === undefined) return;
    lane.busy = false;
    if (lane.items.length === 0) this.#lanes.delete(name);
    else this.#offer(name, lane);
  }

  /** Takes a waiting item out; false if it does not wait here. */
  remove(name: string, id: string): boolean {
    const lane = this.#lanes.get(name);
    const at = lane?.items.findIndex((item) => item.id === id) ?? -1;
    if (lane === undefined || at < 0) return false;
    lane.items.splice(at, 1);
    this.#size -= 1;
    if (lane.items.length === 0 && !lane.busy) this.#lanes.delete(name);
    else this.#offer(name, lane);
    return true;
  }

  /** How many wait before this one in its lane; the one at work counts. */
  ahead(name: string, id: string): number {
    const lane = this.#lanes.get(name);
    if (lane === undefined) return 0;
    const at = lane.items.findIndex((item) => item.id === id);
    return Math.max(0, at) + (lane.busy ? 1 : 0);
  }

  /** When the earliest deferred lane may go on. */
  nextDueMs(): number | undefined {
    let next: number | undefined;
    for (const dueMs of this.#deferred.values()) {
      if (next === undefined || dueMs < next) next = dueMs;
    }
    return next;
  }

  /** Since when somebody waits longest. */
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

  #offer(name: string, lane: Lane): void {
    if (lane.busy || lane.items.length === 0) return;
    this.#deferred.delete(name);
    this.#ready.add(name);
  }
}
