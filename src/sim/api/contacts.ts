import type { Cloud } from '../cloud.ts';
import { avatarUrl } from './avatars.ts';
import { callerOf, ok, refuse, type Answer, type Call, type Route } from './http.ts';
import type { SimChat, SimUser } from '../world/model.ts';
import { SCOPE_USER_ID } from './scopes.ts';

type IdType = 'open_id' | 'union_id' | 'user_id';

const CONTACT_SCOPES = [
  'contact:contact.base:readonly',
  'contact:contact:access_as_app',
  'contact:contact:readonly',
  'contact:contact:readonly_as_app',
] as const;
/** Without one of these, a user comes without a name. */
const NAME_SCOPES = ['contact:user.base:readonly', ...CONTACT_SCOPES.slice(1)];
const CHAT_SCOPES = ['im:chat', 'im:chat:read', 'im:chat:readonly', 'im:chat.group_info:readonly'];
const BASIC_BATCH_LIMIT = { hitsMax: 5, windowMs: 1_000 };
const BASIC_BATCH_IDS_MAX = 10;
const PAGE_SIZE = 20;
const PAGE_SIZE_MAX = 100;

/** People and chats, as an app may see them. */
export function contactRoutes(cloud: Cloud): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/open-apis/contact/v3/users/:user_id',
      auth: 'tenant',
      scopes: CONTACT_SCOPES,
      handle: (call) => getUser(cloud, call),
    },
    {
      method: 'POST',
      path: '/open-apis/contact/v3/users/basic_batch',
      auth: 'tenant',
      scopes: ['contact:user.basic_profile:readonly'],
      handle: (call) => basicBatch(cloud, call),
    },
    {
      method: 'GET',
      path: '/open-apis/im/v1/chats',
      auth: 'tenant',
      scopes: CHAT_SCOPES,
      handle: (call) => listChats(cloud, call),
    },
    {
      method: 'GET',
      path: '/open-apis/im/v1/chats/:chat_id',
      auth: 'tenant',
      scopes: CHAT_SCOPES,
      handle: (call) => getChat(cloud, call),
    },
    {
      method: 'GET',
      path: '/open-apis/im/v1/chats/:chat_id/members',
      auth: 'tenant',
      scopes: [...CHAT_SCOPES, 'im:chat.members:read'],
      handle: (call) => listMembers(cloud, call),
    },
  ];
}

function getUser(cloud: Cloud, call: Call): Answer {
  const app = callerOf(call);
  const idType = idTypeOf(call, 'user_id_type');
  if (idType === undefined) return refuse(40001, 'invalid parameter');
  const user = cloud.world.findUser(idType, call.params['user_id'] ?? '');
  if (user === undefined) return refuse(41050, 'no user authority error');
  const avatar = avatarUrl(cloud, call, user.openId);
  return ok({
    user: {
      open_id: user.openId,
      union_id: user.unionId,
      ...(app.scopes.has(SCOPE_USER_ID) && { user_id: user.userId }),
      ...(NAME_SCOPES.some((scope) => app.scopes.has(scope)) && {
        name: user.name,
        en_name: '',
        nickname: '',
        avatar: {
          avatar_72: avatar,
          avatar_240: avatar,
          avatar_640: avatar,
          avatar_origin: avatar,
        },
      }),
      mobile_visible: false,
    },
  });
}

function basicBatch(cloud: Cloud, call: Call): Answer {
  const app = callerOf(call);
  const waitMs = cloud.limits.take(`basic_batch ${app.appId}`, BASIC_BATCH_LIMIT);
  if (waitMs > 0) {
    return refuse(99991400, 'request trigger frequency limit', {
      status: 429,
      headers: {
        'x-ogw-ratelimit-limit': String(BASIC_BATCH_LIMIT.hitsMax),
        'x-ogw-ratelimit-reset': String(Math.ceil(waitMs / 1_000)),
      },
    });
  }
  const idType = idTypeOf(call, 'user_id_type');
  const ids = call.body['user_ids'];
  if (idType === undefined || !isIdList(ids)) return refuse(40001, 'param is invalid');
  const users = ids.flatMap((id) => {
    const user = cloud.world.findUser(idType, id);
    if (user === undefined) return [];
    const { name } = user;
    return [{ user_id: id, name, i18n_name: { zh_cn: name, en_us: name, ja_jp: name } }];
  });
  return ok({ users });
}

/** Groups only: direct chats are never listed. */
function listChats(cloud: Cloud, call: Call): Answer {
  const app = callerOf(call);
  const idType = idTypeOf(call, 'user_id_type');
  const sort = call.query.get('sort_type') ?? 'ByCreateTimeAsc';
  const known = sort === 'ByCreateTimeAsc' || sort === 'ByActiveTimeDesc';
  if (idType === undefined || !known) return badParameter();
  const chats = [...cloud.world.chats.values()].filter(
    (chat) => chat.mode !== 'p2p' && chat.bots.has(app.appId),
  );
  if (sort === 'ByActiveTimeDesc') chats.sort((a, b) => lastPosition(b) - lastPosition(a));
  const page = pageOf(call, chats);
  if (page === undefined) return badParameter();
  return ok({
    ...page,
    items: page.items.map((chat) => ({
      chat_id: chat.chatId,
      avatar: avatarUrl(cloud, call, chat.chatId),
      name: chat.name,
      description: chat.description,
      ...ownerOf(cloud, chat, idType),
      external: false,
      tenant_key: chat.tenantKey,
      chat_status: statusOf(chat),
    })),
  });
}

