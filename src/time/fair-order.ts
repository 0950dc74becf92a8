/**
 * If a share that has so many items at work may have one more slot. Of eight free slots one share gets at most four, a
 * second one then two, and two more get one each: whoever asks for much leaves slots for those who come later.
 */
export function mayHaveSlot(atWork: number, free: number): boolean {
  return free > atWork;
}

interface Share {
  readonly name: string;
  /** Lanes with an item of this share that may begin, the longest ready first. */
  readonly lanes: Set<string>;
  atWork: number;
}

/**
 * The order in which lanes get slots. Each item belongs to a share, such as the person who waits for it. The share with
 * the fewest items at work comes first, and of equal ones the share that has waited longest since its latest item.
 */
export class FairOrder {
  readonly #shares = new Map<string, Share>();
  /** Shares with lanes, by their number of items at work. In each set the share that has waited longest is first. */
  readonly #levels: Set<Share>[] = [];

  /** The next item of this lane may begin. It belongs to this share. */
  add(name: string, lane: string): void {
    const share = this.#share(name);
    share.lanes.add(lane);
    this.#level(share.atWork).add(share);
  }

  remove(name: string, lane: string): void {
    const share = this.#share(name);
    share.lanes.delete(lane);
    if (share.lanes.size === 0) this.#level(share.atWork).delete(share);
    this.#forgetIdle(share);
  }

  /** An item of this share is at work from now on. */
  begin(name: string): void {
    this.#move(this.#share(name), 1);
  }

  end(name: string): void {
    const share = this.#share(name);
    this.#move(share, -1);
    this.#forgetIdle(share);
  }

  /** The lanes that may have one of the free slots, in order. The caller may remove the lane that it was given. */
  *lanes(free: number): Generator<string> {
    for (let atWork = 0; mayHaveSlot(atWork, free) && atWork < this.#levels.length; atWork += 1) {
      for (const share of this.#level(atWork)) yield* share.lanes;
    }
  }

  #share(name: string): Share {
    let share = this.#shares.get(name);
    if (share === undefined) {
      share = { name, lanes: new Set(), atWork: 0 };
      this.#shares.set(name, share);
    }
    return share;
  }

  #level(atWork: number): Set<Share> {
    while (this.#levels.length <= atWork) this.#levels.push(new Set());
    return this.#levels[atWork] as Set<Share>;
  }

  #move(share: Share, by: 1 | -1): void {
    this.#level(share.atWork).delete(share);
    share.atWork += by;
    if (share.lanes.size > 0) this.#level(share.atWork).add(share);
  }

  #forgetIdle(share: Share): void {
    if (share.atWork === 0 && share.lanes.size === 0) this.#shares.delete(share.name);
  }
}
