/** Keeps the newest `keptMax` records. Old ones are dropped many at a time, which is cheap. */
export class RecentRecords<T> {
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

/** Keeps the newest values by key, as many as fit into `bytesMax`. */
export class RecentValues<K, V> {
  readonly #bytesMax: number;
  readonly #values = new Map<K, { readonly value: V; readonly bytes: number }>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The value becomes the newest. A value larger than `bytesMax` is not kept. */
  set(key: K, value: V, bytes: number): void {
    this.#drop(key);
    this.#values.set(key, { value, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#values.keys()) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#drop(oldest);
    }
  }

  get(key: K): V | undefined {
    return this.#values.get(key)?.value;
  }

  #drop(key: K): void {
    this.#bytes -= this.#values.get(key)?.bytes ?? 0;
    this.#values.delete(key);
  }
}
