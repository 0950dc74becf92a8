import type { Cloud } from '../cloud.ts';
import {
  publishChatUpdated,
  publishDirectChatCreated,
  publishMembers,
  publishRead,
  type ChatFacts,
} from '../socket/chat-events.ts';
import { publishBotMembership, publishChatEntered, publishDissolved } from '../socket/events.ts';
import { settingsOf } from './chat-settings.ts';
import { Misuse } from './misuse.ts';
import type { Sender, SimApp, SimChat, SimMessage, SimUser } from './model.ts';

/** What happens to a chat beside messages: people and bots do it, through the API or by hand. */

/** How somebody stops being in a group: left or removed, or the invitation was taken back. */
export type LeaveKind = 'deleted' | 'withdrawn';

/** A group as a bot opens it; without an owner it is the bot's own. */
export interface GroupPlan {
  readonly creator: SimApp;
  readonly name: string;
  readonly description: string;
  readonly messageForm: 'chat' | 'thread';
  readonly owner: SimUser | undefined;
  readonly members: readonly SimUser[];
  readonly bots: readonly SimApp[];
  readonly settings: ReadonlyMap<string, string>;
  /** The bot manages the group of another owner. */
  readonly isBotManager: boolean;
}

/** Other bots that are in it from the start are told; the creator knows. */
export function createGroup(cloud: Cloud, plan: GroupPlan): SimChat {
  const { creator, owner, settings, isBotManager, bots, ...rest } = plan;
  const chat = cloud.world.addGroup({ ...rest, apps: [creator] });
  chat.creatorAppId = creator.appId;
  chat.ownerId = owner?.openId;
  chat.ownerAppId = owner === undefined ? creator.appId : undefined;
  if (isBotManager && owner !== undefined) chat.botManagers.add(creator.appId);
  for (const [name, value] of settings) chat.settings.set(name, value);
  const by = { kind: 'app', appId: creator.appId } as const;
  for (const app of bots) setBot(cloud, chat, { app, by, isIn: true });
  return chat;
}

/** Those who are not in it yet come to the group. */
export function addMembers(
  cloud: Cloud,
  chat: SimChat,
  { users, by }: { readonly users: readonly SimUser[]; readonly by: Sender },
): void {
  const newcomers = users.filter(({ openId }) => !chat.members.has(openId));
  for (const { openId } of newcomers) chat.members.add(openId);
  if (newcomers.length > 0) publishMembers(cloud, chat, { kind: 'added', users: newcomers, by });
  cloud.changes.ring();
}

/**
 * Those who are in it leave the group; `withdrawn` when who invited them takes it back. A group
 * that loses its owner belongs to the member who is longest in it.
 */
export function removeMembers(
  cloud: Cloud,
  chat: SimChat,
  change: {
    readonly users: readonly SimUser[];
    readonly by: Sender;
    readonly kind?: LeaveKind | undefined;
  },
): void {
  const { by, kind = 'deleted' } = change;
  const leavers = change.users.filter(({ openId }) => chat.members.delete(openId));
  if (leavers.length === 0) return;
  if (leavers.some(({ openId }) => openId === chat.ownerId)) chat.ownerId = [...chat.members][0];
  publishMembers(cloud, chat, { kind, users: leavers, by });
  cloud.changes.ring();
}

/** The same for one person by hand, who can't come twice. */
export function join(
  cloud: Cloud,
  chat: SimChat,
  { user, by }: { readonly user: SimUser; readonly by: Sender },
): void {
  if (chat.members.has(user.openId)) {
    throw new Misuse(`${user.name} is in ${chat.chatId} already`);
  }
  addMembers(cloud, chat, { users: [user], by });
}

/** And who is not there can't leave. */
export function leave(
  cloud: Cloud,
  chat: SimChat,
  change: { readonly user: SimUser; readonly by: Sender; readonly kind: LeaveKind | undefined },
): void {
  const { user, by, kind } = change;
  if (!chat.members.has(user.openId)) throw new Misuse(`${user.name} is not in ${chat.chatId}`);
  removeMembers(cloud, chat, { users: [user], by, kind });
}

/** Who changes a group when nobody is named: its owner, or who is longest in it. */
export function firstOf(chat: SimChat): string {
  const openId = chat.ownerId ?? [...chat.members][0];
  if (openId === undefined) throw new Misuse(`nobody is in ${chat.chatId} who could change it`);
  return openId;
}

/** The bot comes to the group, or leaves it. */
export function setBot(
  cloud: Cloud,
  chat: SimChat,
  change: { readonly app: SimApp; readonly by: Sender; readonly isIn: boolean },
): void {
  const { app, by, isIn } = change;
  if (chat.bots.has(app.appId) === isIn) return;
  if (isIn) chat.bots.add(app.appId);
  else chat.bots.delete(app.appId);
  publishBotMembership(cloud, chat, { kind: isIn ? 'added' : 'deleted', app, by });
}

/** What a group may be changed to; what is left out stays. */
export interface GroupChange {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly owner?: SimUser | undefined;
  /** By the platform's names. */
  readonly settings?: ReadonlyMap<string, string>;
}

export function changeGroup(cloud: Cloud, chat: SimChat, change: GroupChange, by: Sender): void {
  const before = factsOf(chat);
  chat.name = change.name ?? chat.name;
  chat.description = change.description ?? chat.description;
  if (change.owner !== undefined) {
    chat.ownerId = change.owner.openId;
    chat.ownerAppId = undefined;
  }
  for (const [name, value] of change.settings ?? []) chat.settings.set(name, value);
  publishChatUpdated(cloud, chat, { before, after: factsOf(chat), by });
  cloud.changes.ring();
}

export function dissolveGroup(cloud: Cloud, chat: SimChat, by: Sender): void {
  if (chat.dissolved) return;
  chat.dissolved = true;
  publishDissolved(cloud, chat, by);
}

/** A person opens the direct chat with a bot; the first time is news of its own. */
export function openDirectChat(cloud: Cloud, chat: SimChat, user: SimUser): void {
  if (!chat.opened) publishDirectChatCreated(cloud, chat, user);
  chat.opened = true;
  publishChatEntered(cloud, chat, user.openId);
}

/** A person has seen the message, and what the chat showed before; the apps that wrote it are told, once. */
export function readUpTo(cloud: Cloud, message: SimMessage, by: SimUser): void {
  const chat = cloud.world.chats.get(message.chatId);
  if (chat?.members.has(by.openId) !== true) {
    throw new Misuse(`${by.name} is not in the chat of ${message.messageId}`);
  }
  const seen = chat.messages.slice(0, chat.messages.indexOf(message) + 1);
  const unread = seen.filter(({ readAtMs }) => !readAtMs.has(by.openId));
  for (const { readAtMs } of unread) readAtMs.set(by.openId, cloud.clock.nowMs());
  publishRead(cloud, { by, messages: unread });
  cloud.changes.ring();
}

function factsOf(chat: SimChat): ChatFacts {
  const { name, description } = chat;
  return {
    name,
    description,
    i18n_names: { zh_cn: name, en_us: name, ja_jp: name },
    owner_id: chat.ownerId,
    ...settingsOf(chat),
  };
}
