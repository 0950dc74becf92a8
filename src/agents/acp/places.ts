/** Bounds how many programs of agents live at the same time, over all agents of the bridge. */

/** Called when the place is free again. */
type Leave = () => void;

export class ProgramPlaces {
  readonly #max: number;
  #taken = 0;
  readonly #waiting: (() => void)[] = [];
  /** What ends a program without work, the longest idle one first. */
  readonly #idle = new Set<() => void>();

  constructor(max: number) {
    this.#max = max;
  }

  /** How many programs live. */
  get taken(): number {
    return this.#taken;
  }

  /**
   * Resolves when there is a place, in the order of the calls. A program without work is ended to make room.
   * `onWait` is called if all are at work. Undefined: `signal` aborted first.
   */
  async take(onWait: () => void, signal: AbortSignal): Promise<Leave | undefined> {
    if (signal.aborted) return undefined;
    if (this.#taken < this.#max) this.#taken += 1;
    else if (!(await this.#wait(onWait, signal))) return undefined;
    let hasLeft = false;
    return () => {
      if (!hasLeft) this.#leave();
      hasLeft = true;
    };
  }

  /** A program has no work, so `end` may be called. The returned function takes that back. */
  noteIdle(end: () => void): () => void {
    if (this.#waiting.length > 0) {
      end();
      return () => {};
    }
    this.#idle.add(end);
    return () => this.#idle.delete(end);
  }

  #wait(onWait: () => void, signal: AbortSignal): Promise<boolean> {
    const placed = this.#placed(signal);
    const [end] = this.#idle;
    if (end === undefined) onWait();
    else {
      this.#idle.delete(end);
      end();
    }
    return placed;
  }

  /** False if `signal` aborts first. */
  #placed(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const begin = () => {
        signal.removeEventListener('abort', giveUp);
        resolve(true);
      };
      const giveUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(begin), 1);
        resolve(false);
      };
      this.#waiting.push(begin);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** The place goes to whoever waits longest. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken -= 1;
    else next();
  }
}
