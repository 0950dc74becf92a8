/** What was said before a message, and who is who. */
import type { MessageId } from '../../core/ids.ts';
import type { InboundMessage } from '../../core/message.ts';

export interface KnownTurn {
  readonly message: InboundMessage;
  readonly answers: readonly { readonly messageId: MessageId; readonly text: string }[];
}

/** A message of the history, for an agent. */
export interface SaidMessage {
  readonly messageId: MessageId;
  /** The open id of a person, or the id of an app. */
  readonly sender: string;
  readonly isBot: boolean;
  /** In Markdown. What is no text is a line in brackets. */
  readonly text: string;
}

export interface DatedMessage extends SaidMessage {
  readonly sentAtMs: number;
}

export type ReadResult<T> =
  | { readonly ok: true; readonly value: T }
  /** `isPassing`: another try may help. */
  | { readonly ok: false; readonly reason: string; readonly isPassing: boolean };

/** None of it rejects if Lark or the network fails. */
export interface Surroundings {
  /** The message that this one replies to. Undefined if there is none, or it was recalled. */
  quotedBy(message: InboundMessage): Promise<ReadResult<SaidMessage | undefined>>;
  /** The last messages of the thread before this one, oldest first, without those that were recalled. */
  threadBefore(message: InboundMessage, count: number): Promise<ReadResult<readonly SaidMessage[]>>;
  /**
   * The latest messages of the chat of a message, or of its thread, oldest first, without those that were recalled.
   * `before`: only what was said there before the message with this id.
   */
  latest(
    where: Pick<InboundMessage, 'chatId' | 'chatType' | 'threadId'>,
    query: { readonly count: number; readonly before?: string },
  ): Promise<ReadResult<readonly DatedMessage[]>>;
  /** Finds out names that are not known yet. Resolves when nothing more can be found out now. */
  findNames(
    chat: Pick<InboundMessage, 'chatId' | 'chatType'>,
    people: readonly string[],
  ): Promise<void>;
  /** The name of a person, an app or a chat, as far as it is known. */
  nameOf(id: string): string | undefined;
}
