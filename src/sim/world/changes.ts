/** The condition did not become true in time. */
export class WaitTimeout extends Error {
  override readonly name = 'WaitTimeout';
}

interface Waiter {
  readonly isDone: () => boolean;
}

/** Lets tests wait for facts instead of time. Every change of the cloud calls `notify`, and all open conditions are evaluated again. */
export class Changes {
  readonly #waiters = new Set<Waiter>();
  readonly #watchers = new Set<() => void>();
  #planned = false;

  /** Something changed. Several calls in one turn of the event loop evaluate the conditions once. */
  notify(): void {
    if ((this.#waiters.size === 0 && this.#watchers.size === 0) || this.#planned) return;
    this.#planned = true;
    setImmediate(() => {
      this.#planned = false;
      for (const watcher of this.#watchers) watcher();
      for (const waiter of this.#waiters) {
        if (waiter.isDone()) this.#waiters.delete(waiter);
      }
    });
  }

  /** Calls `watcher` after changes, until the returned function is called. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /**
   * Resolves with the first truthy value of `condition`, which is called now and after every change.
   * Rejects if it throws, and with `WaitTimeout` after `timeoutMs` (real milliseconds).
   */
  waitFor<T>(condition: () => T, timeoutMs: number): Promise<NonNullable<T>> {
    return new Promise((resolve, reject) => {
      const waiter = {
        isDone: () => {
          try {
            const value = condition();
            if (!value) return false;
            clearTimeout(timer);
            resolve(value);
          } catch (error) {
            clearTimeout(timer);
            reject(error);
          }
          return true;
        },
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(new WaitTimeout(`not true within ${timeoutMs} ms: ${condition.toString()}`));
      }, timeoutMs);
      if (!waiter.isDone()) this.#waiters.add(waiter);
    });
  }
}
