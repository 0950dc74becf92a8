/** What exists in the simulated cloud: plain records that only `World` and the routes change. */

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
  /** False: the bot ability is off, and sending is refused with 230006. */
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
  /** `thread`: every message that is not a reply opens a thread. Topic chats are always so. */
  readonly messageForm: 'chat' | 'thread';
  name: string;
  description: string;
  /** Open id of the owner; undefined in direct chats, and if a bot owns the group. */
  ownerId: string | undefined;
  readonly tenantKey: string;
  /** Open ids of the people in it. */
  readonly members: Set<string>;
  /** App ids of the bots in it. */
  readonly bots: Set<string>;
  dissolved: boolean;
  readonly createdAtMs: number;
  /** Oldest first, with the replies in threads. */
  readonly messages: SimMessage[];
  /** App id of the bot that owns it. */
  ownerAppId: string | undefined;
  /** App id of the bot that created it; undefined if a person did. */
  creatorAppId: string | undefined;
  /** App ids of the bots that manage it. */
  readonly botManagers: Set<string>;
  /** Who may do what, by the platform's names. What is not in it has its default value. */
  readonly settings: Map<string, string>;
  /** True once the person has opened this direct chat. */
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
  /** Orders the messages of a chat, also those of one millisecond. A message from the past moves later ones up. */
  position: number;
  readonly sender: Sender;
  msgType: string;
  /** JSON text as the history shows it; for a card, its JSON as it was sent. */
  content: string;
  mentions: readonly SimMention[];
  readonly createdAtMs: number;
  updatedAtMs: number;
  readonly rootId: string | undefined;
  readonly parentId: string | undefined;
  /** The root of a thread has it too. */
  threadId: string | undefined;
  recalled: boolean;
  /** How often the text was edited or the card updated. */
  edits: number;
  readonly reactions: Map<string, SimReaction>;
  /** The card entity that an interactive message shows. Its JSON is then `SimCard.json`. */
  cardId: string | undefined;
  /** For a part of a forwarded bundle: the bundle. */
  readonly upperMessageId: string | undefined;
  /** Open ids of the people who got an urgent notice ("buzz") about it. */
  readonly urgentTo: Set<string>;
  followUps: readonly string[];
  /** When each person read it, by open id. */
  readonly readAtMs: Map<string, number>;
  pin: SimPin | undefined;
  /** Open id of the only person who sees it; undefined: everybody in the chat sees it. */
  readonly visibleTo: string | undefined;
}

/** Who pinned a message for everybody in the chat. */
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
  /** The last sequence number that was accepted; 0 before the first. */
  sequence: number;
  readonly createdAtMs: number;
  /** When streaming was turned on; undefined while it is off. */
  streamingSinceMs: number | undefined;
  /** The message that shows it. An entity can be sent once. */
  messageId: string | undefined;
}

/** Bytes that an app uploaded or a person attached. */
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

/** Token of a card callback (`c-…`). It allows delayed updates of that card. */
export interface SimCardToken {
  readonly token: string;
  readonly appId: string;
  readonly messageId: string;
  readonly expiresAtMs: number;
  usesLeft: number;
  /** Updates are allowed only after the callback was acknowledged. */
  acked: boolean;
}
