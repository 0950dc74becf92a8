import type { Cloud } from '../cloud.ts';
import { avatarUrl } from './avatars.ts';
import { callerOf, ok, refuse, type Answer, type Call, type Route } from './http.ts';
import { idList, queryList } from './people.ts';

const BASIC_BATCH_IDS_MAX = 50;

/** The bot itself, other bots by id, and how many connections the bot has. */
export function botRoutes(cloud: Cloud): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/open-apis/bot/v3/info',
      auth: 'tenant',
      handle: (call) => {
        const app = callerOf(call);
        if (!app.botEnabled) return refuse(11205, 'app do not have bot');
        const bot = {
          activate_status: 2,
          app_name: app.name,
          avatar_url: avatarUrl(cloud, call, app.appId),
          ip_white_list: [],
          open_id: app.botOpenId,
        };
        return { status: 200, body: { code: 0, msg: 'ok', bot } };
      },
    },
    {
      method: 'GET',
      path: '/open-apis/bot/v3/bots/basic_batch',
      auth: 'tenant',
      scopes: ['application:bot.basic_info:read'],
      handle: (call) => basicBatch(cloud, call),
    },
    {
      method: 'GET',
      path: '/open-apis/event/v1/connection',
      auth: 'tenant',
      handle: (call) => ok({ online_instance_cnt: cloud.connections.count(callerOf(call).appId) }),
    },
  ];
}

/** Names of bots by open id. */
function basicBatch(cloud: Cloud, call: Call): Answer {
  const ids = idList(queryList(call, 'bot_ids'), BASIC_BATCH_IDS_MAX);
  if (ids === undefined) return refuse(40001, 'param is invalid');
  const bots = ids.flatMap((id) => {
    const name = cloud.world.findBot(id)?.name;
    if (name === undefined) return [];
    return [[id, { bot_id: id, name, i18n_names: { zh_cn: name, en_us: name } }] as const];
  });
  const failed = ids
    .filter((id) => cloud.world.findBot(id) === undefined)
    .map((id) => [id, { code: 20002, reason: 'bot not found' }] as const);
  return ok({ bots: Object.fromEntries(bots), failed_bots: Object.fromEntries(failed) });
}
