import type { Cloud } from '../cloud.ts';
import type { OutgoingEvent } from './deliveries.ts';
import { receivedContent } from '../api/message-object.ts';
import type { Sender, SimApp, SimChat, SimMessage, SimReaction } from '../world/model.ts';
import {
  CARD_CALLBACK,
  SCOPE_BOT_MENTIONS,
  SCOPE_GROUP_MESSAGES,
  SCOPE_USER_ID,
} from '../world/scopes.ts';

export type Body = Readonly<Record<string, unknown>>;

/** A new message. Every app that may see it gets the event. */
export function publishMessage(cloud: Cloud, message: SimMessage): void {
  const chat = chatOf(cloud, message);
  for (const app of botsOf(cloud, chat)) {
    if (!mayReceive(app, chat, message)) continue;
    const body = receiveBody(cloud, app, message);
    publish(cloud, app, { type: 'im.message.receive_v1', body, messageId: message.messageId });
    if (cloud.faults.take('event_duplicate', { appId: app.appId })) {
      publish(cloud, app, { type: 'im.message.receive_v1', body, messageId: message.messageId });
    }
  }
}

/** A person changed a message. The event has the form of a new message. */
export function publishEdit(cloud: Cloud, message: SimMessage): void {
  const chat = chatOf(cloud, message);
  for (const app of botsOf(cloud, chat)) {
    if (!mayReceive(app, chat, message)) continue;
    const body = receiveBody(cloud, app, message);
    publish(cloud, app, { type: 'im.message.updated_v1', body, messageId: message.messageId });
  }
}

export function publishRecall(cloud: Cloud, message: SimMessage, by: Sender): void {
  const chat = chatOf(cloud, message);
  const own = JSON.stringify(by) === JSON.stringify(message.sender);
  const body = {
    message_id: message.messageId,
    chat_id: chat.chatId,
    recall_time: String(message.updatedAtMs),
    recall_type: own ? 'message_owner' : 'group_owner',
  };
  for (const app of botsOf(cloud, chat)) {
    publish(cloud, app, { type: 'im.message.recalled_v1', body, messageId: message.messageId });
  }
}

export function publishReaction(
  cloud: Cloud,
  message: SimMessage,
  change: { readonly kind: 'created' | 'deleted'; readonly reaction: SimReaction },
): void {
  const { kind, reaction } = change;
  const type = `im.message.reaction.${kind}_v1`;
  for (const app of botsOf(cloud, chatOf(cloud, message))) {
    const body = {
      message_id: message.messageId,
      reaction_type: { emoji_type: reaction.emoji },
      operator_type: reaction.by.kind,
      ...(reaction.by.kind === 'user'
        ? { user_id: userIds(cloud, app, reaction.by.openId) }
        : { app_id: reaction.by.appId }),
      action_time: String(kind === 'created' ? reaction.atMs : cloud.clock.nowMs()),
    };
    publish(cloud, app, { type, body, messageId: message.messageId });
  }
}

/** A bot was added to a group or removed from it. */
export function publishBotMembership(
  cloud: Cloud,
  chat: SimChat,
  change: { readonly kind: 'added' | 'deleted'; readonly app: SimApp; readonly by: Sender },
): void {
  publish(cloud, change.app, {
    type: `im.chat.member.bot.${change.kind}_v1`,
    body: chatBody(cloud, chat, change),
  });
}

export function publishDissolved(cloud: Cloud, chat: SimChat, by: Sender): void {
  for (const app of botsOf(cloud, chat)) {
    const body = chatBody(cloud, chat, { app, by });
    publish(cloud, app, { type: 'im.chat.disbanded_v1', body });
  }
}

/** The person opened the direct chat. */
export function publishChatEntered(cloud: Cloud, chat: SimChat, byOpenId: string): void {
  const last = chat.messages.at(-1);
  for (const app of botsOf(cloud, chat)) {
    publish(cloud, app, {
      type: 'im.chat.access_event.bot_p2p_chat_entered_v1',
      body: {
        chat_id: chat.chatId,
        operator_id: userIds(cloud, app, byOpenId),
        last_message_id: last?.messageId ?? '',
        last_message_create_time: last === undefined ? '' : String(last.createdAtMs),
      },
    });
  }
}

/** A person selected an entry of the bot's menu. */
export function publishMenu(
  cloud: Cloud,
  app: SimApp,
  choice: { readonly byOpenId: string; readonly eventKey: string },
): void {
  publish(cloud, app, {
    type: 'application.bot.menu_v6',
    body: {
      operator: {
        operator_name: cloud.world.users.get(choice.byOpenId)?.name ?? '',
        operator_id: userIds(cloud, app, choice.byOpenId),
      },
      event_key: choice.eventKey,
      timestamp: cloud.clock.nowMs(),
    },
  });
}

/** The callback for a pressed button. Unlike in events, `create_time` is in microseconds. */
export function cardCallback(
  cloud: Cloud,
  app: SimApp,
  press: {
    readonly message: SimMessage;
    readonly byOpenId: string;
    readonly token: string;
    readonly action: Body;
  },
): OutgoingEvent {
  const { message } = press;
  const body = {
    operator: {
      tenant_key: cloud.world.tenantOf({ kind: 'user', openId: press.byOpenId }),
      ...userIds(cloud, app, press.byOpenId),
    },
    token: press.token,
    action: press.action,
    host: 'im_message',
    context: { open_message_id: message.messageId, open_chat_id: message.chatId },
  };
  const createTime = `${cloud.clock.nowMs()}000`;
  return envelope(cloud, app, {
    type: CARD_CALLBACK,
    body,
    messageId: message.messageId,
    createTime,
  });
}

