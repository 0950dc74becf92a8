import type { Cloud } from '../cloud.ts';
import { avatarUrl } from './avatars.ts';
import { callerOf, ok, refuse, type Route } from './http.ts';

/** Who the bot is, and how many connections it has. */
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
      path: '/open-apis/event/v1/connection',
      auth: 'tenant',
      handle: (call) => ok({ online_instance_cnt: cloud.connections.count(callerOf(call).appId) }),
    },
  ];
}
