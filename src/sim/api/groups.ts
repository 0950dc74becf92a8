import type { Cloud } from '../cloud.ts';
import {
  badChatParameter,
  botIsOff,
  findGroup,
  isManager,
  isOwner,
  notTheOwner,
} from './chat-access.ts';
import { chatDetails, chatOutline } from './chat-object.ts';
import { callerOf, ok, refuse, refuseField, textField } from './http.ts';
import type { Answer, Call, Route } from './http.ts';
import { isAnswer } from './message-access.ts';
import { idTypeOf, unknownIds, type IdType } from './people.ts';
import { CHAT_SETTINGS, settingOf } from '../world/chat-settings.ts';
import { changeGroup, createGroup, dissolveGroup } from './group-changes.ts';
import type { SimApp, SimChat, SimUser } from '../world/model.ts';
import { UuidWindow } from './uuid-window.ts';

const USERS_MAX = 50;
const BOTS_MAX = 5;
const UUID_CHARS_MAX = 50;
/** In this time, the same uuid creates at most one group. */
const UUID_WINDOW_MS = 10 * 3_600_000;
/** What every member may change, if the group's settings allow it. Managers may change everything. */
const FOR_EVERYBODY: ReadonlySet<string> = new Set(['avatar', 'name', 'description', 'i18n_names']);
const UNNAMED = '(无主题)';

/** How bots create, change and dissolve groups. */
export function groupRoutes(cloud: Cloud): readonly Route[] {
  const created = new UuidWindow(() => cloud.clock.nowMs(), UUID_WINDOW_MS);
  const one = '/open-apis/im/v1/chats/:chat_id';
  return [
    {
      method: 'POST',
      path: '/open-apis/im/v1/chats',
      auth: 'tenant',
      scopes: ['im:chat', 'im:chat:create'],
      handle: (call) => create(cloud, call, created),
    },
    {
      method: 'PUT',
      path: one,
      auth: 'tenant',
      scopes: ['im:chat', 'im:chat:update'],
      handle: (call) => update(cloud, call),
    },
    {
      method: 'DELETE',
      path: one,
      auth: 'tenant',
      scopes: ['im:chat', 'im:chat:delete'],
      handle: (call) => dissolve(cloud, call),
    },
  ];
}

function create(cloud: Cloud, call: Call, created: UuidWindow): Answer {
  const app = callerOf(call);
  const idType = idTypeOf(call, 'user_id_type');
  const uuid = call.query.get('uuid') ?? '';
  if (!app.botEnabled) return botIsOff();
  if (uuid.length > UUID_CHARS_MAX) return refuseField('uuid', 'the max length is 50');
  if (idType === undefined) return badChatParameter();
  const plan = planOf(cloud, call, idType);
  if (isAnswer(plan)) return plan;
  const key = `${uuid} ${plan.owner?.openId}`;
  const earlierId = uuid === '' ? undefined : created.find(app.appId, key);
  const earlier = earlierId === undefined ? undefined : cloud.world.chats.get(earlierId);
  const chat = earlier ?? createGroup(cloud, { ...plan, creator: app });
  if (uuid !== '' && earlier === undefined) created.add(app.appId, key, chat.chatId);
  return ok({ chat_id: chat.chatId, ...viewOf(cloud, call, { chat, idType }) });
}

interface Plan {
  readonly name: string;
  readonly description: string;
  readonly messageForm: 'chat' | 'thread';
  readonly owner: SimUser | undefined;
  readonly members: readonly SimUser[];
  readonly bots: readonly SimApp[];
  readonly settings: ReadonlyMap<string, string>;
  readonly isBotManager: boolean;
}

