import type { Cloud } from '../cloud.ts';
import { invalidParameter } from './content.ts';
import { callerOf, ok, refuse, type Answer, type Call, type Route } from './http.ts';
import { findMessage, isAnswer, isOwn } from './message-access.ts';
import { pageOf } from './paging.ts';
import { idOf, idTypeOf } from './people.ts';

const KNOWN_FOR_MS = 7 * 24 * 3_600_000;

/** Who has read a message of the bot. */
export function messageReaderRoutes(cloud: Cloud): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/open-apis/im/v1/messages/:message_id/read_users',
      auth: 'tenant',
      scopes: ['im:message', 'im:message:readonly', 'im:message:basic'],
      handle: (call) => readUsers(cloud, call),
    },
  ];
}

function readUsers(cloud: Cloud, call: Call): Answer {
  const app = callerOf(call);
  const idType = idTypeOf(call, 'user_id_type');
  if (idType === undefined) return invalidParameter('invalid user_id_type');
  const found = findMessage(cloud, app, call.params['message_id'] ?? '');
  if (isAnswer(found)) return found;
  const { message } = found;
  if (!isOwn(app, message)) return refuse(230012, 'Bot is NOT the sender of the message.');
  if (cloud.clock.nowMs() - message.createdAtMs > KNOWN_FOR_MS) {
    return refuse(
      230033,
      'Get the reading status must be done within 7 days after the message is sent.',
    );
  }
  const readers = [...message.readAtMs].flatMap(([openId, atMs]) => {
    const user = cloud.world.users.get(openId);
    return user === undefined ? [] : [{ user, atMs }];
  });
  const page = pageOf(call, readers);
  if (page === undefined) return invalidParameter('invalid page_size or page_token');
  const items = page.items.map(({ user, atMs }) => ({
    user_id_type: idType,
    user_id: idOf(user, idType),
    timestamp: String(atMs),
    tenant_key: user.tenantKey,
  }));
  return ok({ ...page, items });
}
