import type { QueueId } from '../ports.ts';
import { Wake } from '../../time/wake.ts';

/** Where requests wait for items to be settled, without asking the database meanwhile. */
export class Settlements {
  readonly #doors = new Map<QueueId, { readonly wake: Wake; waiting: number }>();
  #closed = false;

  /** To be called after the settlement is durable. */
  ring(id: QueueId): void {
    this.#doors.get(id)?.wake.ring();
  }

  /** Lets everybody go, and from now on nobody waits. */
  close(): void {
    this.#closed = true;
    for (const { wake } of this.#doors.values()) wake.ring();
  }

  /**
   * Resolves when the item is settled from now on, or when `signal` aborts. Listen first and read the
   * item afterwards: then no settlement can fall between the two.
   */
  async wait(id: QueueId, signal: AbortSignal): Promise<void> {
    if (this.#closed) return;
    const door = this.#doors.get(id) ?? { wake: new Wake(), waiting: 0 };
    this.#doors.set(id, door);
    door.waiting += 1;
    await door.wake.wait(signal);
    door.waiting -= 1;
    if (door.waiting === 0 && this.#doors.get(id) === door) this.#doors.delete(id);
  }

  /** How many requests wait. */
  get waiting(): number {
    let all = 0;
    for (const { waiting } of this.#doors.values()) all += waiting;
    return all;
  }
}
