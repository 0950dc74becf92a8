import type { Cloud } from '../cloud.ts';
import { addMembers, removeMembers, type LeaveKind } from '../api/group-changes.ts';
import { publishDirectChatCreated, publishRead } from '../socket/chat-events.ts';
import { publishChatEntered } from '../socket/events.ts';
import { Misuse } from '../world/misuse.ts';
import type { Sender, SimChat, SimMessage, SimUser } from '../world/model.ts';

/** A person joins a group, or is added by somebody. */
export function join(
  cloud: Cloud,
  chat: SimChat,
  { user, by }: { readonly user: SimUser; readonly by: Sender },
): void {
  if (chat.members.has(user.openId)) {
    throw new Misuse(`${user.name} is already in ${chat.chatId}`);
  }
  addMembers(cloud, chat, { users: [user], by });
}

/** A person leaves a group, or is removed by somebody. */
export function leave(
  cloud: Cloud,
  chat: SimChat,
  change: { readonly user: SimUser; readonly by: Sender; readonly kind: LeaveKind | undefined },
): void {
  const { user, by, kind } = change;
  if (!chat.members.has(user.openId)) throw new Misuse(`${user.name} is not in ${chat.chatId}`);
  removeMembers(cloud, chat, { users: [user], by, kind });
}

/** Who changes a group if nobody is given: its owner, or else the member who joined first. */
export function ownerOrFirstMember(chat: SimChat): string {
  const openId = chat.ownerId ?? [...chat.members][0];
  if (openId === undefined) throw new Misuse(`nobody is in ${chat.chatId} to change it`);
  return openId;
}

/** A person opens the direct chat with a bot. The first time, the app gets one more event. */
export function openDirectChat(cloud: Cloud, chat: SimChat, user: SimUser): void {
  if (!chat.opened) publishDirectChatCreated(cloud, chat, user);
  chat.opened = true;
  publishChatEntered(cloud, chat, user.openId);
}

/** A person has read the message and those before it. The apps that sent them get an event, once for each message. */
export function markRead(cloud: Cloud, message: SimMessage, by: SimUser): void {
  const chat = cloud.world.chats.get(message.chatId);
  if (chat?.members.has(by.openId) !== true) {
    throw new Misuse(`${by.name} is not in the chat of ${message.messageId}`);
  }
  const seen = chat.messages.slice(0, chat.messages.indexOf(message) + 1);
  const unread = seen.filter(({ readAtMs }) => !readAtMs.has(by.openId));
  for (const { readAtMs } of unread) readAtMs.set(by.openId, cloud.clock.nowMs());
  publishRead(cloud, { by, messages: unread });
  cloud.changes.notify();
}
