import type { Accounts, Scan } from '../accounts/accounts.ts';
import type { Cloud } from '../cloud.ts';
import type { KickOptions } from '../socket/connections.ts';
import type { DeliveryRecord } from '../socket/deliveries.ts';
import { publishMenu, publishReaction, publishRecall } from '../socket/events.ts';
import type { Faults } from '../world/faults.ts';
import { addUpload, type NewUpload } from '../api/files.ts';
import {
  isCallOf,
  isDeliveryOf,
  type CallFilter,
  type DeliveryFilter,
  type EditOptions,
  type PressOptions,
  type SayOptions,
} from './lark-cloud-options.ts';
import type { CallBodies } from '../world/call-record.ts';
import type { CallRecord } from '../world/call-record.ts';
import { Finder, type AppRef, type ChatRef, type MessageRef, type UserRef } from './finder.ts';
import {
  changeGroup,
  dissolveGroup,
  setBot,
  type GroupChange,
  type LeaveKind,
} from '../api/group-changes.ts';
import { ownerOrFirstMember, join, leave, openDirectChat, markRead } from './chat-actions.ts';
import type {
  Sender,
  SimApp,
  SimChat,
  SimMessage,
  SimReaction,
  SimUpload,
  SimUser,
} from '../world/model.ts';
import { press, pressOnCard, type PressChoice, type PressOutcome } from './press.ts';
import { forward, editMessage, say } from './say.ts';
import { shownMessage, type ShownMessage } from './shown-message.ts';
import type { World } from '../world/world.ts';
import type { AppChange, NewApp, NewGroup, NewUser } from '../world/requests.ts';

interface Addresses {
  readonly openBaseUrl: string;
  readonly accountsBaseUrl: string;
  readonly controlUrl: string;
  /** The page that shows the chats as people see them. */
  readonly pageUrl: string;
  /** PEM of the authority that clients must trust; undefined without TLS. */
  readonly caPem: string | undefined;
}

/** Ends no wait on a busy machine: only what never happens takes all of it. */
const WAIT_MS = 60_000;

