import type { Cloud } from '../cloud.ts';
import { invalidParameter, validateContent } from './content.ts';
import { callerOf, refuseField, textField, type Answer, type Call, type Route } from './http.ts';
import { chatRefusal, findOwnMessage, isAnswer } from './message-access.ts';
import type { SimUser } from '../world/model.ts';

/** Cards in a group that only one person sees, until the bot deletes them. */
export function ephemeralRoutes(cloud: Cloud): readonly Route[] {
  const common = {
    method: 'POST',
    auth: 'tenant',
    scopes: ['im:message', 'im:message:send_as_bot', 'im:message:update'],
  } as const;
  return [
    { ...common, path: '/open-apis/ephemeral/v1/send', handle: (call) => send(cloud, call) },
    { ...common, path: '/open-apis/ephemeral/v1/delete', handle: (call) => remove(cloud, call) },
  ];
}

function send(cloud: Cloud, call: Call): Answer {
  const app = callerOf(call);
  const chat = cloud.world.chats.get(textField(call.body, 'chat_id') ?? '');
  if (chat === undefined) return refuseField('chat_id', 'chat_id is required');
  const refusal = chatRefusal(app, chat);
  if (refusal !== undefined) return refusal;
  if (chat.mode !== 'group')
    return invalidParameter('the chat is not a group, or is a topic group');
  if (call.body['msg_type'] !== 'interactive')
    return invalidParameter('msg_type is not interactive');
  const user = readerOf(cloud, call);
  if (user === undefined || !chat.members.has(user.openId)) {
    return invalidParameter('the user is not in the chat');
  }
  const content = JSON.stringify(call.body['card'] ?? '');
  const validated = validateContent(cloud, { app, chat, msgType: 'interactive', content });
  if (!validated.ok) return validated.answer;
  const message = cloud.world.post({
    ...validated.accepted,
    chat,
    sender: { kind: 'app', appId: app.appId },
    msgType: 'interactive',
    visibleTo: user.openId,
  });
  return { status: 200, body: { code: 0, msg: 'ok', data: { message_id: message.messageId } } };
}

/** The first of the three fields that is present is used. */
function readerOf(cloud: Cloud, { body }: Call): SimUser | undefined {
  for (const idType of ['open_id', 'user_id', 'email'] as const) {
    const id = textField(body, idType);
    if (id) return cloud.world.findUser(idType, id);
  }
  return undefined;
}

function remove(cloud: Cloud, call: Call): Answer {
  const found = findOwnMessage(cloud, callerOf(call), textField(call.body, 'message_id') ?? '');
  if (isAnswer(found)) return found;
  if (found.message.visibleTo === undefined) {
    return invalidParameter('everybody sees this message');
  }
  cloud.world.recall(found.message);
  return { status: 200, body: { code: 0, msg: 'ok' } };
}
