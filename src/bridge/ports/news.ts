/** What happens in the bridge that people elsewhere want to hear. */
import type { NewsLevel } from '../../core/content.ts';
import type { ChatId, OpenId, TurnId } from '../../core/ids.ts';
import type { ChatType } from '../../core/message.ts';

/** What can be followed, by the words that people type. */
export const FOLLOW_KINDS = ['turns', 'errors', 'questions', 'tools'] as const;

export type FollowKind = (typeof FOLLOW_KINDS)[number];

export type NewsEvent =
  | 'turn.answered'
  | 'turn.failed'
  /** Its time is over. Its answer may still come. */
  | 'turn.overdue'
  /** A person has to decide whether it runs again. */
  | 'turn.held'
  | 'question.asked'
  | 'question.ended'
  | 'tool.done'
  | 'tool.failed';

export const FOLLOW_KIND_OF: Readonly<Record<NewsEvent, FollowKind>> = {
  'turn.answered': 'turns',
  'turn.failed': 'errors',
  'turn.overdue': 'errors',
  'turn.held': 'errors',
  'question.asked': 'questions',
  'question.ended': 'questions',
  'tool.done': 'tools',
  'tool.failed': 'tools',
};

export const NEWS_LEVELS: Readonly<Record<NewsEvent, NewsLevel>> = {
  'turn.answered': 'info',
  'turn.failed': 'error',
  'turn.overdue': 'error',
  'turn.held': 'warning',
  'question.asked': 'warning',
  'question.ended': 'info',
  'tool.done': 'info',
  'tool.failed': 'warning',
};

/** One thing that happened, without the words of people and of answers: those are read when it is told. */
export interface NewsItem {
  /** The same each time that it is told. */
  readonly id: string;
  readonly event: NewsEvent;
  readonly turn: TurnId;
  readonly run: number;
  readonly chatId: ChatId;
  readonly chatType: ChatType;
  readonly atMs: number;
  /** Since the agent got the turn. */
  readonly tookMs?: number;
  /** The agent, if it is known by name. */
  readonly agent?: string;
  readonly folder?: string;
  /** Why it failed or is held, or how the question ended: a word of ours. */
  readonly why?: string;
  /** The key of the question. */
  readonly question?: string;
  /** What the finished step was, for news of tools. */
  readonly step?: string;
}

/** One chat that follows a kind of news. */
export interface Follow {
  readonly chatId: ChatId;
  readonly kind: FollowKind;
  /** Who ordered it. What is told is in their language. */
  readonly by: OpenId;
}

/** What a chat follows, as the owner orders it. */
export interface FollowOrders {
  followedBy(chat: ChatId): readonly FollowKind[];
  begin(chat: ChatId, kinds: readonly FollowKind[], by: OpenId): Promise<void>;
  end(chat: ChatId, kinds: readonly FollowKind[]): Promise<void>;
}

/** What is to be told to a chat in its next card. */
export interface WaitingNews extends Follow {
  /** When the chat was told last, and in which row of the outbox. */
  readonly toldAtMs: number | undefined;
  readonly toldIn: string | undefined;
  /** Oldest first. */
  readonly items: readonly { readonly seq: number; readonly item: NewsItem }[];
  /** More happened than is kept. */
  readonly leftOut: number;
}

/**
 * Who follows what, and what they have not been told yet. `note`, `take` and `end` are called inside a commit of the
 * journal only, because they belong to the change that they tell of.
 */
export interface NewsStore {
  follows(): readonly Follow[];
  follow(follows: readonly Follow[], atMs: number): Promise<void>;
  unfollow(chat: ChatId, kinds: readonly FollowKind[]): Promise<void>;
  /** True if anybody outside of this chat wants to hear of such a thing, a webhook among them. */
  isWanted(event: NewsEvent, chat: ChatId): boolean;
  /** Keeps it for everybody who wants to hear of it. True if anybody does. */
  note(item: NewsItem): boolean;
  waiting(): readonly WaitingNews[];
  /** The items are told in this row. False if any of them was told before. */
  take(news: WaitingNews, told: { readonly key: string; readonly atMs: number }): boolean;
  /** The chat follows nothing any more. Returns what it followed. */
  end(chat: ChatId): readonly Follow[];
}
