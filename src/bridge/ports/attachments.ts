/** Files that people send. */
import type { MessageId } from '../../core/ids.ts';
import type { Resource } from '../../core/message.ts';

/** Why the agent does not get a file that a person sent. */
export type MissingReason =
  | 'too_large'
  | 'too_many'
  | 'empty'
  /** The message or the file does not exist any more. */
  | 'gone'
  /** Lark gives no file of such a message, or not to this bot. */
  | 'refused'
  | 'unreachable'
  /** The files of all messages together have no more room here, or the disk has none. */
  | 'no_room'
  /** The disk refuses. */
  | 'not_stored';

export type ResourceResult =
  | {
      readonly ok: true;
      /** Reading it throws a `BridgeError` if it breaks off. */
      readonly body: AsyncIterable<Uint8Array>;
      /** As far as Lark says it. */
      readonly bytes: number | undefined;
      /** Ends the transfer. To be called if the body is not read to its end. */
      readonly end: () => void;
    }
  | {
      readonly ok: false;
      readonly why: MissingReason;
      readonly code: number | undefined;
      /** Another try may help. */
      readonly isPassing: boolean;
    };

export interface AttachmentAsked {
  /** The message that has the resource. */
  readonly of: MessageId;
  readonly resource: Resource;
  readonly sentAtMs: number;
}

export interface StoredAttachment {
  /** Safe as the name of a file. */
  readonly name: string;
  readonly path: string;
  readonly mimeType: string;
  readonly bytes: number;
}

export type SaveResult =
  | { readonly ok: true; readonly file: StoredAttachment }
  | {
      readonly ok: false;
      readonly why: Extract<MissingReason, 'too_large' | 'empty' | 'no_room' | 'not_stored'>;
      readonly detail?: string;
    };

/** The files of people's messages, on the disk of the bridge. */
export interface AttachmentStore {
  /** A whole file that is there already. */
  find(asked: AttachmentAsked): Promise<StoredAttachment | undefined>;
  /** Rejects with what reading `body` throws. Nothing of the file is left then. */
  save(
    asked: AttachmentAsked,
    body: AsyncIterable<Uint8Array>,
    bytesMax: number,
  ): Promise<SaveResult>;
  /** Removes the files of a message. */
  remove(of: MessageId): Promise<void>;
  /** Removes what is too old, or too much. What an open turn needs stays. */
  prune(): Promise<void>;
}
