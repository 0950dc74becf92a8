/** Keeps the last bytes of a stream. */
export class Tail {
  readonly #bytesMax: number;
  #kept = Buffer.alloc(0);

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(chunk: Buffer): void {
    const all = Buffer.concat([this.#kept, chunk]);
    this.#kept = Buffer.from(all.subarray(Math.max(0, all.length - this.#bytesMax)));
  }

  text(): string {
    return this.#kept.toString('utf8');
  }
}
