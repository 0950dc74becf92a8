/** Divides the bytes of a stream into lines. */

const NEWLINE = 0x0a;
const RETURN = 0x0d;

interface LinesParts {
  readonly bytesMax: number;
  readonly onLine: (line: string) => void;
  /** A line was longer than that. It is left out. */
  readonly onTooLong: () => void;
}

export class Lines {
  readonly #parts: LinesParts;
  #begun: Buffer[] = [];
  #bytes = 0;
  /** The line is too long, so the rest of it is not kept. */
  #isTooLong = false;

  constructor(parts: LinesParts) {
    this.#parts = parts;
  }

  take(chunk: Buffer): void {
    let from = 0;
    for (;;) {
      const at = chunk.indexOf(NEWLINE, from);
      if (at === -1) break;
      this.#add(chunk.subarray(from, at));
      this.#endLine();
      from = at + 1;
    }
    if (from < chunk.length) this.#add(chunk.subarray(from));
  }

  /** The last line may have no newline. */
  end(): void {
    if (this.#isTooLong || this.#bytes > 0) this.#endLine();
  }

  #add(part: Buffer): void {
    if (this.#isTooLong) return;
    this.#bytes += part.length;
    if (this.#bytes <= this.#parts.bytesMax) {
      this.#begun.push(part);
      return;
    }
    this.#isTooLong = true;
    this.#begun = [];
  }

  #endLine(): void {
    const isTooLong = this.#isTooLong;
    // Decoded as a whole, because a character may be split between two chunks.
    const bytes = Buffer.concat(this.#begun);
    this.#begun = [];
    this.#bytes = 0;
    this.#isTooLong = false;
    if (isTooLong) this.#parts.onTooLong();
    else this.#parts.onLine(bytes.toString('utf8', 0, lengthWithoutReturn(bytes)));
  }
}

function lengthWithoutReturn(bytes: Buffer): number {
  return bytes.at(-1) === RETURN ? bytes.length - 1 : bytes.length;
}