function planOf(cloud: Cloud, call: Call, idType: IdType): Plan | Answer {
  const { body } = call;
  const settings = settingsIn(body);
  const userIds = listOf(body['user_id_list'], USERS_MAX);
  const botIds = listOf(body['bot_id_list'], BOTS_MAX);
  const messageForm = body['group_message_type'] ?? 'chat';
  const isKnown = messageForm === 'chat' || messageForm === 'thread';
  const isGroup = (body['chat_mode'] ?? 'group') === 'group';
  if (settings === undefined || userIds === undefined || botIds === undefined) {
    return badChatParameter();
  }
  if (!isKnown || !isGroup) return badChatParameter();
  const ownerId = textField(body, 'owner_id');
  const find = (id: string) => cloud.world.findUser(idType, id);
  const wanted = ownerId ? [ownerId, ...userIds] : userIds;
  const unknown = wanted.filter((id) => find(id) === undefined);
  if (unknown.length > 0) return unknownIds(idType, unknown);
  const bots = botIds.flatMap((id) => cloud.world.apps.get(id) ?? []);
  if (bots.length < botIds.length) return refuse(232021, 'Bot can NOT be found.');
  const name = textField(body, 'name') ?? '';
  if (settings.get('chat_type') === 'public' && name.length < 2) {
    return refuse(232020, 'Name can NOT be less than two characters for public chats.');
  }
  return {
    name: name === '' ? UNNAMED : name,
    description: textField(body, 'description') ?? '',
    messageForm,
    owner: ownerId ? find(ownerId) : undefined,
    members: wanted.flatMap((id) => find(id) ?? []),
    bots,
    settings,
    isBotManager: call.query.get('set_bot_manager') === 'true',
  };
}

function update(cloud: Cloud, call: Call): Answer {
  const app = callerOf(call);
  const idType = idTypeOf(call, 'user_id_type');
  const chat = findGroup(cloud, call);
  if (isAnswer(chat)) return chat;
  const settings = settingsIn(call.body);
  if (idType === undefined || settings === undefined) return badChatParameter();
  const refusal = changeRefusal(app, chat, Object.keys(call.body));
  if (refusal !== undefined) return refusal;
  const ownerId = textField(call.body, 'owner_id');
  const owner = ownerId ? cloud.world.findUser(idType, ownerId) : undefined;
  if (ownerId && owner === undefined) {
    return refuse(232035, 'Your request specifies an owner_id which is invalid.');
  }
  if (owner !== undefined && !chat.members.has(owner.openId)) {
    return refuse(232012, 'New chat owner can NOT be out of the chat.');
  }
  const name = textField(call.body, 'name');
  const description = textField(call.body, 'description');
  const by = { kind: 'app', appId: app.appId } as const;
  changeGroup(cloud, chat, { name, description, owner, settings }, by);
  return ok({});
}

function changeRefusal(app: SimApp, chat: SimChat, names: readonly string[]): Answer | undefined {
  if (isManager(app, chat)) return undefined;
  if (settingOf(chat, 'edit_permission') !== 'all_members') {
    return refuse(
      232002,
      'No Permission: Only chat owner or admin can edit chat information in the current situation.',
    );
  }
  if (names.every((name) => FOR_EVERYBODY.has(name))) return undefined;
  return refuse(232016, 'Non-chat-owner or Non-chat-admin can only edit certain parts.');
}

function dissolve(cloud: Cloud, call: Call): Answer {
  const app = callerOf(call);
  const chat = findGroup(cloud, call);
  if (isAnswer(chat)) return chat;
  if (!isOwner(app, chat)) return notTheOwner();
  dissolveGroup(cloud, chat, { kind: 'app', appId: app.appId });
  return ok({});
}

/** Without the counts of members. Only `get` has them. */
function viewOf(
  cloud: Cloud,
  call: Call,
  { chat, idType }: { readonly chat: SimChat; readonly idType: IdType },
) {
  const { avatar, name } = chatOutline(cloud, call, chat);
  return { avatar, name, ...chatDetails(cloud, chat, idType) };
}

/** Undefined if a setting has an impossible value. */
function settingsIn(body: Readonly<Record<string, unknown>>): Map<string, string> | undefined {
  const settings = new Map<string, string>();
  for (const [name, values] of Object.entries(CHAT_SETTINGS)) {
    const value = body[name];
    if (value === undefined || value === null) continue;
    if (typeof value !== 'string' || !values.includes(value)) return undefined;
    settings.set(name, value);
  }
  return settings;
}

/** Undefined if it is not a list of ids, or is too long. */
function listOf(value: unknown, countMax: number): readonly string[] | undefined {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > countMax) return undefined;
  return value.every((id) => typeof id === 'string') ? value : undefined;
}
