import type { Cloud } from '../cloud.ts';
import {
  badChatParameter,
  botIsOff,
  CHAT_SCOPES,
  dissolved,
  notInChat,
  unknownChat,
} from './chat-access.ts';
import { chatDetails, chatListItem, chatOutline } from './chat-object.ts';
import {
  callerOf,
  ok,
  originOf,
  refuse,
  textField,
  type Answer,
  type Call,
  type Route,
} from './http.ts';
import { pageOf } from './paging.ts';
import { idList, idTypeOf } from './people.ts';
import { settingOf } from '../world/chat-settings.ts';
import type { SimChat } from '../world/model.ts';

const CHATS = '/open-apis/im/v1/chats';
const BATCH_IDS_MAX = 50;
const DAY_MS = 24 * 3_600_000;
const LINK_LIFE_MS: ReadonlyMap<string, number> = new Map([
  ['week', 7 * DAY_MS],
  ['year', 365 * DAY_MS],
  ['permanently', Infinity],
]);

/** Reading chats. */
export function chatRoutes(cloud: Cloud): readonly Route[] {
  const reading = { auth: 'tenant', scopes: CHAT_SCOPES } as const;
  return [
    { ...reading, method: 'GET', path: CHATS, handle: (call) => listChats(cloud, call) },
    {
      ...reading,
      method: 'GET',
      path: `${CHATS}/search`,
      handle: (call) => searchChats(cloud, call),
    },
    {
      ...reading,
      method: 'GET',
      path: `${CHATS}/:chat_id`,
      handle: (call) => getChat(cloud, call),
    },
    {
      ...reading,
      method: 'POST',
      path: `${CHATS}/batch_query`,
      handle: (call) => queryChats(cloud, call),
    },
    {
      ...reading,
      method: 'POST',
      path: '/open-apis/im/v1/chat_p2p/batch_query',
      handle: (call) => queryDirectChats(cloud, call),
    },
    {
      ...reading,
      method: 'POST',
      path: `${CHATS}/:chat_id/link`,
      handle: (call) => shareLink(cloud, call),
    },
  ];
}

/** Only groups. Direct chats are never listed. */
function listChats(cloud: Cloud, call: Call): Answer {
  const app = callerOf(call);
  const sort = call.query.get('sort_type') ?? 'ByCreateTimeAsc';
  if (sort !== 'ByCreateTimeAsc' && sort !== 'ByActiveTimeDesc') return badChatParameter();
  const chats = groupsOf(cloud).filter((chat) => chat.bots.has(app.appId));
  if (sort === 'ByActiveTimeDesc') chats.sort((a, b) => lastPosition(b) - lastPosition(a));
  return chatPage(cloud, call, chats);
}

/** The bot's groups, and public ones, whose name contains the query. An empty query finds nothing. */
function searchChats(cloud: Cloud, call: Call): Answer {
  const app = callerOf(call);
  const words = (call.query.get('query') ?? '').toLowerCase();
  const found = groupsOf(cloud).filter((chat) => {
    const isVisible = chat.bots.has(app.appId) || settingOf(chat, 'chat_type') === 'public';
    return words !== '' && !chat.dissolved && isVisible && chat.name.toLowerCase().includes(words);
  });
  return chatPage(cloud, call, found);
}

function chatPage(cloud: Cloud, call: Call, chats: readonly SimChat[]): Answer {
  const idType = idTypeOf(call, 'user_id_type');
  const page = pageOf(call, chats);
  if (idType === undefined || page === undefined) return badChatParameter();
  const items = page.items.map((chat) => chatListItem(cloud, call, { chat, idType }));
  return ok({ ...page, items });
}

function getChat(cloud: Cloud, call: Call): Answer {
  const app = callerOf(call);
  const chat = cloud.world.chats.get(call.params['chat_id'] ?? '');
  const idType = idTypeOf(call, 'user_id_type');
  if (idType === undefined) return badChatParameter();
  if (chat === undefined) return unknownChat();
  const outline = chatOutline(cloud, call, chat);
  if (chat.bots.has(app.appId)) return ok({ ...outline, ...chatDetails(cloud, chat, idType) });
  // Bots outside a group see its outline. Bots outside a direct chat see nothing.
  return chat.mode === 'p2p' ? notInChat() : ok(outline);
}

/** Chats that the bot is not in are left out. */
function queryChats(cloud: Cloud, call: Call): Answer {
  const app = callerOf(call);
  const idType = idTypeOf(call, 'user_id_type');
  const ids = idList(call.body['chat_ids'], BATCH_IDS_MAX);
  if (idType === undefined || ids === undefined) return badChatParameter();
  const chats = ids.flatMap((id) => cloud.world.chats.get(id) ?? []);
  const items = chats
    .filter((chat) => chat.bots.has(app.appId))
    .map((chat) => {
      const [partner] = chat.members;
      return {
        chat_id: chat.chatId,
        ...chatOutline(cloud, call, chat),
        ...chatDetails(cloud, chat, idType),
        ...(chat.mode === 'p2p' && { p2p_target_type: 'user', p2p_target_id: partner }),
      };
    });
  return ok({ items });
}

/** The direct chats of the bot with these people. People without one are left out. */
function queryDirectChats(cloud: Cloud, call: Call): Answer {
  const app = callerOf(call);
  const idType = idTypeOf(call, 'chatter_id_type');
  const ids = idList(call.body['chatter_ids'], BATCH_IDS_MAX);
  if (idType === undefined || ids === undefined) return badChatParameter();
  const direct = [...cloud.world.chats.values()].filter(
    (chat) => chat.mode === 'p2p' && chat.bots.has(app.appId),
  );
  const chats = ids.flatMap((id) => {
    const user = cloud.world.findUser(idType, id);
    const chat = direct.find(({ members }) => user !== undefined && members.has(user.openId));
    return chat === undefined ? [] : [{ chat_id: chat.chatId, chatter_id: id }];
  });
  return ok({ p2p_chats: chats });
}

/** In the simulator nobody can join a chat by this link. */
function shareLink(cloud: Cloud, call: Call): Answer {
  const app = callerOf(call);
  const chat = cloud.world.chats.get(call.params['chat_id'] ?? '');
  const lifeMs = LINK_LIFE_MS.get(textField(call.body, 'validity_period') ?? 'week');
  if (lifeMs === undefined) return badChatParameter();
  if (!app.botEnabled) return botIsOff();
  if (chat === undefined) return unknownChat();
  if (chat.dissolved) return dissolved();
  if (!chat.bots.has(app.appId)) return notInChat();
  if (chat.mode === 'p2p') return refuse(232062, 'P2P chat cannot be share link.');
  const isPermanent = lifeMs === Infinity;
  const endsAtMs = cloud.clock.nowMs() + lifeMs;
  return ok({
    share_link: `${originOf(cloud.baseUrl, call.headers)}/client/chat/chatter/add_by_link?link_token=${cloud.world.ids.uuid()}`,
    expire_time: isPermanent ? '' : String(Math.floor(endsAtMs / 1_000)),
    is_permanent: isPermanent,
  });
}

function groupsOf(cloud: Cloud): SimChat[] {
  return [...cloud.world.chats.values()].filter((chat) => chat.mode !== 'p2p');
}

function lastPosition(chat: SimChat): number {
  return chat.messages.at(-1)?.position ?? 0;
}
