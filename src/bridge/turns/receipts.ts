import type { TurnId } from '../../core/ids.ts';
import type { Clock } from '../../time/clock.ts';

/** A turn that is over sooner needs no sign of receipt, which saves two calls of the quota. */
export const RECEIPT_DELAY_MS = 700;
/** Behind so many calls that wait, a sign of receipt would come too late: Lark takes 50 a second. */
export const RECEIPTS_BEHIND_MAX = 500;

interface ReceiptsParts {
  readonly clock: Clock;
  /** Rows that wait to be sent. */
  readonly waiting: () => number;
  /** Resolves when the sign is one of them. */
  readonly show: (id: TurnId, dueAtMs: number) => Promise<void>;
}

/** Plans the sign of receipt on a message; a turn that is over sooner needs none. */
export class Receipts {
  readonly #parts: ReceiptsParts;
  readonly #planned = new Map<TurnId, () => void>();
  /** Signs on their way into the outbox: a burst must not slip through before any of them counts there. */
  #onTheWay = 0;

  constructor(parts: ReceiptsParts) {
    this.#parts = parts;
  }

  plan(id: TurnId): void {
    if (this.#planned.has(id)) return;
    const cancel = this.#parts.clock.after(RECEIPT_DELAY_MS, () => {
      this.#planned.delete(id);
      this.#begin(id);
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

  #begin(id: TurnId): void {
    const { clock, waiting, show } = this.#parts;
    if (waiting() + this.#onTheWay >= RECEIPTS_BEHIND_MAX) return;
    this.#onTheWay += 1;
    void show(id, clock.nowMs()).finally(() => {
      this.#onTheWay -= 1;
    });
  }
}