/** A running cloud, as a test uses it: what people do, what they see, and what goes wrong. */
export class LarkCloud implements Addresses {
  readonly openBaseUrl: string;
  readonly accountsBaseUrl: string;
  readonly controlUrl: string;
  readonly pageUrl: string;
  readonly caPem: string | undefined;
  readonly cloud: Cloud;
  /** Device grants that wait for a person. */
  readonly accounts: Accounts;
  readonly #finder: Finder;
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
    this.pageUrl = addresses.pageUrl;
    this.caPem = addresses.caPem;
    this.cloud = parts.cloud;
    this.accounts = parts.accounts;
    this.#finder = new Finder(parts.cloud.world);
    this.#stop = parts.stop;
  }

  get world(): World {
    return this.cloud.world;
  }

  get faults(): Faults {
    return this.cloud.faults;
  }

  /** Closes every connection and frees the port. */
  stop(): Promise<void> {
    return this.#stop();
  }

  // ------------------------------------------------------------ the world

  addApp(options: NewApp = {}): SimApp {
    return this.world.addApp(options);
  }

  addUser(options: NewUser): SimUser {
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

  /** Changes an app, as its developer does in the console. */
  changeApp(ref: AppRef, change: AppChange): SimApp {
    const app = this.findApp(ref);
    this.world.changeApp(app, change);
    this.cloud.changes.notify();
    return app;
  }

  directChat(user: UserRef, app: AppRef): SimChat {
    return this.world.directChat(this.findUser(user), this.findApp(app));
  }

  /** Bytes that somebody attaches. The `key` of the result goes into the content of a message. */
  addUpload(upload: NewUpload): SimUpload {
    return addUpload(this.world, upload);
  }

  /** Approves or denies a device grant, as the person who scanned the code. */
  scan(scan: Scan): SimApp | undefined {
    const app = this.accounts.scan(scan);
    this.cloud.changes.notify();
    return app;
  }

  // ------------------------------------------------------------ what people do

  say(options: SayOptions): SimMessage {
    const { replyTo, partOf } = options;
    return say(this.cloud, {
      ...options,
      chat: this.findChat(options.chat),
      from: this.#finder.userOrApp(options.from),
      mentions: options.mentions?.map((ref) =>
        ref === 'all' ? 'all' : this.#finder.userOrApp(ref),
      ),
      replyTo: replyTo === undefined ? undefined : this.findMessage(replyTo),
      partOf: partOf === undefined ? undefined : this.findMessage(partOf),
    });
  }

  /** A person forwards messages, of any chats, as one bundle. */
  forward(options: {
    readonly chat: ChatRef;
    readonly from: UserRef;
    readonly messages: readonly MessageRef[];
  }): SimMessage {
    return forward(this.cloud, {
      chat: this.findChat(options.chat),
      from: this.findUser(options.from),
      messages: options.messages.map((ref) => this.findMessage(ref)),
    });
  }

  /** The author edits a message of type text or post. */
  edit(ref: MessageRef, content: EditOptions): SimMessage {
    const message = this.findMessage(ref);
    editMessage(this.cloud, message, {
      ...content,
      mentions: content.mentions?.map((one) =>
        one === 'all' ? 'all' : this.#finder.userOrApp(one),
      ),
    });
    return message;
  }

  /** A person presses a button, or selects something, that the card shows now. */
  pressOnCard(ref: MessageRef, from: UserRef, choice: PressChoice): Promise<PressOutcome> {
    return pressOnCard(this.cloud, {
      message: this.findMessage(ref),
      from: this.findUser(from),
      choice,
    });
  }

  /** Sends a press to the app, also of a button that the card does not have. Resolves when the app has answered, or after three seconds. */
  pressButton(options: PressOptions): Promise<PressOutcome> {
    return press(this.cloud, {
      message: this.findMessage(options.messageId),
      from: this.findUser(options.from),
      action: { ...(options.value !== undefined && { value: options.value }), ...options.action },
    });
  }

  /** By its author, if `by` is left out. */
  recall(ref: MessageRef, by?: UserRef): void {
    const message = this.findMessage(ref);
    this.world.recall(message);
    const who: Sender =
      by === undefined ? message.sender : { kind: 'user', openId: this.findUser(by).openId };
    publishRecall(this.cloud, message, who);
    this.cloud.changes.notify();
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
    this.cloud.changes.notify();
    return reaction;
  }

  unreact(ref: MessageRef, reaction: SimReaction): void {
    const message = this.findMessage(ref);
    this.world.unreact(message, reaction.reactionId);
    publishReaction(this.cloud, message, { kind: 'deleted', reaction });
    this.cloud.changes.notify();
  }

  /** A person joins a group, or `by` adds the person. */
  addMember(chat: ChatRef, user: UserRef, by: UserRef = user): void {
    const change = { user: this.findUser(user), by: this.#asSender(by) };
    join(this.cloud, this.#finder.group(chat), change);
  }

  /** A person leaves a group, or `by` removes the person. With the kind `withdrawn`, the invitation is taken back. */
  removeMember(chat: ChatRef, user: UserRef, by: UserRef = user, kind?: LeaveKind): void {
    const change = { user: this.findUser(user), by: this.#asSender(by), kind };
    leave(this.cloud, this.#finder.group(chat), change);
  }

  /** By the group's owner, or else its first member, if `by` is left out. */
  renameChat(chat: ChatRef, name: string, by?: UserRef): void {
    this.changeGroup(chat, { name }, by);
  }

  /** A group gets another name, description, owner or other settings. */
  changeGroup(chatRef: ChatRef, change: GroupChange, by?: UserRef): void {
    const chat = this.#finder.group(chatRef);
    changeGroup(this.cloud, chat, change, this.#asSender(by ?? ownerOrFirstMember(chat)));
  }

  /** Somebody adds the bot to a group. */
  addBot(chatRef: ChatRef, appRef: AppRef, by: UserRef): void {
    const app = this.findApp(appRef);
    setBot(this.cloud, this.#finder.group(chatRef), { app, by: this.#asSender(by), isIn: true });
  }

  removeBot(chatRef: ChatRef, appRef: AppRef, by: UserRef): void {
    const app = this.findApp(appRef);
    setBot(this.cloud, this.#finder.group(chatRef), { app, by: this.#asSender(by), isIn: false });
  }

  dissolve(chatRef: ChatRef, by: UserRef): void {
    dissolveGroup(this.cloud, this.#finder.group(chatRef), this.#asSender(by));
  }

  /** The person opens the direct chat with the bot. */
  openDirectChat(userRef: UserRef, app: AppRef): SimChat {
    const user = this.findUser(userRef);
    const chat = this.directChat(user, app);
    openDirectChat(this.cloud, chat, user);
    return chat;
  }

  /** The person has read the message and all messages before it. */
  read(ref: MessageRef, by: UserRef): void {
    markRead(this.cloud, this.findMessage(ref), this.findUser(by));
  }

  chooseMenu(app: AppRef, from: UserRef, eventKey: string): void {
    const byOpenId = this.findUser(from).openId;
    publishMenu(this.cloud, this.findApp(app), { byOpenId, eventKey });
  }

  // ------------------------------------------------------------ what is seen

  /** The chat as people see it, oldest first; with `last`, only that many of the newest. */
  shows(chatRef: ChatRef, options: { readonly last?: number } = {}): ShownMessage[] {
    const { messages } = this.findChat(chatRef);
    const chosen = options.last === undefined ? messages : messages.slice(-options.last);
    return chosen.map((message) => shownMessage(this.world, message));
  }

  calls(filter: CallFilter = {}): CallRecord[] {
    return this.cloud.calls.all().filter((call) => isCallOf(filter, call));
  }

  /** The bodies of a call and its answer. Only the newest few megabytes are kept; undefined for older calls. */
  bodiesOf(call: CallRecord): CallBodies | undefined {
    return this.cloud.callBodies.get(call.number);
  }

  deliveries(filter: DeliveryFilter = {}): DeliveryRecord[] {
    return this.cloud.deliveries.records().filter((record) => isDeliveryOf(filter, record));
  }

  /** How many open connections of the app have pinged, and so get events. */
  online(app: AppRef): number {
    const { appId } = this.findApp(app);
    return this.cloud.connections.of(appId).filter((connection) => connection.ready).length;
  }

  /** Resolves with the first truthy value of `condition`, which is called again at every change. Real milliseconds. */
  waitFor<T>(condition: () => T, timeoutMs: number = WAIT_MS): Promise<NonNullable<T>> {
    return this.cloud.changes.waitFor(condition, timeoutMs);
  }

  // ------------------------------------------------------------ what goes wrong, and time

  /** Closes connections. Returns how many. */
  kick(options: KickOptions = {}): number {
    return this.cloud.connections.kick(options);
  }

  /** Another program has `count` connections of the same app, and gets its share of the events. */
  setStrangers(app: AppRef, count: number): void {
    this.cloud.connections.setOthers(this.findApp(app).appId, count);
  }

  /** Sends every event without an ack again at once. Returns how many. */
  redeliverNow(app?: AppRef): number {
    return this.cloud.deliveries.redeliverNow(
      app === undefined ? undefined : this.findApp(app).appId,
    );
  }

  /** Moves the cloud's clock forward. What is due then happens before this returns. */
  advance(byMs: number): void {
    this.cloud.clock.advance(byMs);
  }

  revokeTokens(app: AppRef): void {
    this.cloud.tokens.revoke(this.findApp(app).appId);
  }

  // ------------------------------------------------------------ references

  findChat(ref: ChatRef): SimChat {
    return this.#finder.chat(ref);
  }

  findUser(ref: UserRef): SimUser {
    return this.#finder.user(ref);
  }

  findApp(ref: AppRef): SimApp {
    return this.#finder.app(ref);
  }

  findMessage(ref: MessageRef): SimMessage {
    return this.#finder.message(ref);
  }

  #asSender(ref: UserRef): Sender {
    return { kind: 'user', openId: this.findUser(ref).openId };
  }
}
