import type { Accounts, Scan } from './accounts/accounts.ts';
import type { Cloud } from './cloud.ts';
import type { KickOptions } from './socket/connections.ts';
import type { DeliveryRecord } from './socket/deliveries.ts';
import {
  publishBotMembership,
  publishChatEntered,
  publishDissolved,
  publishMenu,
  publishReaction,
  publishRecall,
} from './socket/events.ts';
import type { Faults } from './world/faults.ts';
import { addUpload, type NewUpload } from './api/files.ts';
import type { CallRecord } from './world/journal.ts';
import type { JsonObject } from './world/json.ts';
import { textOf } from './api/message-object.ts';
import { Misuse } from './world/misuse.ts';
import type {
  Sender,
  SimApp,
  SimChat,
  SimMessage,
  SimReaction,
  SimUpload,
  SimUser,
} from './world/model.ts';
import { press, type PressOutcome } from './world/press.ts';
import { say, type Saying } from './world/say.ts';
import type { NewApp, NewGroup, World } from './world/world.ts';

/** Things can be named by themselves, by id, and users and groups by name. */
export type ChatRef = SimChat | string;
export type UserRef = SimUser | string;
export type AppRef = SimApp | string;
export type MessageRef = SimMessage | string;

export type SayOptions = Omit<Saying, 'chat' | 'from' | 'mentions' | 'replyTo' | 'partOf'> & {
  readonly chat: ChatRef;
  readonly from: UserRef | AppRef;
  /** `all` mentions everybody. */
  readonly mentions?: readonly (UserRef | AppRef)[] | undefined;
  readonly replyTo?: MessageRef | undefined;
  readonly partOf?: MessageRef | undefined;
};

export interface PressOptions {
  readonly messageId: MessageRef;
  readonly from: UserRef;
  readonly value?: JsonObject | string;
  /** More fields of the action: `tag`, `name`, `form_value`, `option`, … */
  readonly action?: JsonObject;
}

/** One message as a person sees it. */
export interface Shown {
  readonly messageId: string;
  /** `user:NAME` or `app:APP_ID`. */
  readonly from: string;
  readonly type: string;
  /** Empty once recalled. */
  readonly text: string;
  readonly replyTo: string | undefined;
  readonly threadId: string | undefined;
  readonly reactions: readonly { readonly emoji: string; readonly by: string }[];
  readonly recalled: boolean;
  readonly edits: number;
  readonly atMs: number;
}

export interface CallFilter {
  /** Contained in the path. */
  readonly path?: string | undefined;
  readonly method?: string | undefined;
  readonly appId?: string | undefined;
}

export interface Addresses {
  readonly openBaseUrl: string;
  readonly accountsBaseUrl: string;
  readonly controlUrl: string;
}

/** Ends no wait on a busy machine: only what never happens takes all of it. */
const WAIT_MS = 60_000;

/** A running cloud in the hands of a test: what people do, what they see, and what goes wrong. */
export class LarkCloud implements Addresses {
  readonly openBaseUrl: string;
  readonly accountsBaseUrl: string;
  readonly controlUrl: string;
  readonly cloud: Cloud;
  /** Device grants that wait for a person. */
  readonly accounts: Accounts;
  readonly #stop: () => Promise<void>;

  constructor(
    parts: {
      readonly cloud: Cloud;
      readonly accounts: Accounts;
      readonly stop: () => Promise<void>;
    },
    addresses: Addresses,
  ) {
    this.openBaseUrl = addresses.openBaseUrl;
    this.accountsBaseUrl = addresses.accountsBaseUrl;
    this.controlUrl = addresses.controlUrl;
    this.cloud = parts.cloud;
    this.accounts = parts.accounts;
    this.#stop = parts.stop;
  }

  get world(): World {
    return this.cloud.world;
  }

  get faults(): Faults {
    return this.cloud.faults;
  }

  /** Cuts every connection and frees the port. */
  stop(): Promise<void> {
    return this.#stop();
  }

  // ------------------------------------------------------------ the world

  addApp(options: NewApp = {}): SimApp {
    return this.world.addApp(options);
  }

  addUser(options: { readonly name: string }): SimUser {
    return this.world.addUser(options);
  }

  addGroup(
    options: Omit<NewGroup, 'members' | 'apps'> & {
      readonly members?: readonly UserRef[];
      readonly apps?: readonly AppRef[];
    },
  ): SimChat {
    const members = (options.members ?? []).map((ref) => this.findUser(ref));
    const apps = (options.apps ?? []).map((ref) => this.findApp(ref));
    return this.world.addGroup({ ...options, members, apps });
  }

