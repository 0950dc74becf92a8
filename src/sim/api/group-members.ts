import type { Cloud } from '../cloud.ts';
import {
  badChatParameter,
  CHAT_SCOPES,
  dissolved,
  findGroup,
  isManager,
  notTheOwner,
  notInChat,
  unknownChat,
} from './chat-access.ts';
import { callerOf, ok, refuse, type Answer, type Call, type Route } from './http.ts';
import { isAnswer } from './message-access.ts';
import { pageOf } from './paging.ts';
import { idList, idOf, idTypeOf, unknownIds } from './people.ts';
import { settingOf } from '../world/chat-settings.ts';
import { addMembers, removeMembers, setBot } from './group-changes.ts';
import type { SimChat } from '../world/model.ts';

const USERS_MAX = 50;
const BOTS_MAX = 5;
const BOTS_IN_GROUP_MAX = 15;

/** The members of a group, and how bots add and remove people and other bots. */
export function groupMemberRoutes(cloud: Cloud): readonly Route[] {
  const path = '/open-apis/im/v1/chats/:chat_id/members';
  const reading = {
    method: 'GET',
    auth: 'tenant',
    scopes: [...CHAT_SCOPES, 'im:chat.members:read'],
  } as const;
  const writing = { auth: 'tenant', scopes: ['im:chat', 'im:chat.members:write_only'] } as const;
  return [
    { ...reading, path, handle: (call) => listMembers(cloud, call) },
    { ...reading, path: `${path}/bots`, handle: (call) => listBots(cloud, call) },
    { ...reading, path: `${path}/is_in_chat`, handle: (call) => isInChat(cloud, call) },
    { ...writing, method: 'POST', path, handle: (call) => add(cloud, call) },
    { ...writing, method: 'DELETE', path, handle: (call) => remove(cloud, call) },
  ];
}

/** Only people. Bots are left out. */
function listMembers(cloud: Cloud, call: Call): Answer {
  const idType = idTypeOf(call, 'member_id_type');
  if (idType === undefined) return badChatParameter();
  const chat = findChat(cloud, call);
  if (isAnswer(chat)) return chat;
  const members = [...chat.members].flatMap((id) => cloud.world.users.get(id) ?? []);
  const page = pageOf(call, members);
  if (page === undefined) return badChatParameter();
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

/** Id and name are there under two pairs of field names: clients read the one or the other. */
function listBots(cloud: Cloud, call: Call): Answer {
  const chat = findChat(cloud, call);
  if (isAnswer(chat)) return chat;
  const bots = [...chat.bots].flatMap((appId) => cloud.world.apps.get(appId) ?? []);
  const items = bots.map(({ botOpenId, name, tenantKey }) => ({
    bot_id: botOpenId,
    bot_name: name,
    open_id: botOpenId,
    name,
    tenant_key: tenantKey,
  }));
  return ok({ items, has_more: false });
}

function isInChat(cloud: Cloud, call: Call): Answer {
  const chat = cloud.world.chats.get(call.params['chat_id'] ?? '');
  if (chat === undefined) return unknownChat();
  if (chat.dissolved) return dissolved();
  return ok({ is_in_chat: chat.bots.has(callerOf(call).appId) });
}

function findChat(cloud: Cloud, call: Call): SimChat | Answer {
  const chat = cloud.world.chats.get(call.params['chat_id'] ?? '');
  if (chat === undefined) return unknownChat();
  if (chat.dissolved) return dissolved();
  return chat.bots.has(callerOf(call).appId) ? chat : notInChat();
}

function add(cloud: Cloud, call: Call): Answer {
  const app = callerOf(call);
  const chat = findGroup(cloud, call);
  if (isAnswer(chat)) return chat;
  if (settingOf(chat, 'add_member_permission') !== 'all_members' && !isManager(app, chat)) {
    return notTheOwner();
  }
  const isLenient = call.query.get('succeed_type') === '1';
  const by = { kind: 'app', appId: app.appId } as const;
  if (call.query.get('member_id_type') === 'app_id') {
    const ids = idList(call.body['id_list'], BOTS_MAX);
    if (ids === undefined) return noMembers();
    const bots = ids.flatMap((id) => cloud.world.apps.get(id) ?? []);
    const unknown = ids.filter((id) => !cloud.world.apps.has(id));
    if (unknown.length > 0 && !isLenient) return unavailable();
    const count = new Set([...chat.bots, ...bots.map(({ appId }) => appId)]).size;
    if (count > BOTS_IN_GROUP_MAX) return tooMany();
    for (const bot of bots) setBot(cloud, chat, { app: bot, by, isIn: true });
    return added(unknown);
  }
  const idType = idTypeOf(call, 'member_id_type');
  const ids = idList(call.body['id_list'], USERS_MAX);
  if (idType === undefined) return badChatParameter();
  if (ids === undefined) return noMembers();
  const users = ids.flatMap((id) => cloud.world.findUser(idType, id) ?? []);
  const unknown = ids.filter((id) => cloud.world.findUser(idType, id) === undefined);
  if (unknown.length > 0 && !isLenient) return unknownIds(idType, unknown);
  addMembers(cloud, chat, { users, by });
  return added(unknown);
}

/** A bot may always leave. To remove others, it must manage the group. */
function remove(cloud: Cloud, call: Call): Answer {
  const app = callerOf(call);
  const chat = findGroup(cloud, call);
  if (isAnswer(chat)) return chat;
  const by = { kind: 'app', appId: app.appId } as const;
  if (call.query.get('member_id_type') === 'app_id') {
    const ids = idList(call.body['id_list'], BOTS_MAX);
    if (ids === undefined) return noMembers();
    const isLeaving = ids.every((id) => id === app.appId);
    if (!isLeaving && !isManager(app, chat)) return noPermission();
    const bots = ids.flatMap((id) => cloud.world.apps.get(id) ?? []);
    const invalid = ids.filter((id) => !chat.bots.has(id));
    for (const bot of bots) setBot(cloud, chat, { app: bot, by, isIn: false });
    return ok({ invalid_id_list: invalid });
  }
  const idType = idTypeOf(call, 'member_id_type');
  const ids = idList(call.body['id_list'], USERS_MAX);
  if (idType === undefined) return badChatParameter();
  if (ids === undefined) return noMembers();
  if (!isManager(app, chat)) return noPermission();
  const users = ids.flatMap((id) => cloud.world.findUser(idType, id) ?? []);
  if (users.some(({ openId }) => openId === chat.ownerId)) {
    return refuse(232076, "Can't kick chat owner.");
  }
  const isMember = (id: string) => {
    const user = cloud.world.findUser(idType, id);
    return user !== undefined && chat.members.has(user.openId);
  };
  const invalid = ids.filter((id) => !isMember(id));
  removeMembers(cloud, chat, { users, by });
  return ok({ invalid_id_list: invalid });
}

function added(notExisted: readonly string[]): Answer {
  return ok({
    invalid_id_list: [],
    not_existed_id_list: notExisted,
    pending_approval_id_list: [],
  });
}

function noMembers(): Answer {
  return refuse(232027, 'There are no valid members in the ID list specified in your request.');
}

function unavailable(): Answer {
  return refuse(232043, 'Your request contains unavailable ids.');
}

function tooMany(): Answer {
  return refuse(232013, 'You have reached the limit of maximum number of members a chat can have.');
}

function noPermission(): Answer {
  return refuse(
    232014,
    'The token used in the request does NOT have the permissions necessary to complete the request.',
  );
}
