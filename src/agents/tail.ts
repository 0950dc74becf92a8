/** Keeps the last bytes of a stream. */
export class Tail {
  readonly #bytesMax: number;
  #kept = Buffer.alloc(0);
  #isCut = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(chunk: Buffer): void {
    const all = Buffer.concat([this.#kept, chunk]);
    this.#isCut ||= all.length > this.#bytesMax;
    this.#kept = Buffer.from(all.subarray(Math.max(0, all.length - this.#bytesMax)));
  }

  text(): string {
    // Skips the bytes of a character whose first byte was dropped.
    const from = this.#isCut ? this.#kept.findIndex((byte) => (byte & 0xc0) !== 0x80) : 0;
    return this.#kept.subarray(Math.max(0, from)).toString('utf8');
  }
}
