/** What was waited for did not happen in time. */
export class WaitedInVain extends Error {
  override readonly name = 'WaitedInVain';
}

interface Waiter {
  readonly check: () => boolean;
}

/** Lets tests wait for facts: every change of the cloud rings, and who waits looks again. */
export class Changes {
  readonly #waiters = new Set<Waiter>();
  #planned = false;

  /** Something changed. Rings of one turn of the event loop make the waiters look once. */
  ring(): void {
    if (this.#waiters.size === 0 || this.#planned) return;
    this.#planned = true;
    setImmediate(() => {
      this.#planned = false;
      for (const waiter of this.#waiters) {
        if (waiter.check()) this.#waiters.delete(waiter);
      }
    });
  }

  /**
   * Resolves with the first truthy value of `look`, which is asked now and after every change.
   * Rejects when it throws, and with `WaitedInVain` after `timeoutMs` (real milliseconds).
   */
  waitFor<T>(look: () => T, timeoutMs: number): Promise<NonNullable<T>> {
    return new Promise((resolve, reject) => {
      const waiter = {
        check: () => {
          try {
            const value = look();
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
        reject(new WaitedInVain(`waited ${timeoutMs} ms in vain for: ${look.toString()}`));
      }, timeoutMs);
      if (!waiter.check()) this.#waiters.add(waiter);
    });
  }
}
