/** Lets others wait until something changed. The waiter then has to check what changed. */
export class Wake {
  #waiters = new Set<() => void>();

  /** All who wait continue. */
  ring(): void {
    const waiters = this.#waiters;
    this.#waiters = new Set();
    for (const go of waiters) go();
  }

  /** Resolves at the next `ring`, or when `signal` aborts. Never rejects. */
  wait(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const go = () => {
        this.#waiters.delete(go);
        signal.removeEventListener('abort', go);
        resolve();
      };
      this.#waiters.add(go);
      signal.addEventListener('abort', go);
    });
  }
}
