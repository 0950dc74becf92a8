/** A timer that was cancelled stays in the heap until it is due. */
interface Timer {
  readonly dueAtMs: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/**
 * The cloud's time. `nowMs` is the wall clock plus what `advance` added; it never goes back.
 * Waits pass `timeScale` times faster than real ones. Times that are compared with `nowMs` (expiry
 * of tokens, the hour of a uuid) do not: clients would see their tokens expire too early.
 */
export class Clock {
  readonly timeScale: number;
  readonly #heap: Timer[] = [];
  #skewMs = 0;
  #lastMs = 0;
  #order = 0;
  #armed: { readonly handle: NodeJS.Timeout; readonly dueAtMs: number } | undefined;
  #stopped = false;

  constructor(timeScale = 1) {
    this.timeScale = timeScale;
  }

  nowMs(): number {
    this.#lastMs = Math.max(this.#lastMs, Date.now() + this.#skewMs);
    return this.#lastMs;
  }

  /** Calls `run` once after `delayMs` of the cloud's time; the returned function cancels. */
  after(delayMs: number, run: () => void): () => void {
    this.#order += 1;
    const timer: Timer = {
      dueAtMs: this.nowMs() + delayMs / this.timeScale,
      order: this.#order,
      run,
    };
    push(this.#heap, timer);
    this.#arm();
    return () => {
      timer.run = undefined;
    };
  }

  /** The same in real milliseconds, whatever the scale. */
  afterReal(delayMs: number, run: () => void): () => void {
    return this.after(delayMs * this.timeScale, run);
  }

  /** Jumps forward. Timers that are due then run before this returns, in their order. */
  advance(byMs: number): void {
    this.#skewMs += byMs;
    this.#runDue();
  }

  /** No timer runs after this. */
  stop(): void {
    this.#stopped = true;
    this.#heap.length = 0;
    this.#disarm();
  }

  #runDue(): void {
    let next = this.#heap[0];
    while (next !== undefined && (next.run === undefined || next.dueAtMs <= this.nowMs())) {
      pop(this.#heap);
      const run = next.run;
      next.run = undefined;
      run?.();
      next = this.#heap[0];
    }
    this.#arm();
  }

  #arm(): void {
    const next = this.#heap[0];
    if (next === undefined || this.#stopped) return;
    if (this.#armed !== undefined && this.#armed.dueAtMs <= next.dueAtMs) return;
    this.#disarm();
    const handle = setTimeout(
      () => {
        this.#armed = undefined;
        this.#runDue();
      },
      Math.max(0, next.dueAtMs - this.nowMs()),
    );
    // The listening server keeps the process alive; its timers must not.
    handle.unref();
    this.#armed = { handle, dueAtMs: next.dueAtMs };
  }

  #disarm(): void {
    if (this.#armed !== undefined) clearTimeout(this.#armed.handle);
    this.#armed = undefined;
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.dueAtMs < b.dueAtMs || (a.dueAtMs === b.dueAtMs && a.order < b.order);
}

function push(heap: Timer[], timer: Timer): void {
  let at = heap.push(timer) - 1;
  while (at > 0) {
    const up = (at - 1) >> 1;
    const parent = heap[up];
    if (parent === undefined || !before(timer, parent)) break;
    heap[at] = parent;
    at = up;
  }
  heap[at] = timer;
}

function pop(heap: Timer[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let down = 2 * at + 1;
    const left = heap[down];
    if (left === undefined) break;
    const right = heap[down + 1];
    const child = right !== undefined && before(right, left) ? right : left;
    if (child === right) down += 1;
    if (!before(child, last)) break;
    heap[at] = child;
    at = down;
  }
  heap[at] = last;
}
