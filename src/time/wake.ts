/** A place to wait for "something changed", with a time limit. The waiter looks at the facts itself. */
export class Wake {
  #waiters = new Set<() => void>();

  /** Lets everybody who waits go on. */
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
