import type { Settlement } from '../ports/queue.ts';
import type { QueueId } from '../ports/turns.ts';
import type { WorkspaceId } from '../../core/ids.ts';
import { Wake } from '../../time/wake.ts';

/** Lets callers wait until turns are settled, without reading the database meanwhile. */
export class Settlements {
  readonly #waits = new Map<QueueId, { readonly wake: Wake; waiting: number }>();
  readonly #expected = new Map<QueueId, ExpectedEnd>();
  readonly #listeners = new Map<WorkspaceId, () => void>();
  #closed = false;

  /** To be called when the settlement is durable. */
  notify(id: QueueId): void {
    this.#waits.get(id)?.wake.ring();
    this.#expected.get(id)?.endWait();
  }

  /** Ends all waits. From now on nobody waits. */
  close(): void {
    this.#closed = true;
    for (const { wake } of this.#waits.values()) wake.ring();
    for (const expected of this.#expected.values()) expected.endWait();
  }

  /**
   * Resolves at the next settlement of the item, or when `signal` aborts. Call this first and read the item
   * afterwards: then no settlement is missed in between.
   */
  async wait(id: QueueId, signal: AbortSignal): Promise<void> {
    if (this.#closed) return;
    const wait = this.#waits.get(id) ?? { wake: new Wake(), waiting: 0 };
    this.#waits.set(id, wait);
    wait.waiting += 1;
    await wait.wake.wait(signal);
    wait.waiting -= 1;
    if (wait.waiting === 0 && this.#waits.get(id) === wait) this.#waits.delete(id);
  }

  /** How many callers wait. */
  get waiting(): number {
    let all = 0;
    for (const { waiting } of this.#waits.values()) all += waiting;
    return all;
  }

  /**
   * A caller in this process wants the end of a turn before it is stored, and stores it together with its own
   * changes. Every call gives the same object until `unexpect`.
   */
  expect(id: QueueId): ExpectedEnd {
    const expected = this.#expected.get(id) ?? new ExpectedEnd();
    this.#expected.set(id, expected);
    return expected;
  }

  unexpect(id: QueueId): void {
    this.#expected.delete(id);
  }

  /** True if the end of this turn was expected: the caller that expected it stores it. */
  handOver(id: QueueId, settlement: Settlement): boolean {
    const expected = this.#expected.get(id);
    if (expected === undefined) return false;
    this.#expected.delete(id);
    expected.arrive(settlement);
    return true;
  }

  /** To be called when something durable is in a workspace's inbox. */
  arrived(workspace: WorkspaceId): void {
    this.#listeners.get(workspace)?.();
  }

  /** Calls `run` whenever something has arrived in the inbox of this workspace. */
  listen(workspace: WorkspaceId, run: () => void): void {
    this.#listeners.set(workspace, run);
  }
}

/** The end of a turn that is not stored yet. */
export class ExpectedEnd {
  readonly #wake = new Wake();
  #isOver = false;
  #settlement: Settlement | undefined;

  /** Undefined until it has arrived. */
  get settlement(): Settlement | undefined {
    return this.#settlement;
  }

  arrive(settlement: Settlement): void {
    this.#settlement = settlement;
    this.endWait();
  }

  /** Others have stored it, or nobody may wait any more. */
  endWait(): void {
    this.#isOver = true;
    this.#wake.ring();
  }

  /** Resolves when it has arrived, when others have stored it, or when `signal` aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    if (!this.#isOver) await this.#wake.wait(signal);
  }
}
