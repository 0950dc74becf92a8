import type { TurnId } from '../core/ids.ts';
import { RECEIPT_DELAY_MS } from '../core/limits.ts';
import type { Clock } from '../core/ports.ts';

/** Plans the sign of receipt on a message; a turn that is over sooner needs none. */
export class Receipts {
  readonly #clock: Clock;
  readonly #show: (id: TurnId, dueAtMs: number) => void;
  readonly #planned = new Map<TurnId, () => void>();

  constructor(clock: Clock, show: (id: TurnId, dueAtMs: number) => void) {
    this.#clock = clock;
    this.#show = show;
  }

  plan(id: TurnId): void {
    if (this.#planned.has(id)) return;
    const cancel = this.#clock.after(RECEIPT_DELAY_MS, () => {
      this.#planned.delete(id);
      this.#show(id, this.#clock.nowMs());
    });
    this.#planned.set(id, cancel);
  }

  cancel(id: TurnId): void {
    this.#planned.get(id)?.();
    this.#planned.delete(id);
  }

  cancelAll(): void {
    for (const id of this.#planned.keys()) this.cancel(id);
  }
}
