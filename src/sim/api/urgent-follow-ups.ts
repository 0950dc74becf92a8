import type { Cloud } from '../cloud.ts';
import { invalidParameter } from './content.ts';
import { callerOf, ok, refuse, textField } from './http.ts';
import type { Answer, Call, Route } from './http.ts';
import { isJsonObject } from '../world/json.ts';
import { findMessage, isAnswer, isOwn } from './message-access.ts';
import { userIdOf } from './message-object.ts';
import type { UserIdType } from '../world/requests.ts';

const FOLLOW_UP_WITHIN_MS = 600_000;
const FOLLOW_UPS_MAX = 3;
const FOLLOW_UP_CHARS_MAX = 200;

/** Urgent notices ("buzz") about an own message, and follow-ups: bubbles with suggested answers. */
export function urgentFollowUpRoutes(cloud: Cloud): readonly Route[] {
  const one = '/open-apis/im/v1/messages/:message_id';
  return [
    {
      method: 'PATCH',
      path: `${one}/urgent_app`,
      auth: 'tenant',
      handle: (call) => buzz(cloud, call),
    },
    {
      method: 'POST',
      path: `${one}/push_follow_up`,
      auth: 'tenant',
      scopes: ['im:message', 'im:message:send_as_bot'],
      handle: (call) => suggest(cloud, call),
    },
  ];
}

function buzz(cloud: Cloud, call: Call): Answer {
  const app = callerOf(call);
  const found = findMessage(cloud, app, call.params['message_id'] ?? '');
  if (isAnswer(found)) return found;
  const { message, chat } = found;
  if (!isOwn(app, message)) return refuse(230012, 'Bot is NOT the sender of the message.');
  const ids = call.body['user_id_list'];
  if (!Array.isArray(ids) || ids.length === 0) return invalidParameter('user_id_list is empty');
  const idType = (call.query.get('user_id_type') ?? 'open_id') as UserIdType;
  const invalid: unknown[] = [];
  for (const id of ids) {
    const openId = [...chat.members].find((one) => userIdOf(cloud.world, one, idType) === id);
    if (openId === undefined) invalid.push(id);
    else message.urgentTo.add(openId);
  }
  return ok({ invalid_user_id_list: invalid });
}

/** In this API, codes have other meanings than in the rest of the message API. */
function suggest(cloud: Cloud, call: Call): Answer {
  const app = callerOf(call);
  const message = cloud.world.messages.get(call.params['message_id'] ?? '');
  const chat = message && cloud.world.chats.get(message.chatId);
  if (message === undefined || chat === undefined || !chat.bots.has(app.appId)) {
    return refuse(230004, 'invisible message.');
  }
  if (chat.mode !== 'p2p' || !isOwn(app, message)) return refuse(230003, 'only support p2p chat.');
  if (cloud.clock.nowMs() - message.createdAtMs > FOLLOW_UP_WITHIN_MS) {
    return refuse(230002, 'expired message.');
  }
  if (chat.messages.at(-1) !== message) return refuse(230006, 'only support latest message.');
  if (message.followUps.length > 0) return refuse(230008, 'follow up already exist.');
  const contents = parseFollowUps(call.body['follow_ups']);
  if (contents === undefined) return refuse(230007, 'invalid follow up.');
  message.followUps = contents;
  return ok({});
}

function parseFollowUps(value: unknown): string[] | undefined {
  if (!Array.isArray(value) || value.length === 0 || value.length > FOLLOW_UPS_MAX)
    return undefined;
  const contents: string[] = [];
  for (const followUp of value as unknown[]) {
    const content = isJsonObject(followUp) ? textField(followUp, 'content') : undefined;
    if (!content || content.length > FOLLOW_UP_CHARS_MAX) return undefined;
    contents.push(content);
  }
  return contents;
}