interface EventDraft {
  readonly type: string;
  readonly body: Body;
  readonly messageId?: string;
  readonly createTime?: string;
  /** 1 is the platform's old format; 2 by default. */
  readonly version?: 1 | 2;
}

/** Sends the event to the app, if it has subscribed to the type. */
export function publish(cloud: Cloud, app: SimApp, draft: EventDraft): void {
  if (!app.subscriptions.has(draft.type)) return;
  cloud.deliveries.publish(app, envelope(cloud, app, draft));
}

function envelope(cloud: Cloud, app: SimApp, draft: EventDraft): OutgoingEvent {
  const eventId = cloud.world.ids.event();
  const nowMs = cloud.clock.nowMs();
  // On a long connection the token is empty, because there is nothing to verify.
  const token = '';
  const whole =
    draft.version === 1
      ? {
          uuid: eventId,
          token,
          ts: (nowMs / 1_000).toFixed(6),
          type: 'event_callback',
          event: { type: draft.type, ...draft.body },
        }
      : {
          schema: '2.0',
          header: {
            event_id: eventId,
            token,
            create_time: draft.createTime ?? String(nowMs),
            event_type: draft.type,
            tenant_key: app.tenantKey,
            app_id: app.appId,
          },
          event: draft.body,
        };
  const json = JSON.stringify(whole);
  return { eventId, eventType: draft.type, json, messageId: draft.messageId };
}

/** Every direct message; in groups, messages that mention the bot, or all with the sensitive scope. */
function mayReceive(app: SimApp, chat: SimChat, message: SimMessage): boolean {
  const { sender } = message;
  if (sender.kind === 'app' && sender.appId === app.appId) return false;
  const mentioned = message.mentions.some((mention) => mention.openId === app.botOpenId);
  if (sender.kind === 'app') return mentioned && app.scopes.has(SCOPE_BOT_MENTIONS);
  return chat.mode === 'p2p' || mentioned || app.scopes.has(SCOPE_GROUP_MESSAGES);
}

function receiveBody(cloud: Cloud, app: SimApp, message: SimMessage): Body {
  const mentions = message.mentions.map((mention) => ({
    key: mention.key,
    id:
      mention.kind === 'bot'
        ? { union_id: mention.unionId, user_id: '', open_id: mention.openId }
        : userIds(cloud, app, mention.openId),
    mentioned_type: mention.kind,
    name: mention.name,
    tenant_key: mention.tenantKey,
  }));
  return {
    sender: senderOf(cloud, app, message.sender),
    message: {
      message_id: message.messageId,
      ...(message.rootId !== undefined && { root_id: message.rootId }),
      ...(message.parentId !== undefined && { parent_id: message.parentId }),
      create_time: String(message.createdAtMs),
      update_time: String(message.updatedAtMs),
      chat_id: message.chatId,
      ...(message.threadId !== undefined && { thread_id: message.threadId }),
      chat_type: chatOf(cloud, message).mode === 'p2p' ? 'p2p' : 'group',
      message_type: message.msgType,
      content: receivedContent(cloud.world, message),
      ...(mentions.length > 0 && { mentions }),
    },
  };
}

function senderOf(cloud: Cloud, app: SimApp, sender: Sender): Body {
  const tenant = { tenant_key: cloud.world.tenantOf(sender) };
  const kind = sender.kind === 'user' ? 'user' : 'bot';
  return { sender_id: senderIds(cloud, app, sender), sender_type: kind, ...tenant };
}

function senderIds(cloud: Cloud, app: SimApp, sender: Sender): Body {
  if (sender.kind === 'user') return userIds(cloud, app, sender.openId);
  const bot = cloud.world.apps.get(sender.appId);
  return { union_id: bot?.botUnionId, user_id: '', open_id: bot?.botOpenId };
}

export function userIds(cloud: Cloud, app: SimApp, openId: string): Body {
  const user = cloud.world.users.get(openId);
  return {
    union_id: user?.unionId ?? '',
    ...(app.scopes.has(SCOPE_USER_ID) && { user_id: user?.userId ?? '' }),
    open_id: openId,
  };
}

/** What every event about a group has. `app` gets the event; `by` made the change. */
export function chatBody(
  cloud: Cloud,
  chat: SimChat,
  change: { readonly app: SimApp; readonly by: Sender },
): Body {
  return {
    chat_id: chat.chatId,
    operator_id: senderIds(cloud, change.app, change.by),
    external: cloud.world.isExternal(chat),
    operator_tenant_key: cloud.world.tenantOf(change.by),
    name: chat.name,
    i18n_names: { zh_cn: chat.name, en_us: chat.name, ja_jp: chat.name },
  };
}

function chatOf(cloud: Cloud, message: SimMessage): SimChat {
  const chat = cloud.world.chats.get(message.chatId);
  if (chat === undefined) throw new Error(`${message.messageId} is in no chat`);
  return chat;
}

export function botsOf(cloud: Cloud, chat: SimChat): SimApp[] {
  return [...chat.bots].flatMap((appId) => cloud.world.apps.get(appId) ?? []);
}
