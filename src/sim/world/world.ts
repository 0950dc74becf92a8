import { Ids } from './ids.ts';
import { RecentValues } from './recent.ts';
import { Misuse } from './misuse.ts';
import type {
  ChatMode,
  Sender,
  SimApp,
  SimCard,
  SimCardToken,
  SimChat,
  SimMention,
  SimMessage,
  SimReaction,
  SimThread,
  SimUpload,
  SimUser,
} from './model.ts';
import { DEFAULT_SCOPES, DEFAULT_SUBSCRIPTIONS } from './scopes.ts';
import type {
  WorldOptions,
  NewApp,
  AppChange,
  NewGroup,
  NewUser,
  Draft,
  UserIdType,
  CardState,
} from './requests.ts';

const MESSAGES_PER_CHAT_MAX = 100_000;

/** More than a test of one stream needs, and little memory for a long run. */
const CARD_STATES_BYTES_MAX = 8 * 1024 * 1024;

/** Of one card. A stream of ten minutes has more states, but no test compares so many. */
const CARD_STATES_MAX = 200;

/** Everything that exists in the simulated cloud. It is only state: no timers, no sockets, and all random values come from the seed. */
export class World {
  readonly ids: Ids;
  readonly tenantKey: string;
  readonly apps = new Map<string, SimApp>();
  /** By open id. */
  readonly users = new Map<string, SimUser>();
  readonly chats = new Map<string, SimChat>();
  readonly messages = new Map<string, SimMessage>();
  readonly threads = new Map<string, SimThread>();
  readonly cards = new Map<string, SimCard>();
  readonly cardTokens = new Map<string, SimCardToken>();
  /** Images and files by key. */
  readonly uploads = new Map<string, SimUpload>();

  readonly #nowMs: () => number;
  /** By message. */
  readonly #cardStates = new RecentValues<string, readonly CardState[]>(CARD_STATES_BYTES_MAX);
  readonly #messagesPerChatMax: number;
  readonly #usersByOtherId = new Map<string, SimUser>();
  readonly #appsByOpenId = new Map<string, SimApp>();
  readonly #directChats = new Map<string, SimChat>();
  #position = 0;

  constructor(options: WorldOptions) {
    this.ids = new Ids(options.seed);
    this.tenantKey = this.ids.tenant();
    this.#nowMs = options.nowMs;
    this.#messagesPerChatMax = options.messagesPerChatMax ?? MESSAGES_PER_CHAT_MAX;
  }

  nowMs(): number {
    return this.#nowMs();
  }

  // ------------------------------------------------------------ apps and people

  addApp(options: NewApp = {}): SimApp {
    const app: SimApp = {
      appId: options.appId ?? this.ids.app(),
      appSecret: options.appSecret ?? this.ids.secret(),
      name: options.name ?? 'Bot',
      brand: options.brand ?? 'feishu',
      tenantKey: this.tenantKey,
      botOpenId: this.ids.openId(),
      botUnionId: this.ids.unionId(),
      botEnabled: true,
      scopes: new Set(options.scopes ?? DEFAULT_SCOPES),
      subscriptions: new Set(options.subscriptions ?? DEFAULT_SUBSCRIPTIONS),
      description: options.description ?? '',
      ownerOpenId: options.owner?.openId,
    };
    // Official clients refuse other ids without an error message.
    if (!/^cli_[0-9a-f]{16}$/i.test(app.appId)) {
      throw new Misuse(`an app id is cli_ and 16 hex digits, not ${app.appId}`);
    }
    if (this.apps.has(app.appId)) throw new Misuse(`there is already an app ${app.appId}`);
    this.apps.set(app.appId, app);
    this.#appsByOpenId.set(app.botOpenId, app);
    return app;
  }

  /** Changes an app as its developer does in the console. */
  changeApp(app: SimApp, change: AppChange): void {
    const { scopes, addScopes = [], removeScopes = [], subscriptions } = change;
    if (change.name !== undefined) app.name = change.name;
    if (change.bot !== undefined) app.botEnabled = change.bot;
    if (scopes !== undefined) replaceAll(app.scopes, scopes);
    for (const scope of addScopes) app.scopes.add(scope);
    for (const scope of removeScopes) app.scopes.delete(scope);
    if (subscriptions !== undefined) replaceAll(app.subscriptions, subscriptions);
  }

