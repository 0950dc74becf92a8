/** How many calls for live cards may be under way, and who waits for a place. */

/** For all live cards together. The other places of the broker are for answers. */
const CALLS_AT_ONCE_MAX = 6;

export class CallPlaces {
  #taken = 0;
  #waiting: (() => void)[] = [];

  get areTaken(): boolean {
    return this.#taken >= CALLS_AT_ONCE_MAX;
  }

  /** `onFree` is called once: when a call has ended. Others may have taken its place by then. */
  wait(onFree: () => void): void {
    this.#waiting.push(onFree);
  }

  async during<T>(call: () => Promise<T>): Promise<T> {
    this.#taken += 1;
    try {
      return await call();
    } finally {
      this.#taken -= 1;
      // Not only the first one: it may have nothing to show any more.
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const onFree of waiting) onFree();
    }
  }
}
