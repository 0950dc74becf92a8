/** What the simulated cloud knows: plain records, changed only by `World` and the routes. */

export type Brand = 'feishu' | 'lark';

export interface SimApp {
  readonly appId: string;
  appSecret: string;
  name: string;
  readonly brand: Brand;
  readonly tenantKey: string;
  /** The bot's own identity, as mentions and `bot/v3/info` show it. */
  readonly botOpenId: string;
  readonly botUnionId: string;
  /** False: the bot ability is off, sending is refused with 230006. */
  botEnabled: boolean;
  readonly scopes: Set<string>;
  /** Event and callback types that the app has subscribed to. */
  readonly subscriptions: Set<string>;
  description: string;
  /** Open id of the person who created it; undefined: the first person of the world. */
  ownerOpenId: string | undefined;
}

export interface SimUser {
  /** One open id per user; the real platform has one per user and app. */
  readonly openId: string;
  readonly unionId: string;
  readonly userId: string;
  readonly email: string;
  name: string;
  readonly tenantKey: string;
}

export type ChatMode = 'p2p' | 'group' | 'topic';

export interface SimChat {
  readonly chatId: string;
  readonly mode: ChatMode;
  /** `thread`: every message that is no reply opens a thread; always so in topic chats. */
  readonly messageForm: 'chat' | 'thread';
  name: string;
  description: string;
  /** Open id of the owner; undefined in direct chats, and when a bot owns the group. */
  ownerId: string | undefined;
  readonly tenantKey: string;
  /** Open ids of the people in it. */
  readonly members: Set<string>;
  /** App ids of the bots in it. */
  readonly bots: Set<string>;
  dissolved: boolean;
  readonly createdAtMs: number;
  /** All kept messages, oldest first, thread replies included. */
  readonly messages: SimMessage[];
  /** App id of the bot that owns it. */
  ownerAppId: string | undefined;
  /** App id of the bot that created it; undefined when a person did. */
  creatorAppId: string | undefined;
  /** App ids of the bots that manage it. */
  readonly botManagers: Set<string>;
  /** Who may do what, by the platform's names; what is not in it has its default. */
  readonly settings: Map<string, string>;
  /** A direct chat that the person has opened before. */
  opened: boolean;
}

export type Sender =
  | { readonly kind: 'user'; readonly openId: string }
  | { readonly kind: 'app'; readonly appId: string };

export interface SimMention {
  /** Placeholder in the content: `@_user_1`, … or `@_all`. */
  readonly key: string;
  readonly openId: string;
  readonly unionId: string;
  readonly userId: string;
  readonly kind: 'user' | 'bot' | 'all';
  readonly name: string;
  readonly tenantKey: string;
}

export interface SimReaction {
  readonly reactionId: string;
  readonly emoji: string;
  readonly by: Sender;
  readonly atMs: number;
}

export interface SimMessage {
  readonly messageId: string;
  readonly chatId: string;
  /** A total order within a chat, also within one millisecond; a message from the past moves others up. */
  position: number;
  readonly sender: Sender;
  msgType: string;
  /** JSON text, as the history shows it; for cards, the card's JSON as it was sent. */
  content: string;
  mentions: readonly SimMention[];
  readonly createdAtMs: number;
  updatedAtMs: number;
  readonly rootId: string | undefined;
  readonly parentId: string | undefined;
  /** Set on the thread's root too, as soon as the thread exists. */
  threadId: string | undefined;
  recalled: boolean;
  /** How often text was edited or a card updated. */
  edits: number;
  readonly reactions: Map<string, SimReaction>;
  /** The card entity that an interactive message shows; its JSON is then `SimCard.json`. */
  cardId: string | undefined;
  /** Parts of a forwarded bundle name the bundle. */
  readonly upperMessageId: string | undefined;
  /** Open ids of the people who were buzzed about it. */
  readonly urgentTo: Set<string>;
  followUps: readonly string[];
  /** When which person, by open id, read it. */
  readonly readAtMs: Map<string, number>;
  pin: SimPin | undefined;
  /** Open id of the only person who sees it; undefined: everybody in the chat. */
  readonly visibleTo: string | undefined;
}

/** Who pinned a message for all in the chat. */
export interface SimPin {
  readonly by: Sender;
  readonly atMs: number;
}

export interface SimThread {
  readonly threadId: string;
  readonly chatId: string;
  readonly rootId: string;
  /** Root first, then the replies, oldest first. */
  readonly messages: SimMessage[];
}

/** A card entity of cardkit. */
export interface SimCard {
  readonly cardId: string;
  readonly appId: string;
  /** Card JSON, schema 2.0. */
  json: string;
  /** Last sequence number that was accepted; 0 before the first. */
  sequence: number;
  readonly createdAtMs: number;
  /** When streaming was opened; undefined while it is closed. */
  streamingSinceMs: number | undefined;
  /** The message that shows it; an entity can be sent once. */
  messageId: string | undefined;
}

/** Bytes that were uploaded, or that a user attached. */
export interface SimUpload {
  /** `img_v3_…` or `file_v3_…`. */
  readonly key: string;
  readonly kind: 'image' | 'file';
  readonly owner: Sender;
  readonly fileName: string;
  /** `opus`, `mp4`, `pdf`, … for files; empty for images. */
  readonly fileType: string;
  readonly contentType: string;
  readonly bytes: Buffer;
}

/** Token of a card callback (`c-…`), good for delayed updates of that card. */
export interface SimCardToken {
  readonly token: string;
  readonly appId: string;
  readonly messageId: string;
  readonly expiresAtMs: number;
  usesLeft: number;
  /** Updates count only after the callback was acknowledged. */
  acked: boolean;
}
