/** What the page gets from the simulator, as events of one stream: `world` and `messages`. */
import type { JsonObject } from '../../world/json.ts';

export interface Person {
  readonly openId: string;
  readonly name: string;
}

interface Bot {
  readonly appId: string;
  /** Of the bot itself, as mentions have it. */
  readonly openId: string;
  readonly name: string;
  readonly isOnline: boolean;
  /** The direct chat of the person with it; undefined: there is none yet. */
  readonly directChatId?: string | undefined;
}

export interface ChatSummary {
  readonly chatId: string;
  readonly title: string;
  readonly mode: 'p2p' | 'group' | 'topic';
  readonly members: readonly Person[];
  /** App ids. */
  readonly bots: readonly string[];
  readonly isDissolved: boolean;
  readonly unread: number;
  /** The newest message in one line. */
  readonly preview: string;
  readonly atMs: number;
}

/** The event `world`: who there is, and the chats of one person. */
export interface WorldSeen {
  /** Undefined: the world has no people yet. */
  readonly me: Person | undefined;
  readonly people: readonly Person[];
  readonly bots: readonly Bot[];
  /** The newest first. */
  readonly chats: readonly ChatSummary[];
}

export interface Author {
  readonly kind: 'user' | 'app';
  /** An open id, or an app id. */
  readonly id: string;
  readonly name: string;
}

export interface MentionSeen {
  /** The placeholder in the content. */
  readonly key: string;
  readonly openId: string;
  readonly name: string;
}

interface ReactionSeen {
  readonly reactionId: string;
  readonly emoji: string;
  readonly by: Author;
}

export interface FileSeen {
  readonly name: string;
  readonly bytes: number;
}

export interface MessageSeen {
  readonly messageId: string;
  readonly from: Author;
  readonly type: string;
  /** Undefined if it is recalled. Of a card it is its JSON. */
  readonly content: JsonObject | undefined;
  readonly mentions: readonly MentionSeen[];
  readonly replyTo: string | undefined;
  readonly threadId: string | undefined;
  /** True for a message in a thread that did not begin it. */
  readonly isInThread: boolean;
  readonly reactions: readonly ReactionSeen[];
  readonly isRecalled: boolean;
  readonly isEdited: boolean;
  readonly isPinned: boolean;
  /** Only the person of this page sees it. */
  readonly isPrivate: boolean;
  readonly atMs: number;
  /** The people who have read it, without its author. */
  readonly readBy: readonly string[];
  /** How many people could read it, without its author. */
  readonly readers: number;
  /** The uploaded files that the content names, by key. */
  readonly files: Readonly<Record<string, FileSeen>>;
  /** Of a forwarded bundle. */
  readonly parts: readonly MessageSeen[];
}

/** The event `messages`: what is new or changed in one chat. */
export interface MessagesSeen {
  readonly chatId: string;
  /** The ids of all that is shown, oldest first; undefined: as before. */
  readonly order?: readonly string[] | undefined;
  readonly changed: readonly MessageSeen[];
  /** Whether the chat has older messages. */
  readonly hasOlder: boolean;
}
