/** One API call as it was received and answered. */
export interface CallRecord {
  /** Counts the calls from 1. */
  readonly number: number;
  /** The cloud's clock. */
  readonly atMs: number;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: string;
  /** HTTP status; 0 when the answer was never sent. */
  readonly status: number;
  /** `code` of the answer; undefined when it was not JSON of the platform's form. */
  readonly code: number | undefined;
  readonly appId: string | undefined;
  readonly uuid: string | undefined;
  /** True: the simulator has no such route, so the client got a plain 404. */
  readonly unknownRoute: boolean;
}

/** Keeps the newest `keptMax` records; dropping costs nothing per record. */
export class Journal<T> {
  readonly #keptMax: number;
  #records: T[] = [];

  constructor(keptMax: number) {
    this.#keptMax = keptMax;
  }

  add(record: T): void {
    this.#records.push(record);
    if (this.#records.length >= 2 * this.#keptMax) this.#records = this.#newest();
  }

  /** Oldest first. */
  all(): readonly T[] {
    return this.#newest();
  }

  #newest(): T[] {
    return this.#keptMax === 0 ? [] : this.#records.slice(-this.#keptMax);
  }
}
