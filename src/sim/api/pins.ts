import type { Cloud } from '../cloud.ts';
import { invalidParameter } from './content.ts';
import {
  callerOf,
  ok,
  refuseField,
  textField,
  type Answer,
  type Call,
  type Route,
} from './http.ts';
import { chatRefusal, findMessage, isAnswer, recalled } from './message-access.ts';
import { pageOf } from './paging.ts';
import type { SimMessage, SimPin } from '../world/model.ts';

const PINS = '/open-apis/im/v1/pins';
const PAGE_SIZE_MAX = 50;

/** Pinned messages of a chat. */
export function pinRoutes(cloud: Cloud): readonly Route[] {
  const writing = {
    auth: 'tenant',
    scopes: ['im:message', 'im:message.pins:write_only', 'im:message:send_as_bot'],
  } as const;
  return [
    { ...writing, method: 'POST', path: PINS, handle: (call) => pin(cloud, call) },
    {
      ...writing,
      method: 'DELETE',
      path: `${PINS}/:message_id`,
      handle: (call) => unpin(cloud, call),
    },
    {
      method: 'GET',
      path: PINS,
      auth: 'tenant',
      scopes: ['im:message', 'im:message:readonly', 'im:message.pins:read'],
      handle: (call) => listPins(cloud, call),
    },
  ];
}

/** If the message is already pinned, the answer has the existing pin. */
function pin(cloud: Cloud, call: Call): Answer {
  const app = callerOf(call);
  const found = findMessage(cloud, app, textField(call.body, 'message_id') ?? '');
  if (isAnswer(found)) return found;
  const { message } = found;
  if (message.recalled) return recalled();
  message.pin ??= { by: { kind: 'app', appId: app.appId }, atMs: cloud.clock.nowMs() };
  return ok({ pin: pinObject(message, message.pin) });
}

/** Any bot in the chat can remove a pin. If there is none, the answer is the same. */
function unpin(cloud: Cloud, call: Call): Answer {
  const found = findMessage(cloud, callerOf(call), call.params['message_id'] ?? '');
  if (isAnswer(found)) return found;
  found.message.pin = undefined;
  return ok({});
}

/** Newest first. Here the times are in milliseconds. */
function listPins(cloud: Cloud, call: Call): Answer {
  const { query } = call;
  const chat = cloud.world.chats.get(query.get('chat_id') ?? '');
  if (chat === undefined) return refuseField('chat_id', 'chat_id is required');
  const refusal = chatRefusal(callerOf(call), chat);
  if (refusal !== undefined) return refusal;
  const fromMs = Number(query.get('start_time') || 0);
  const toMs = Number(query.get('end_time') || Infinity);
  const pins = chat.messages.flatMap((message) => {
    const atMs = message.pin?.atMs ?? Number.NaN;
    if (message.pin === undefined || message.recalled || atMs < fromMs || atMs > toMs) return [];
    return [{ message, pin: message.pin }];
  });
  pins.sort((a, b) => b.pin.atMs - a.pin.atMs);
  const page = pageOf(call, pins, PAGE_SIZE_MAX);
  if (page === undefined || Number.isNaN(fromMs) || Number.isNaN(toMs)) {
    return invalidParameter('invalid start_time, end_time, page_size or page_token');
  }
  return ok({ ...page, items: page.items.map((one) => pinObject(one.message, one.pin)) });
}

function pinObject(message: SimMessage, { by, atMs }: SimPin) {
  return {
    message_id: message.messageId,
    chat_id: message.chatId,
    operator_id: by.kind === 'app' ? by.appId : by.openId,
    operator_id_type: by.kind === 'app' ? 'app_id' : 'open_id',
    create_time: String(atMs),
  };
}
