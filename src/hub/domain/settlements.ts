import type { QueueId, Settlement } from '../ports.ts';
import type { WorkspaceId } from '../../core/ids.ts';
import { Wake } from '../../time/wake.ts';

/** Where callers wait for turns to be settled, without asking the database meanwhile. */
export class Settlements {
  readonly #doors = new Map<QueueId, { readonly wake: Wake; waiting: number }>();
  readonly #expected = new Map<QueueId, ExpectedEnd>();
  readonly #listeners = new Map<WorkspaceId, () => void>();
  #closed = false;

  /** To be called after the settlement is durable. */
  ring(id: QueueId): void {
    this.#doors.get(id)?.wake.ring();
    this.#expected.get(id)?.ring();
  }

  /** Lets everybody go, and from now on nobody waits. */
  close(): void {
    this.#closed = true;
    for (const { wake } of this.#doors.values()) wake.ring();
    for (const expected of this.#expected.values()) expected.ring();
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

  /** How many callers wait. */
  get waiting(): number {
    let all = 0;
    for (const { waiting } of this.#doors.values()) all += waiting;
    return all;
  }

  /**
   * Somebody in this process wants the end of a turn before it is stored, and stores it together with what
   * follows from it. The same for everybody who asks, until `unexpect`.
   */
  expect(id: QueueId): ExpectedEnd {
    const expected = this.#expected.get(id) ?? new ExpectedEnd();
    this.#expected.set(id, expected);
    return expected;
  }

  unexpect(id: QueueId): void {
    this.#expected.delete(id);
  }

  /** True if the end of this turn was expected: whoever expected it sees to its storage. */
  handOver(id: QueueId, settlement: Settlement): boolean {
    const expected = this.#expected.get(id);
    if (expected === undefined) return false;
    this.#expected.delete(id);
    expected.come(settlement);
    return true;
  }

  /** Something durable is in a workspace's inbox. */
  arrived(workspace: WorkspaceId): void {
    this.#listeners.get(workspace)?.();
  }

  /** Calls `run` whenever something has arrived for a workspace in this process. */
  listen(workspace: WorkspaceId, run: () => void): void {
    this.#listeners.set(workspace, run);
  }
}

/** The end of a turn that is not stored yet. */
export class ExpectedEnd {
  readonly #wake = new Wake();
  #isOver = false;
  #settlement: Settlement | undefined;

  /** Undefined until it has come. */
  get settlement(): Settlement | undefined {
    return this.#settlement;
  }

  come(settlement: Settlement): void {
    this.#settlement = settlement;
    this.ring();
  }

  /** It was stored by others, or nobody waits any more. */
  ring(): void {
    this.#isOver = true;
    this.#wake.ring();
  }

  /** Resolves when it has come, when it was stored by others, or when `signal` aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    if (!this.#isOver) await this.#wake.wait(signal);
  }
}
