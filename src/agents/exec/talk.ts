/** What a program reads and writes during a turn. */
import type { QuestionAnswer } from '../../core/turn-update.ts';

export interface Talk {
  readonly input: {
    readonly text: string;
    /** Whether stdin is closed after the text. */
    readonly isAll: boolean;
  };
  /** Takes output of the program. False if the program has written more than is kept. */
  take(chunk: Buffer): boolean;
  /** The program has written everything. */
  end(): void;
  /** The answer as it is now. After a program that failed it is not an answer. */
  answer(): string;
  /** The files that it named, in the order in which they are shown. */
  readonly files: readonly NamedFile[];
  /** What a person may have seen of an answer that is not complete. Undefined if that is nothing. */
  shown(): string | undefined;
  /** Tells the program the answer to its question. False if it can't be told. */
  tell(questionId: string, answer: QuestionAnswer): boolean;
}

/** A file that the program named as a part of its answer. */
export interface NamedFile {
  readonly path: string;
  /** How it is to be called. Undefined: as its path says. */
  readonly name?: string;
}
