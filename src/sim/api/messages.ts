import type { Cloud } from '../cloud.ts';
import { invalidParameter, validateContent } from './content.ts';
import { publishMessage, publishRecall } from '../socket/events.ts';
import { callerOf, ok, refuse, refuseField, textField } from './http.ts';
import type { Answer, Call, Route } from './http.ts';
import {
  chatRefusal,
  findMessage,
  isAnswer,
  isOwn,
  readRefusal,
  recalled,
  tooFrequent,
  type Found,
} from './message-access.ts';
import { messageObject } from './message-object.ts';
import { queryList } from './people.ts';
import type { SimApp, SimChat, SimMessage } from '../world/model.ts';
import { UuidWindow } from './uuid-window.ts';
import type { Draft, UserIdType } from '../world/requests.ts';

const UUID_CHARS_MAX = 50;
/** Messages to one person, or to one group by all bots together. */
const CHAT_LIMIT = { hitsMax: 5, windowMs: 1_000 };
/** Own messages can be recalled for a day. On the real platform the administrator sets this time. */
const RECALL_WITHIN_MS = 24 * 3_600_000;
const MGET_IDS_MAX = 50;
/** The platform does not forward these. */
const NOT_FORWARDED: ReadonlySet<string> = new Set(['system', 'audio', 'hongbao', 'vote']);
const USER_ID_TYPES = ['open_id', 'user_id', 'union_id', 'email'] as const;

const MESSAGES = '/open-apis/im/v1/messages';
const SEND_SCOPES = ['im:message', 'im:message:send_as_bot', 'im:message:send'];

export function messageRoutes(cloud: Cloud): readonly Route[] {
  const sender = new MessageSender(cloud);
  const one = `${MESSAGES}/:message_id`;
  return [
    {
      method: 'POST',
      path: MESSAGES,
      auth: 'tenant',
      scopes: SEND_SCOPES,
      uuidGuarded: true,
      handle: (call) => sender.create(call),
    },
    {
      method: 'POST',
      path: `${one}/reply`,
      auth: 'tenant',
      scopes: SEND_SCOPES,
      uuidGuarded: true,
      handle: (call) => sender.reply(call),
    },
    {
      method: 'POST',
      path: `${one}/forward`,
      auth: 'tenant',
      scopes: ['im:message', 'im:message:send_as_bot'],
      uuidGuarded: true,
      handle: (call) => sender.forward(call),
    },
    {
      method: 'GET',
      path: one,
      auth: 'tenant',
      scopes: ['im:message', 'im:message:readonly'],
      handle: (call) => getMessage(cloud, call),
    },
    {
      method: 'GET',
      path: `${MESSAGES}/mget`,
      auth: 'tenant',
      scopes: ['im:message', 'im:message:readonly'],
      handle: (call) => getMessages(cloud, call),
    },
    {
      method: 'DELETE',
      path: one,
      auth: 'tenant',
      scopes: ['im:message', 'im:message:recall', 'im:message:send_as_bot'],
      handle: (call) => recallMessage(cloud, call),
    },
  ];
}

interface Target {
  readonly chat: SimChat;
  readonly replyTo?: SimMessage;
  readonly inThread?: boolean;
}

