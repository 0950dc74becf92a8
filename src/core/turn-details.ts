import type { MessageId } from './ids.ts';

/** What an agent gets beside the text of a turn. It is stored with the turn, so every try of it says the same. */
export interface TurnDetails {
  readonly senderName?: string;
  readonly chatName?: string;
  /** The agent's memory of this chat or thread. `isNew`: nothing was said in it before. */
  readonly session?: SessionOfTurn;
  readonly attachments?: readonly Attachment[];
  /** The message that the person replied to. */
  readonly quoted?: Said | undefined;
  /** What was said in the thread before, oldest first. */
  readonly thread?: readonly Said[];
  /** The run for which names, the quoted message and the thread were read. */
  readonly readInRun?: number;
}

/** The agent's memory that a turn belongs to, and what people chose for it when the message came. */
export interface SessionOfTurn {
  readonly id: string;
  readonly isNew: boolean;
  /** The name of the agent that was chosen in the chat. Undefined: whoever gets the turns. */
  readonly agent?: string;
  /** The folder that was chosen in the chat: an absolute path. Undefined: the agent's own. */
  readonly folder?: string;
}

/** A file of the person that lies on the disk of the bridge. */
export interface Attachment {
  readonly kind: 'image' | 'file' | 'audio' | 'video';
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  /** Found out from the content, not from what the sender said. */
  readonly mimeType: string;
  readonly bytes: number;
}

/** What somebody said in Lark, in Markdown. */
export interface Said {
  readonly senderName: string;
  readonly text: string;
  /** In Lark. When it is recalled, it is taken out of what is stored. */
  readonly messageId?: MessageId;
}