  addUser(options: NewUser): SimUser {
    const userId = this.ids.userId();
    const user: SimUser = {
      openId: this.ids.openId(),
      unionId: this.ids.unionId(),
      userId,
      email: options.email ?? `${userId}@example.com`,
      name: options.name,
      tenantKey: options.tenantKey ?? this.tenantKey,
    };
    if (this.findUser('email', user.email) !== undefined) {
      throw new Misuse(`another user has the email ${user.email}`);
    }
    this.users.set(user.openId, user);
    this.#usersByOtherId.set(`union_id ${user.unionId}`, user);
    this.#usersByOtherId.set(`user_id ${user.userId}`, user);
    this.#usersByOtherId.set(`email ${user.email}`, user);
    return user;
  }

  findUser(idType: UserIdType, id: string): SimUser | undefined {
    return idType === 'open_id' ? this.users.get(id) : this.#usersByOtherId.get(`${idType} ${id}`);
  }

  /** The app whose bot has this open id. */
  findBot(openId: string): SimApp | undefined {
    return this.#appsByOpenId.get(openId);
  }

  /** Who created the app. */
  ownerOf(app: SimApp): SimUser | undefined {
    const [first] = this.users.values();
    return app.ownerOpenId === undefined ? first : this.users.get(app.ownerOpenId);
  }

  tenantOf(sender: Sender): string {
    const who =
      sender.kind === 'user' ? this.users.get(sender.openId) : this.apps.get(sender.appId);
    return who?.tenantKey ?? this.tenantKey;
  }

  /** A group is external if a person of another tenant is in it. */
  isExternal(chat: SimChat): boolean {
    return [...chat.members].some((id) => this.users.get(id)?.tenantKey !== chat.tenantKey);
  }

  nameOf(sender: Sender): string {
    return sender.kind === 'user'
      ? (this.users.get(sender.openId)?.name ?? sender.openId)
      : (this.apps.get(sender.appId)?.name ?? sender.appId);
  }

  // ------------------------------------------------------------ chats

  addGroup(options: NewGroup): SimChat {
    const members = options.members ?? [];
    const mode = options.mode ?? 'group';
    const chat = this.#addChat(mode, options);
    chat.ownerId = members[0]?.openId;
    for (const user of members) chat.members.add(user.openId);
    for (const app of options.apps ?? []) chat.bots.add(app.appId);
    return chat;
  }

  /** The direct chat of a person and a bot. The first call creates it. */
  directChat(user: SimUser, app: SimApp): SimChat {
    const key = `${user.openId} ${app.appId}`;
    let chat = this.#directChats.get(key);
    if (chat === undefined) {
      chat = this.#addChat('p2p', { name: '' });
      chat.members.add(user.openId);
      chat.bots.add(app.appId);
      this.#directChats.set(key, chat);
    }
    return chat;
  }

  isIn(chat: SimChat, sender: Sender): boolean {
    return sender.kind === 'user' ? chat.members.has(sender.openId) : chat.bots.has(sender.appId);
  }

