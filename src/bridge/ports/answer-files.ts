/** Files that come with answers. */
import type { AnswerFile, FileContent } from '../../core/content.ts';

/** A file to upload. Lark gives it a key, which a message then names. */
export type Upload = Pick<FileContent, 'as' | 'name' | 'path' | 'text'>;

/** The files of answers on the disk. */
export interface AnswerFileStore {
  /** Keeps a file until it is sent. Throws a `BridgeError` if the disk does not take it. */
  keep(file: { readonly name: string; readonly bytes: Uint8Array }): AnswerFile;
  /** Removes a file that is not needed any more. */
  remove(path: string): void;
  /** Removes everything from before this time. Rows that name such a file are gone by then. */
  removeBefore(beforeMs: number): void;
}
