import type { ChatId, MessageId } from '../../core/ids.ts';

/** Up to what time the messages of a chat are known. */
export interface ChatRecord {
  readonly chatId: ChatId;
  readonly lastMessageAtMs: number;
  /** All messages before this are known, from events or from the history. */
  readonly readUntilMs: number;
}

/** A thread with a message for the bot. */
export interface ThreadRecord {
  readonly chatId: ChatId;
  readonly threadId: string;
  readonly lastMessageAtMs: number;
}

/** Times without a connection, and what is known of the chats in them. */
export interface GapJournal {
  /** The start of the time that has not been read back yet. `undefined` if there is none. */
  gap(): Promise<number | undefined>;
  /** Opens a gap. A gap that is open already stays as it is. */
  openGap(fromMs: number): Promise<void>;
  closeGap(): Promise<void>;
  /** Chats with messages since `activeSinceMs`, the most recently active first. */
  chats(activeSinceMs: number, limit: number): Promise<readonly ChatRecord[]>;
  /** Threads with messages since `activeSinceMs`, of all chats, the most recently active first. */
  threads(activeSinceMs: number, limit: number): Promise<readonly ThreadRecord[]>;
  noteRead(chat: ChatId, untilMs: number): Promise<void>;
  isKnown(message: MessageId): Promise<boolean>;
}
