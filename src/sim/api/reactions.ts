import type { Cloud } from '../cloud.ts';
import { EMOJIS } from './emojis.ts';
import { publishReaction } from '../socket/events.ts';
import { callerOf, ok, refuse, refuseField, textField } from './http.ts';
import type { Answer, Call, Route } from './http.ts';
import { isJsonObject } from '../world/json.ts';
import type { SimApp, SimMessage, SimReaction } from '../world/model.ts';

const PAGE_SIZE = 20;
const PAGE_SIZE_MAX = 50;

const WRITE_SCOPES = ['im:message', 'im:message.reactions:write_only'];
const READ_SCOPES = ['im:message', 'im:message:readonly', 'im:message.reactions:read'];

export function reactionRoutes(cloud: Cloud): readonly Route[] {
  const path = '/open-apis/im/v1/messages/:message_id/reactions';
  return [
    {
      method: 'POST',
      path,
      auth: 'tenant',
      scopes: WRITE_SCOPES,
      handle: (call) => addReaction(cloud, call),
    },
    {
      method: 'GET',
      path,
      auth: 'tenant',
      scopes: READ_SCOPES,
      handle: (call) => listReactions(cloud, call),
    },
    {
      method: 'DELETE',
      path: `${path}/:reaction_id`,
      auth: 'tenant',
      scopes: WRITE_SCOPES,
      handle: (call) => removeReaction(cloud, call),
    },
  ];
}

function addReaction(cloud: Cloud, call: Call): Answer {
  const app = callerOf(call);
  const emoji = emojiOf(call.body['reaction_type']);
  if (emoji === undefined || !EMOJIS.has(emoji)) return invalidEmoji();
  const message = findReactable(cloud, app, call);
  if ('status' in message) return message;
  const reaction = cloud.world.react(message, { kind: 'app', appId: app.appId }, emoji);
  publishReaction(cloud, message, { kind: 'created', reaction });
  return ok(reactionObject(reaction));
}

function removeReaction(cloud: Cloud, call: Call): Answer {
  const app = callerOf(call);
  const message = findReactable(cloud, app, call);
  if ('status' in message) return message;
  const reaction = message.reactions.get(call.params['reaction_id'] ?? '');
  if (reaction === undefined) return refuse(231011, 'The request has an invalid reaction_id.');
  if (reaction.by.kind !== 'app' || reaction.by.appId !== app.appId) {
    return refuse(231007, 'The operator has no permission to delete this reaction.');
  }
  cloud.world.unreact(message, reaction.reactionId);
  publishReaction(cloud, message, { kind: 'deleted', reaction });
  return ok(reactionObject(reaction));
}

function listReactions(cloud: Cloud, call: Call): Answer {
  const emoji = call.query.get('reaction_type') ?? '';
  if (emoji !== '' && !EMOJIS.has(emoji)) return invalidEmoji();
  const message = findReactable(cloud, callerOf(call), call);
  if ('status' in message) return message;
  const size = Number(call.query.get('page_size') ?? PAGE_SIZE);
  if (!Number.isInteger(size) || size < 1 || size > PAGE_SIZE_MAX) {
    return refuseField('page_size', 'the range is 1 to 50');
  }
  const start = Number(call.query.get('page_token') || 0);
  if (!Number.isInteger(start)) return refuse(231012, 'The request has an invalid pageToken.');
  const all = [...message.reactions.values()].filter(
    (reaction) => emoji === '' || reaction.emoji === emoji,
  );
  const hasMore = start + size < all.length;
  return ok({
    items: all.slice(start, start + size).map(reactionObject),
    has_more: hasMore,
    ...(hasMore && { page_token: String(start + size) }),
  });
}

function findReactable(cloud: Cloud, app: SimApp, call: Call): SimMessage | Answer {
  const message = cloud.world.messages.get(call.params['message_id'] ?? '');
  const chat = message && cloud.world.chats.get(message.chatId);
  if (message === undefined || chat === undefined || message.recalled) {
    return refuse(231003, 'The message is not found, maybe not exist or deleted.');
  }
  if (chat.dissolved) {
    return refuse(232009, 'Your request specifies a chat which has already been dissolved.');
  }
  if (!chat.bots.has(app.appId)) {
    const msg = 'The operator has no permission to react on the specific message.';
    return refuse(231002, msg);
  }
  if (message.msgType === 'system') {
    return refuse(231017, 'This operation is not supported for this message type.');
  }
  return message;
}

function invalidEmoji(): Answer {
  return refuse(231001, 'reaction type is invalid.');
}

function emojiOf(value: unknown): string | undefined {
  return isJsonObject(value) ? textField(value, 'emoji_type') : undefined;
}

function reactionObject(reaction: SimReaction) {
  const { by } = reaction;
  return {
    reaction_id: reaction.reactionId,
    operator: {
      operator_id: by.kind === 'app' ? by.appId : by.openId,
      operator_type: by.kind,
    },
    action_time: String(reaction.atMs),
    reaction_type: { emoji_type: reaction.emoji },
  };
}
