import type { Talk } from './talk.ts';

/** The text on stdin, the answer on stdout. */
export class PlainTalk implements Talk {
  readonly input;
  /** They are those that lie in the folder. */
  readonly files = [];
  readonly #bytesMax: number;
  readonly #output: Buffer[] = [];
  #bytes = 0;

  constructor(text: string, bytesMax: number) {
    this.input = { text, isAll: true };
    this.#bytesMax = bytesMax;
  }

  take(chunk: Buffer): boolean {
    this.#bytes += chunk.length;
    this.#output.push(chunk);
    return this.#bytes <= this.#bytesMax;
  }

  end(): void {}

  /** Decoded as a whole, because a character may be split between two chunks. */
  answer(): string {
    return Buffer.concat(this.#output)
      .toString('utf8')
      .replace(/\r?\n$/, '');
  }

  shown(): undefined {}

  tell(): boolean {
    return false;
  }
}
