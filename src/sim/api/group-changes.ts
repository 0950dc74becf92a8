import type { Cloud } from '../cloud.ts';
import { publishChatUpdated, publishMembers, type ChatFacts } from '../socket/chat-events.ts';
import { publishBotMembership, publishDissolved } from '../socket/events.ts';
import { settingsOf } from '../world/chat-settings.ts';
import type { Sender, SimApp, SimChat, SimUser } from '../world/model.ts';

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
