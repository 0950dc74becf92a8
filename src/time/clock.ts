export interface Clock {
  nowMs(): number;
  /** Calls `run` once after `delayMs`; the returned function cancels. */
  after(delayMs: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Counts on steadily when somebody sets the machine's clock: for waits, not for times. */
export const steadyClock: Clock = {
  nowMs: () => performance.now(),
  after: (delayMs, run) => systemClock.after(delayMs, run),
};