function getChat(cloud: Cloud, call: Call): Answer {
  const app = callerOf(call);
  const chat = cloud.world.chats.get(call.params['chat_id'] ?? '');
  const idType = idTypeOf(call, 'user_id_type');
  if (idType === undefined) return badParameter();
  if (chat === undefined) return unknownChat();
  const outline = {
    avatar: avatarUrl(cloud, call, chat.chatId),
    ...(chat.name !== '' && { name: chat.name }),
    user_count: String(chat.members.size),
    bot_count: String(chat.bots.size),
    chat_status: statusOf(chat),
  };
  if (chat.bots.has(app.appId)) {
    return ok({ ...outline, ...detailsOf(cloud, chat, idType) });
  }
  // Strangers see a group's outline; a direct chat is nobody else's business.
  return chat.mode === 'p2p' ? outOfChat() : ok(outline);
}

function detailsOf(cloud: Cloud, chat: SimChat, idType: IdType): Record<string, unknown> {
  const shared = {
    description: chat.description,
    chat_mode: chat.mode,
    external: false,
    tenant_key: chat.tenantKey,
    edit_permission: 'all_members',
    moderation_permission: 'all_members',
  };
  if (chat.mode === 'p2p') return shared;
  return {
    ...shared,
    ...(chat.mode === 'group' && { group_message_type: chat.messageForm }),
    ...ownerOf(cloud, chat, idType),
    chat_type: 'private',
    chat_tag: 'inner',
    add_member_permission: 'all_members',
    share_card_permission: 'allowed',
    at_all_permission: 'all_members',
    membership_approval: 'no_approval_required',
    join_message_visibility: 'all_members',
    leave_message_visibility: 'all_members',
    user_manager_id_list: [],
    bot_manager_id_list: [],
  };
}

/** People only: bots are left out. */
function listMembers(cloud: Cloud, call: Call): Answer {
  const chat = cloud.world.chats.get(call.params['chat_id'] ?? '');
  const idType = idTypeOf(call, 'member_id_type');
  if (idType === undefined) return badParameter();
  if (chat === undefined) return unknownChat();
  if (chat.dissolved) {
    return refuse(232009, 'Your request specifies a chat which has already been dissolved.');
  }
  if (!chat.bots.has(callerOf(call).appId)) return outOfChat();
  const members = [...chat.members].flatMap((id) => cloud.world.users.get(id) ?? []);
  const page = pageOf(call, members);
  if (page === undefined) return badParameter();
  return ok({
    ...page,
    items: page.items.map((user) => ({
      member_id_type: idType,
      member_id: idOf(user, idType),
      name: user.name,
      tenant_key: user.tenantKey,
    })),
    member_total: members.length,
  });
}

/** Absent when a bot owns the chat, and in direct chats. */
function ownerOf(cloud: Cloud, chat: SimChat, idType: IdType): Record<string, string> {
  const owner = cloud.world.users.get(chat.ownerId ?? '');
  return owner === undefined ? {} : { owner_id: idOf(owner, idType), owner_id_type: idType };
}

interface Page<T> {
  readonly items: readonly T[];
  readonly has_more: boolean;
  readonly page_token?: string;
}

/** One page of a list; undefined: the page parameters make no sense. The token is opaque to clients. */
function pageOf<T>(call: Call, all: readonly T[]): Page<T> | undefined {
  const size = Number(call.query.get('page_size') ?? PAGE_SIZE);
  const token = call.query.get('page_token') ?? '';
  const from = token === '' ? 0 : Number(Buffer.from(token, 'base64url').toString());
  if (!Number.isInteger(size) || size < 1 || size > PAGE_SIZE_MAX) return undefined;
  if (!Number.isInteger(from) || from < 0) return undefined;
  const to = from + size;
  const items = all.slice(from, to);
  if (to >= all.length) return { items, has_more: false };
  return { items, has_more: true, page_token: Buffer.from(String(to)).toString('base64url') };
}

function idTypeOf(call: Call, name: string): IdType | undefined {
  const idType = call.query.get(name) ?? 'open_id';
  return idType === 'open_id' || idType === 'union_id' || idType === 'user_id' ? idType : undefined;
}

function idOf(user: SimUser, idType: IdType): string {
  return { open_id: user.openId, union_id: user.unionId, user_id: user.userId }[idType];
}

function isIdList(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length >= 1 &&
    value.length <= BASIC_BATCH_IDS_MAX &&
    value.every((id) => typeof id === 'string')
  );
}

function lastPosition(chat: SimChat): number {
  return chat.messages.at(-1)?.position ?? 0;
}

function statusOf(chat: SimChat): string {
  return chat.dissolved ? 'dissolved' : 'normal';
}

function badParameter(): Answer {
  return refuse(232001, 'Your request contains an invalid request parameter.');
}

function unknownChat(): Answer {
  return refuse(232006, 'Your request specifies a chat_id which is invalid.');
}

function outOfChat(): Answer {
  return refuse(232011, 'Operator can NOT be out of the chat.');
}