  #addChat(mode: ChatMode, options: NewGroup): SimChat {
    const chat: SimChat = {
      chatId: this.ids.chat(),
      mode,
      messageForm: mode === 'topic' ? 'thread' : (options.messageForm ?? 'chat'),
      name: options.name,
      description: options.description ?? '',
      ownerId: undefined,
      tenantKey: this.tenantKey,
      members: new Set(),
      bots: new Set(),
      dissolved: false,
      createdAtMs: this.nowMs(),
      messages: [],
      ownerAppId: undefined,
      creatorAppId: undefined,
      botManagers: new Set(),
      settings: new Map(),
      opened: false,
    };
    this.chats.set(chat.chatId, chat);
    return chat;
  }

  // ------------------------------------------------------------ messages

  post(draft: Draft): SimMessage {
    const { chat, replyTo } = draft;
    const atMs = draft.atMs ?? this.nowMs();
    const thread = this.#threadOf(draft);
    this.#position += 1;
    const message: SimMessage = {
      messageId: this.ids.message(),
      chatId: chat.chatId,
      position: this.#position,
      sender: draft.sender,
      msgType: draft.msgType,
      content: draft.content,
      mentions: draft.mentions ?? [],
      createdAtMs: atMs,
      updatedAtMs: atMs,
      rootId: thread ? thread.rootId : (replyTo?.rootId ?? replyTo?.messageId),
      parentId: thread ? thread.rootId : replyTo?.messageId,
      threadId: thread?.threadId,
      recalled: false,
      edits: 0,
      reactions: new Map(),
      cardId: draft.cardId,
      upperMessageId: draft.upperMessageId,
      urgentTo: new Set(),
      followUps: [],
      readAtMs: new Map(),
      pin: undefined,
      visibleTo: draft.visibleTo,
    };
    this.messages.set(message.messageId, message);
    insertByTime(chat.messages, message);
    // Later messages keep their order: each takes the position of the next one.
    for (let at = chat.messages.length - 1; chat.messages[at] !== message; at -= 1) {
      swapPositions(chat.messages[at], message);
    }
    if (thread !== undefined) insertByTime(thread.messages, message);
    if (chat.messageForm === 'thread' && replyTo === undefined) this.#openThread(message);
    this.#forgetOldest(chat);
    return message;
  }

  edit(
    message: SimMessage,
    change: {
      readonly msgType?: string;
      readonly content: string;
      readonly mentions?: readonly SimMention[];
    },
  ): void {
    if (message.msgType === 'interactive') this.rememberCard(message);
    message.msgType = change.msgType ?? message.msgType;
    message.content = change.content;
    message.mentions = change.mentions ?? message.mentions;
    message.updatedAtMs = this.nowMs();
    message.edits += 1;
  }

  /** JSON of the card that a message shows: of its entity, or its own. */
  cardOf(message: SimMessage): string {
    const entity = message.cardId === undefined ? undefined : this.cards.get(message.cardId);
    return entity?.json ?? message.content;
  }

  /** Keeps what the card shows now, before it changes. */
  rememberCard(message: SimMessage): void {
    const earlier = this.cardStates(message.messageId).slice(1 - CARD_STATES_MAX);
    const states = [...earlier, { json: this.cardOf(message), untilMs: this.nowMs() }];
    const bytes = states.reduce((sum, { json }) => sum + json.length, 0);
    this.#cardStates.set(message.messageId, states, bytes);
  }

  /** What the card of a message showed before, oldest first. The oldest states may be gone. */
  cardStates(messageId: string): readonly CardState[] {
    return this.#cardStates.get(messageId) ?? [];
  }

  recall(message: SimMessage): void {
    message.recalled = true;
    message.updatedAtMs = this.nowMs();
  }

  react(message: SimMessage, by: Sender, emoji: string): SimReaction {
    const reaction = { reactionId: this.ids.reaction(), emoji, by, atMs: this.nowMs() };
    message.reactions.set(reaction.reactionId, reaction);
    return reaction;
  }

  unreact(message: SimMessage, reactionId: string): void {
    message.reactions.delete(reactionId);
  }

  /** The thread for a draft: that of its parent, or a new one if the draft asks for it. */
  #threadOf(draft: Draft): SimThread | undefined {
    const { replyTo } = draft;
    if (replyTo === undefined) return undefined;
    if (replyTo.threadId !== undefined) return this.threads.get(replyTo.threadId);
    return draft.inThread === true ? this.#openThread(replyTo) : undefined;
  }

  #openThread(root: SimMessage): SimThread {
    const thread: SimThread = {
      threadId: this.ids.thread(),
      chatId: root.chatId,
      rootId: root.messageId,
      messages: [root],
    };
    root.threadId = thread.threadId;
    this.threads.set(thread.threadId, thread);
    return thread;
  }

  /** Removes many at a time: in a full chat, a removal for every new message would be slow. */
  #forgetOldest(chat: SimChat): void {
    const slack = Math.ceil(this.#messagesPerChatMax / 4);
    if (chat.messages.length < this.#messagesPerChatMax + slack) return;
    const kept = chat.messages.length - this.#messagesPerChatMax;
    for (const old of chat.messages.splice(0, kept)) {
      this.messages.delete(old.messageId);
      if (old.threadId !== undefined) this.threads.delete(old.threadId);
    }
  }
}

/** In the order of time; after others of the same time. */
function insertByTime(messages: SimMessage[], message: SimMessage): void {
  let at = messages.length;
  while (at > 0 && (messages[at - 1]?.createdAtMs ?? 0) > message.createdAtMs) at -= 1;
  messages.splice(at, 0, message);
}

function swapPositions(later: SimMessage | undefined, message: SimMessage): void {
  if (later === undefined) return;
  [later.position, message.position] = [message.position, later.position];
}

function replaceAll(set: Set<string>, values: readonly string[]): void {
  set.clear();
  for (const value of values) set.add(value);
}
