import type { Cloud } from '../cloud.ts';
import type { Sender, SimApp, SimChat, SimMessage, SimUser } from '../world/model.ts';
import { botsOf, chatBody, publish, userIds, type Body } from './events.ts';

/** People joined a group, left it (or were removed), or their invitation was taken back. */
export function publishMembers(
  cloud: Cloud,
  chat: SimChat,
  change: {
    readonly kind: 'added' | 'deleted' | 'withdrawn';
    readonly users: readonly SimUser[];
    readonly by: Sender;
  },
): void {
  for (const app of botsOf(cloud, chat)) {
    const users = change.users.map((user) => ({
      name: user.name,
      tenant_key: user.tenantKey,
      user_id: userIds(cloud, app, user.openId),
    }));
    const body = { ...chatBody(cloud, chat, { app, by: change.by }), users };
    publish(cloud, app, { type: `im.chat.member.user.${change.kind}_v1`, body });
  }
}

/** What can change in a group, by the platform's names. Here `owner_id` is an open id. */
export type ChatFacts = Readonly<Record<string, unknown>>;

/** A group has another name, description, owner or setting. The event has only what changed. */
export function publishChatUpdated(
  cloud: Cloud,
  chat: SimChat,
  change: { readonly before: ChatFacts; readonly after: ChatFacts; readonly by: Sender },
): void {
  const names = Object.keys(change.after).filter(
    (name) => JSON.stringify(change.before[name]) !== JSON.stringify(change.after[name]),
  );
  if (names.length === 0) return;
  for (const app of botsOf(cloud, chat)) {
    const { chat_id, operator_id, external, operator_tenant_key } = chatBody(cloud, chat, {
      app,
      by: change.by,
    });
    const body = {
      chat_id,
      operator_id,
      external,
      operator_tenant_key,
      before_change: changedFacts(cloud, app, { facts: change.before, names }),
      after_change: changedFacts(cloud, app, { facts: change.after, names }),
    };
    publish(cloud, app, { type: 'im.chat.updated_v1', body });
  }
}

/** Somebody read messages. Each app gets an event for its own messages only. */
export function publishRead(
  cloud: Cloud,
  read: { readonly by: SimUser; readonly messages: readonly SimMessage[] },
): void {
  const byApp = new Map<string, string[]>();
  for (const { sender, messageId } of read.messages) {
    if (sender.kind !== 'app') continue;
    byApp.set(sender.appId, [...(byApp.get(sender.appId) ?? []), messageId]);
  }
  for (const [appId, message_id_list] of byApp) {
    const app = cloud.world.apps.get(appId);
    if (app === undefined) continue;
    const reader = {
      reader_id: userIds(cloud, app, read.by.openId),
      read_time: String(cloud.clock.nowMs()),
      tenant_key: read.by.tenantKey,
    };
    publish(cloud, app, {
      type: 'im.message.message_read_v1',
      body: { reader, message_id_list },
    });
  }
}

/** A person opens the direct chat for the first time. The event has the platform's old format, version 1. */
export function publishDirectChatCreated(cloud: Cloud, chat: SimChat, user: SimUser): void {
  for (const app of botsOf(cloud, chat)) {
    const { open_id, user_id } = userIds(cloud, app, user.openId);
    const who = { open_id, ...(user_id !== undefined && { user_id }) };
    publish(cloud, app, {
      type: 'p2p_chat_create',
      version: 1,
      body: {
        app_id: app.appId,
        chat_id: chat.chatId,
        operator: who,
        tenant_key: app.tenantKey,
        user: { ...who, name: user.name },
      },
    });
  }
}

function changedFacts(
  cloud: Cloud,
  app: SimApp,
  { facts, names }: { readonly facts: ChatFacts; readonly names: readonly string[] },
): Body {
  const pairs = names.flatMap((name): [string, unknown][] => {
    const value = facts[name];
    if (value === undefined) return [];
    const isPerson = name === 'owner_id' && typeof value === 'string';
    return [[name, isPerson ? userIds(cloud, app, value) : value]];
  });
  return Object.fromEntries(pairs);
}
