export interface Clock {
  nowMs(): number;
  /** Calls `run` once after `delayMs`. The returned function cancels the call. */
  after(delayMs: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Not changed when somebody sets the machine's clock. It is for waits and not for dates. */
export const steadyClock: Clock = {
  nowMs: () => performance.now(),
  after: (delayMs, run) => systemClock.after(delayMs, run),
};
