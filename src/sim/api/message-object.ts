import { visibleText } from '../cards/card-text.ts';
import { parseJsonObject } from '../world/json.ts';
import { withNames } from './mentions.ts';
import type { Sender, SimMessage } from '../world/model.ts';
import { postText, type ReceivedPost } from './post.ts';
import type { World } from '../world/world.ts';
import type { UserIdType } from '../world/requests.ts';

interface ObjectOptions {
  /** `user_card_content`: cards as they were sent, instead of only their text. */
  readonly cardContent?: string | undefined;
  readonly userIdType?: UserIdType | undefined;
}

/** A message as the REST API returns it. */
export function messageObject(world: World, message: SimMessage, options: ObjectOptions = {}) {
  const mentions = message.mentions.map((mention) => ({
    key: mention.key,
    id: mention.openId,
    id_type: 'open_id',
    name: mention.name,
    tenant_key: mention.tenantKey,
  }));
  return {
    message_id: message.messageId,
    ...(message.rootId !== undefined && { root_id: message.rootId }),
    ...(message.parentId !== undefined && { parent_id: message.parentId }),
    ...(message.threadId !== undefined && { thread_id: message.threadId }),
    msg_type: message.msgType,
    create_time: String(message.createdAtMs),
    update_time: String(message.updatedAtMs),
    deleted: message.recalled,
    updated: message.edits > 0,
    chat_id: message.chatId,
    sender: senderObject(world, message.sender, options.userIdType ?? 'open_id'),
    body: { content: historyContent(world, message, options) },
    ...(mentions.length > 0 && { mentions }),
    ...(message.upperMessageId !== undefined && { upper_message_id: message.upperMessageId }),
  };
}

/** What a person reads in a message. */
export function textOf(world: World, message: SimMessage): string {
  if (message.msgType === 'interactive') return visibleText(world.cardOf(message));
  const fields = parseJsonObject(message.content) ?? {};
  const { text } = fields;
  if (message.msgType === 'text') return withNames(String(text), message.mentions);
  if (message.msgType === 'post') {
    // In Markdown, mentions are placeholders in the text. `at` elements have their names.
    return withNames(postText(fields as unknown as ReceivedPost), message.mentions);
  }
  const about = fields['file_name'] ?? fields['image_key'] ?? fields['file_key'];
  return typeof about === 'string' ? `[${message.msgType} ${about}]` : `[${message.msgType}]`;
}

/** Content as in events and the history. Of a card it is only the text, in a form of its own. */
export function receivedContent(world: World, message: SimMessage): string {
  if (message.msgType !== 'interactive') return message.content;
  const lines = visibleText(world.cardOf(message)).split('\n');
  return JSON.stringify({ title: null, elements: lines.map((text) => [{ tag: 'text', text }]) });
}

function historyContent(world: World, message: SimMessage, options: ObjectOptions): string {
  if (message.recalled) return 'This message was recalled';
  return message.msgType === 'interactive' && options.cardContent === 'user_card_content'
    ? world.cardOf(message)
    : receivedContent(world, message);
}

function senderObject(world: World, sender: Sender, idType: UserIdType) {
  const tenant = { tenant_key: world.tenantOf(sender) };
  if (sender.kind === 'app') {
    return { id: sender.appId, id_type: 'app_id', sender_type: 'app', ...tenant };
  }
  return {
    id: userIdOf(world, sender.openId, idType),
    id_type: idType,
    sender_type: 'user',
    ...tenant,
  };
}

export function userIdOf(world: World, openId: string, idType: UserIdType): string {
  const user = world.users.get(openId);
  if (user === undefined || idType === 'open_id') return openId;
  if (idType === 'email') return user.email;
  return idType === 'union_id' ? user.unionId : user.userId;
}
