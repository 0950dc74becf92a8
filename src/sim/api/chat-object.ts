import type { Cloud } from '../cloud.ts';
import { avatarUrl } from './avatars.ts';
import type { Call } from './http.ts';
import { idOf, type IdType } from './people.ts';
import { settingsOf } from '../world/chat-settings.ts';
import type { SimChat } from '../world/model.ts';

type Fields = Record<string, unknown>;

/** What bots outside a group may see of it. */
export function chatOutline(cloud: Cloud, call: Call, chat: SimChat): Fields {
  return {
    avatar: avatarUrl(cloud, call, chat.chatId),
    ...(chat.name !== '' && { name: chat.name }),
    user_count: String(chat.members.size),
    bot_count: String(chat.bots.size),
    chat_status: statusOf(chat),
  };
}

/** What bots in the chat see in addition. */
export function chatDetails(cloud: Cloud, chat: SimChat, idType: IdType): Fields {
  const settings = settingsOf(chat);
  const shared = {
    description: chat.description,
    chat_mode: chat.mode,
    external: cloud.world.isExternal(chat),
    tenant_key: chat.tenantKey,
    edit_permission: settings['edit_permission'],
    moderation_permission: settings['moderation_permission'],
  };
  if (chat.mode === 'p2p') return shared;
  return {
    ...shared,
    ...(chat.mode === 'group' && { group_message_type: chat.messageForm }),
    ...ownerOf(cloud, chat, idType),
    ...settings,
    chat_tag: 'inner',
    user_manager_id_list: [],
    bot_manager_id_list: [...chat.botManagers],
  };
}

/** An item of a list of chats. */
export function chatListItem(
  cloud: Cloud,
  call: Call,
  { chat, idType }: { readonly chat: SimChat; readonly idType: IdType },
): Fields {
  return {
    chat_id: chat.chatId,
    avatar: avatarUrl(cloud, call, chat.chatId),
    name: chat.name,
    description: chat.description,
    ...ownerOf(cloud, chat, idType),
    external: cloud.world.isExternal(chat),
    tenant_key: chat.tenantKey,
    chat_status: statusOf(chat),
  };
}

/** Absent if a bot owns the chat, and in direct chats. */
function ownerOf(cloud: Cloud, chat: SimChat, idType: IdType): Record<string, string> {
  const owner = cloud.world.users.get(chat.ownerId ?? '');
  return owner === undefined ? {} : { owner_id: idOf(owner, idType), owner_id_type: idType };
}

function statusOf(chat: SimChat): string {
  return chat.dissolved ? 'dissolved' : 'normal';
}