  directChat(user: UserRef, app: AppRef): SimChat {
    return this.world.directChat(this.findUser(user), this.findApp(app));
  }

  /** Bytes that somebody attaches: the answer's `key` goes into the content of a message. */
  addUpload(upload: NewUpload): SimUpload {
    return addUpload(this.world, upload);
  }

  /** Approves or denies a device grant, as the person who scanned the code. */
  scan(scan: Scan): SimApp | undefined {
    const app = this.accounts.scan(scan);
    this.cloud.changes.ring();
    return app;
  }

  // ------------------------------------------------------------ what people do

  say(options: SayOptions): SimMessage {
    const { replyTo, partOf } = options;
    return say(this.cloud, {
      ...options,
      chat: this.findChat(options.chat),
      from: this.#findAnybody(options.from),
      mentions: options.mentions?.map((ref) => (ref === 'all' ? 'all' : this.#findAnybody(ref))),
      replyTo: replyTo === undefined ? undefined : this.findMessage(replyTo),
      partOf: partOf === undefined ? undefined : this.findMessage(partOf),
    });
  }

  /** Resolves when the app has answered, or its three seconds are over. */
  pressButton(options: PressOptions): Promise<PressOutcome> {
    return press(this.cloud, {
      message: this.findMessage(options.messageId),
      from: this.findUser(options.from),
      action: { ...(options.value !== undefined && { value: options.value }), ...options.action },
    });
  }

  /** By its author, unless somebody else is named. */
  recall(ref: MessageRef, by?: UserRef): void {
    const message = this.findMessage(ref);
    this.world.recall(message);
    const who: Sender =
      by === undefined ? message.sender : { kind: 'user', openId: this.findUser(by).openId };
    publishRecall(this.cloud, message, who);
    this.cloud.changes.ring();
  }

  react(options: {
    readonly messageId: MessageRef;
    readonly from: UserRef;
    readonly emoji: string;
  }): SimReaction {
    const message = this.findMessage(options.messageId);
    const by = { kind: 'user', openId: this.findUser(options.from).openId } as const;
    const reaction = this.world.react(message, by, options.emoji);
    publishReaction(this.cloud, message, { kind: 'created', reaction });
    this.cloud.changes.ring();
    return reaction;
  }

  unreact(ref: MessageRef, reaction: SimReaction): void {
    const message = this.findMessage(ref);
    this.world.unreact(message, reaction.reactionId);
    publishReaction(this.cloud, message, { kind: 'deleted', reaction });
    this.cloud.changes.ring();
  }

  /** Somebody adds the bot to a group. */
  addBot(chatRef: ChatRef, appRef: AppRef, by: UserRef): void {
    const chat = this.findChat(chatRef);
    const app = this.findApp(appRef);
    chat.bots.add(app.appId);
    publishBotMembership(this.cloud, chat, {
      kind: 'added',
      app,
      byOpenId: this.findUser(by).openId,
    });
  }

  removeBot(chatRef: ChatRef, appRef: AppRef, by: UserRef): void {
    const chat = this.findChat(chatRef);
    const app = this.findApp(appRef);
    chat.bots.delete(app.appId);
    publishBotMembership(this.cloud, chat, {
      kind: 'deleted',
      app,
      byOpenId: this.findUser(by).openId,
    });
  }

  dissolve(chatRef: ChatRef, by: UserRef): void {
    const chat = this.findChat(chatRef);
    chat.dissolved = true;
    publishDissolved(this.cloud, chat, this.findUser(by).openId);
  }

  /** The person opens the direct chat with the bot. */
  openDirectChat(user: UserRef, app: AppRef): SimChat {
    const chat = this.directChat(user, app);
    publishChatEntered(this.cloud, chat, this.findUser(user).openId);
    return chat;
  }

  chooseMenu(app: AppRef, from: UserRef, eventKey: string): void {
    const byOpenId = this.findUser(from).openId;
    publishMenu(this.cloud, this.findApp(app), { byOpenId, eventKey });
  }

  // ------------------------------------------------------------ what is seen

  /** The chat on somebody's screen, oldest first; only the last few if told so. */
  shows(chatRef: ChatRef, options: { readonly last?: number } = {}): Shown[] {
    const { messages } = this.findChat(chatRef);
    const chosen = options.last === undefined ? messages : messages.slice(-options.last);
    return chosen.map((message) => this.#shown(message));
  }

  calls(filter: CallFilter = {}): CallRecord[] {
    const { path, method, appId } = filter;
    return this.cloud.calls
      .all()
      .filter(
        (call) =>
          (path === undefined || call.path.includes(path)) &&
          (method === undefined || call.method === method) &&
          (appId === undefined || call.appId === appId),
      );
  }

  deliveries(
    filter: { readonly appId?: string; readonly eventType?: string } = {},
  ): DeliveryRecord[] {
    const { appId, eventType } = filter;
    return this.cloud.deliveries
      .records()
      .filter(
        (record) =>
          (appId === undefined || record.appId === appId) &&
          (eventType === undefined || record.eventType === eventType),
      );
  }

  /** Open connections of the app that have pinged: those that take events. */
  online(app: AppRef): number {
    const { appId } = this.findApp(app);
    return this.cloud.connections.of(appId).filter((connection) => connection.ready).length;
  }

  /** Resolves with the first truthy value of `look`; looks again at every change. Real milliseconds. */
  waitFor<T>(look: () => T, timeoutMs: number = WAIT_MS): Promise<NonNullable<T>> {
    return this.cloud.changes.waitFor(look, timeoutMs);
  }

  // ------------------------------------------------------------ what goes wrong, and time

  /** Cuts connections; returns how many. */
  kick(options: KickOptions = {}): number {
    return this.cloud.connections.kick(options);
  }

  /** So many connections of somebody else with the same app take their share of its events. */
  setStrangers(app: AppRef, count: number): void {
    this.cloud.connections.setStrangers(this.findApp(app).appId, count);
  }

  /** Every event without an ack is sent again at once; returns how many. */
  redeliverNow(app?: AppRef): number {
    return this.cloud.deliveries.redeliverNow(
      app === undefined ? undefined : this.findApp(app).appId,
    );
  }

  /** Moves the cloud's clock forward; what falls due happens before this returns. */
  advance(byMs: number): void {
    this.cloud.clock.advance(byMs);
  }

  revokeTokens(app: AppRef): void {
    this.cloud.tokens.revoke(this.findApp(app).appId);
  }

  // ------------------------------------------------------------ references

  findChat(ref: ChatRef): SimChat {
    if (typeof ref !== 'string') return ref;
    return this.world.chats.get(ref) ?? byName(this.world.chats.values(), ref, 'chat');
  }

  findUser(ref: UserRef): SimUser {
    if (typeof ref !== 'string') return ref;
    return this.world.users.get(ref) ?? byName(this.world.users.values(), ref, 'user');
  }

  findApp(ref: AppRef): SimApp {
    if (typeof ref !== 'string') return ref;
    return this.world.apps.get(ref) ?? byName(this.world.apps.values(), ref, 'app');
  }

  findMessage(ref: MessageRef): SimMessage {
    const message = typeof ref === 'string' ? this.world.messages.get(ref) : ref;
    if (message === undefined) throw new Misuse(`there is no message ${JSON.stringify(ref)}`);
    return message;
  }

  #findAnybody(ref: UserRef | AppRef): SimUser | SimApp {
    if (typeof ref !== 'string') return ref;
    const { users, apps } = this.world;
    const known = users.get(ref) ?? apps.get(ref);
    return known ?? byName([...users.values(), ...apps.values()], ref, 'user or app');
  }

  #shown(message: SimMessage): Shown {
    return {
      messageId: message.messageId,
      from: this.#label(message.sender),
      type: message.msgType,
      text: message.recalled ? '' : textOf(this.world, message),
      replyTo: message.parentId,
      threadId: message.threadId,
      reactions: [...message.reactions.values()].map(({ emoji, by }) => ({
        emoji,
        by: this.#label(by),
      })),
      recalled: message.recalled,
      edits: message.edits,
      atMs: message.createdAtMs,
    };
  }

  #label(sender: Sender): string {
    return sender.kind === 'app' ? `app:${sender.appId}` : `user:${this.world.nameOf(sender)}`;
  }
}

function byName<T extends { readonly name: string }>(
  all: Iterable<T>,
  name: string,
  what: string,
): T {
  const [found, another] = [...all].filter((one) => one.name === name && name !== '');
  if (found === undefined) throw new Misuse(`there is no ${what} ${JSON.stringify(name)}`);
  if (another !== undefined) throw new Misuse(`more than one ${what} is named ${name}: use the id`);
  return found;
}
