import type { TurnId } from '../../core/ids.ts';
import type { Clock } from '../../time/clock.ts';

/** A turn that is over sooner gets no sign of receipt. This saves two calls of the quota. */
export const RECEIPT_DELAY_MS = 700;
/** If this many calls wait, a sign of receipt would come too late, because Lark accepts 50 calls a second. */
export const RECEIPTS_BEHIND_MAX = 500;

interface ReceiptsParts {
  readonly clock: Clock;
  /** The number of rows that wait to be sent. */
  readonly waiting: () => number;
  /** Resolves when the row of the sign is among them. */
  readonly show: (id: TurnId, dueAtMs: number) => Promise<void>;
}

/** Shows a sign of receipt on a message after a short time, unless its turn is over by then. */
export class Receipts {
  readonly #parts: ReceiptsParts;
  readonly #planned = new Map<TurnId, () => void>();
  /** Signs that are being stored in the outbox. They count too, so that many at once stay within the bound. */
  #beingStored = 0;

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
    if (waiting() + this.#beingStored >= RECEIPTS_BEHIND_MAX) return;
    this.#beingStored += 1;
    void show(id, clock.nowMs()).finally(() => {
      this.#beingStored -= 1;
    });
  }
}
