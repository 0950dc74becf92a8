import type { Cloud } from '../cloud.ts';
import { publishChatUpdated, publishMembers, type ChatFacts } from '../socket/chat-events.ts';
import { publishBotMembership, publishDissolved } from '../socket/events.ts';
import { settingsOf } from '../world/chat-settings.ts';
import type { Sender, SimApp, SimChat, SimUser } from '../world/model.ts';

/** Changes of groups, by bots through the API or by people. The apps concerned get events. */

/** How a membership ends: the person left or was removed, or the invitation was taken back. */
export type LeaveKind = 'deleted' | 'withdrawn';

/** A group that a bot creates. Without an owner, the bot owns it. */
interface GroupPlan {
  readonly creator: SimApp;
  readonly name: string;
  readonly description: string;
  readonly messageForm: 'chat' | 'thread';
  readonly owner: SimUser | undefined;
  readonly members: readonly SimUser[];
  readonly bots: readonly SimApp[];
  readonly settings: ReadonlyMap<string, string>;
  /** The bot is a manager of the group, which has another owner. */
  readonly isBotManager: boolean;
}

/** Other bots in the new group get an event. The creator gets none. */
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

/** Adds people who are not in the group yet. */
export function addMembers(
  cloud: Cloud,
  chat: SimChat,
  { users, by }: { readonly users: readonly SimUser[]; readonly by: Sender },
): void {
  const newcomers = users.filter(({ openId }) => !chat.members.has(openId));
  for (const { openId } of newcomers) chat.members.add(openId);
  if (newcomers.length > 0) publishMembers(cloud, chat, { kind: 'added', users: newcomers, by });
  cloud.changes.notify();
}

/**
 * Removes people who are in the group. If the owner is removed, the member who joined first is the
 * new owner.
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
  const removed = change.users.filter(({ openId }) => chat.members.delete(openId));
  if (removed.length === 0) return;
  if (removed.some(({ openId }) => openId === chat.ownerId)) chat.ownerId = [...chat.members][0];
  publishMembers(cloud, chat, { kind, users: removed, by });
  cloud.changes.notify();
}

/** Adds the bot to the group, or removes it. */
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

/** Changes of a group. What is left out stays. */
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
  cloud.changes.notify();
}

export function dissolveGroup(cloud: Cloud, chat: SimChat, by: Sender): void {
  if (chat.dissolved) return;
  chat.dissolved = true;
  publishDissolved(cloud, chat, by);
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
