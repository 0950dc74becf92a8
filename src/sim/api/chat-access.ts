import type { Cloud } from '../cloud.ts';
import { refuse, type Answer, type Call, callerOf } from './http.ts';
import type { SimApp, SimChat } from '../world/model.ts';

/** An app with one of these may read chats. */
export const CHAT_SCOPES = [
  'im:chat',
  'im:chat:read',
  'im:chat:readonly',
  'im:chat.group_info:readonly',
] as const;

/** With it, a bot has the rights of the owner in groups that it created. */
const SCOPE_AS_OWNER = 'im:chat:operate_as_owner';

/** The group of a call's path, if the calling bot is in it; otherwise the refusal. */
export function findGroup(cloud: Cloud, call: Call): SimChat | Answer {
  const app = callerOf(call);
  const chat = cloud.world.chats.get(call.params['chat_id'] ?? '');
  if (!app.botEnabled) return botIsOff();
  if (chat === undefined) return unknownChat();
  if (chat.dissolved) return dissolved();
  if (!chat.bots.has(app.appId)) return notInChat();
  if (chat.mode !== 'p2p') return chat;
  return refuse(232008, 'Your request specifies a chat whose type is NOT supported currently.');
}

/** True if this bot may dissolve the group. */
export function isOwner(app: SimApp, chat: SimChat): boolean {
  const asOwner = chat.creatorAppId === app.appId && app.scopes.has(SCOPE_AS_OWNER);
  return chat.ownerAppId === app.appId || asOwner;
}

/** True if this bot may change everything in the group. */
export function isManager(app: SimApp, chat: SimChat): boolean {
  return isOwner(app, chat) || chat.botManagers.has(app.appId);
}

export function botIsOff(): Answer {
  return refuse(232025, 'Bot ability is not activated.');
}

export function badChatParameter(): Answer {
  return refuse(232001, 'Your request contains an invalid request parameter.');
}

export function unknownChat(): Answer {
  return refuse(232006, 'Your request specifies a chat_id which is invalid.');
}

export function dissolved(): Answer {
  return refuse(232009, 'Your request specifies a chat which has already been dissolved.');
}

export function notInChat(): Answer {
  return refuse(232011, 'Operator can NOT be out of the chat.');
}

export function notTheOwner(): Answer {
  return refuse(
    232017,
    'No Permission: If the operator is NOT owner or creator with the scope, the operator can NOT complete the request.',
  );
}