/** `create`, `reply` and `forward`: the same rules with different targets. */
class MessageSender {
  readonly #cloud: Cloud;
  readonly #uuids: UuidWindow;

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
    this.#uuids = new UuidWindow(() => cloud.clock.nowMs());
  }

  create(call: Call): Answer {
    return this.#send(call, () => this.#receiver(call));
  }

  reply(call: Call): Answer {
    return this.#send(call, () => {
      const found = findMessage(this.#cloud, callerOf(call), call.params['message_id'] ?? '');
      if (isAnswer(found)) return found;
      if (found.message.recalled) return recalled();
      const inThread = call.body['reply_in_thread'] === true;
      return { chat: found.chat, replyTo: found.message, inThread };
    });
  }

  /** Forwards a message as it is. Here the uuid is in the query, and is for one receiver. */
  forward(call: Call): Answer {
    const app = callerOf(call);
    const uuid = call.query.get('uuid') ?? '';
    if (uuid.length > UUID_CHARS_MAX) return refuseField('uuid', 'the max length is 50');
    const key = uuid === '' ? '' : `${uuid} to ${textField(call.body, 'receive_id')}`;
    const earlier = key === '' ? undefined : this.#sentBefore(app, key);
    if (earlier !== undefined) return ok(messageObject(this.#cloud.world, earlier));
    const found = findMessage(this.#cloud, app, call.params['message_id'] ?? '');
    if (isAnswer(found)) return found;
    const { message } = found;
    if (message.recalled) return refuse(230065, 'The message to be forwarded has been recalled.');
    if (NOT_FORWARDED.has(message.msgType) || message.upperMessageId !== undefined) {
      return refuse(230061, 'The message type does not support forwarding.');
    }
    const target = this.#threadOf(call) ?? this.#receiver(call);
    if (isAnswer(target)) return target;
    const refusal = chatRefusal(app, target.chat);
    if (refusal !== undefined) return refusal;
    const { msgType, mentions } = message;
    const content = msgType === 'interactive' ? this.#cloud.world.cardOf(message) : message.content;
    return this.#post(app, { ...target, msgType, content, mentions }, key);
  }

  #threadOf(call: Call): Target | Answer | undefined {
    if (call.query.get('receive_id_type') !== 'thread_id') return undefined;
    const { world } = this.#cloud;
    const thread = world.threads.get(textField(call.body, 'receive_id') ?? '');
    const chat = thread && world.chats.get(thread.chatId);
    const replyTo = thread?.messages[0];
    if (chat === undefined || replyTo === undefined) {
      return refuse(230019, 'The thread does NOT exist.');
    }
    return { chat, replyTo, inThread: true };
  }

  #send(call: Call, findTarget: () => Target | Answer): Answer {
    const app = callerOf(call);
    const msgType = textField(call.body, 'msg_type');
    const content = textField(call.body, 'content');
    const uuid = textField(call.body, 'uuid') ?? '';
    if (!msgType) return refuseField('msg_type', 'msg_type is required');
    if (!content) return refuseField('content', 'content is required');
    if (uuid.length > UUID_CHARS_MAX) return refuseField('uuid', 'the max length is 50');
    const earlier = uuid === '' ? undefined : this.#sentBefore(app, uuid);
    if (earlier !== undefined) return ok(messageObject(this.#cloud.world, earlier));
    const target = findTarget();
    if (isAnswer(target)) return target;
    const refusal = chatRefusal(app, target.chat);
    if (refusal !== undefined) return refusal;
    const validated = validateContent(this.#cloud, { app, chat: target.chat, msgType, content });
    if (!validated.ok) return validated.answer;
    return this.#post(app, { ...target, ...validated.accepted, msgType }, uuid);
  }

  /** `key`: a second call with it finds this message. */
  #post(app: SimApp, draft: Omit<Draft, 'sender'>, key: string): Answer {
    if (this.#cloud.limits.take(`chat ${draft.chat.chatId}`, CHAT_LIMIT) > 0) return tooFrequent();
    const sender = { kind: 'app', appId: app.appId } as const;
    const { world } = this.#cloud;
    const message = world.post({ ...draft, sender });
    const card = message.cardId === undefined ? undefined : world.cards.get(message.cardId);
    if (card !== undefined) card.messageId = message.messageId;
    if (key !== '') this.#uuids.add(app.appId, key, message.messageId);
    publishMessage(this.#cloud, message);
    return ok(messageObject(world, message));
  }

  #sentBefore(app: SimApp, uuid: string): SimMessage | undefined {
    const messageId = this.#uuids.find(app.appId, uuid);
    return messageId === undefined ? undefined : this.#cloud.world.messages.get(messageId);
  }

  #receiver(call: Call): Target | Answer {
    const app = callerOf(call);
    const idType = call.query.get('receive_id_type') ?? '';
    const id = textField(call.body, 'receive_id');
    if (!id) return refuseField('receive_id', 'receive_id is required');
    if (idType === 'chat_id') {
      const chat = this.#cloud.world.chats.get(id);
      return chat === undefined ? invalidReceiver() : { chat };
    }
    if (!isUserIdType(idType)) {
      return refuseField('receive_id_type', `options: [${USER_ID_TYPES.join(',')},chat_id]`);
    }
    const user = this.#cloud.world.findUser(idType, id);
    if (user === undefined) return invalidReceiver();
    return { chat: this.#cloud.world.directChat(user, app) };
  }
}

function getMessage(cloud: Cloud, call: Call): Answer {
  const app = callerOf(call);
  const found = findMessage(cloud, app, call.params['message_id'] ?? '');
  if (isAnswer(found)) return found;
  const refusal = readRefusal(app, found.chat);
  if (refusal !== undefined) return refusal;
  return messageItems(cloud, call, [found]);
}

/** Messages that do not exist, or in chats without the bot, are left out. */
function getMessages(cloud: Cloud, call: Call): Answer {
  const app = callerOf(call);
  const ids = queryList(call, 'message_ids').flatMap((text) => text.split(','));
  if (ids.length === 0 || ids.length > MGET_IDS_MAX) {
    return invalidParameter('message_ids must be 1 to 50 ids');
  }
  const found = ids.flatMap((id) => {
    const one = findMessage(cloud, app, id);
    return isAnswer(one) ? [] : [one];
  });
  const refused = found.map(({ chat }) => readRefusal(app, chat));
  return refused.find((answer) => answer !== undefined) ?? messageItems(cloud, call, found);
}

/** After each bundle come its parts. */
function messageItems(cloud: Cloud, call: Call, found: readonly Found[]): Answer {
  const idType = call.query.get('user_id_type') ?? 'open_id';
  if (!isUserIdType(idType)) return invalidParameter('invalid user_id_type');
  const options = {
    cardContent: call.query.get('card_msg_content_type') ?? undefined,
    userIdType: idType,
  };
  const items = found.flatMap(({ message, chat }) => [message, ...partsOf(chat, message)]);
  return ok({ items: items.map((message) => messageObject(cloud.world, message, options)) });
}

/** The forwarded messages inside a bundle, in one list with those of the bundles inside it. */
function partsOf(chat: SimChat, message: SimMessage): SimMessage[] {
  if (message.msgType !== 'merge_forward') return [];
  return chat.messages
    .filter((part) => part.upperMessageId === message.messageId)
    .flatMap((part) => [part, ...partsOf(chat, part)]);
}

function recallMessage(cloud: Cloud, call: Call): Answer {
  const app = callerOf(call);
  const found = findMessage(cloud, app, call.params['message_id'] ?? '');
  if (isAnswer(found)) return found;
  const { message } = found;
  if (!isOwn(app, message)) return refuse(230026, 'No permission to recall this message.');
  if (message.recalled) return recalled();
  if (cloud.clock.nowMs() - message.createdAtMs > RECALL_WITHIN_MS) {
    return refuse(230009, 'Message has expired when recall message.');
  }
  cloud.world.recall(message);
  publishRecall(cloud, message, message.sender);
  return ok({});
}

function invalidReceiver(): Answer {
  return refuse(230034, 'The receive_id is invalid.');
}

function isUserIdType(text: string): text is UserIdType {
  return (USER_ID_TYPES as readonly string[]).includes(text);
}
