import { command, type ControlCommand } from './command.ts';
import { flag, oneOf, optional, text, texts } from './fields.ts';
import type { LarkCloud } from './lark-cloud.ts';
import { Misuse } from '../world/misuse.ts';
import type { SimApp, SimChat, SimUser } from '../world/model.ts';
import { buildWorld, WORLD_SHAPE } from './world-plan.ts';

const BRAND = optional(oneOf(['feishu', 'lark']));

/** What exists: apps, people, chats, and device grants. */
export const WORLD_COMMANDS: readonly ControlCommand[] = [
  command({
    method: 'GET',
    path: '/world',
    fields: {},
    answer: 'apps, users, chats',
    doc: 'lists everything that exists, with credentials',
    run: (lark) => ({
      openBaseUrl: lark.openBaseUrl,
      accountsBaseUrl: lark.accountsBaseUrl,
      apps: [...lark.world.apps.values()].map((app) => appView(lark, app)),
      users: [...lark.world.users.values()].map(userView),
      chats: [...lark.world.chats.values()].map((chat) => chatView(lark, chat)),
    }),
  }),
  command({
    method: 'POST',
    path: '/world',
    fields: WORLD_SHAPE,
    answer: 'apps, users, chats: the new ones',
    doc: 'adds what a world file can have; adds nothing if names in it do not fit together',
    run: (lark, plan) => {
      const { apps, users, chats } = buildWorld(lark, plan);
      return {
        apps: apps.map((app) => appView(lark, app)),
        users: users.map(userView),
        chats: chats.map((chat) => chatView(lark, chat)),
      };
    },
  }),
  command({
    method: 'POST',
    path: '/apps',
    fields: {
      name: optional(text),
      appId: optional(text),
      appSecret: optional(text),
      brand: BRAND,
      scopes: optional(texts),
      subscriptions: optional(texts),
    },
    answer: 'the app',
    doc: 'creates an app with a bot',
    run: (lark, app) => appView(lark, lark.addApp(app)),
  }),
  command({
    method: 'PUT',
    path: '/apps',
    fields: {
      app: text,
      name: optional(text),
      bot: optional(flag),
      scopes: optional(texts),
      addScopes: optional(texts),
      removeScopes: optional(texts),
      subscriptions: optional(texts),
    },
    answer: 'the app',
    doc: 'changes an app; `bot` turns its bot ability on or off',
    run: (lark, { app, ...change }) => appView(lark, lark.changeApp(app, change)),
  }),
  command({
    method: 'POST',
    path: '/users',
    fields: { name: text, email: optional(text), tenantKey: optional(text) },
    answer: 'the user',
    doc: 'creates a person; a `tenantKey` of another tenant makes the person external',
    run: (lark, user) => userView(lark.addUser(user)),
  }),
  command({
    method: 'POST',
    path: '/groups',
    fields: {
      name: text,
      members: optional(texts),
      apps: optional(texts),
      mode: optional(oneOf(['group', 'topic'])),
    },
    answer: 'the chat',
    doc: 'creates a group; the first member owns it',
    run: (lark, { members = [], apps = [], ...group }) =>
      chatView(lark, lark.addGroup({ ...group, members, apps })),
  }),
  command({
    method: 'PUT',
    path: '/groups',
    fields: { chat: text, name: text, by: optional(text) },
    answer: 'the chat',
    doc: 'renames a group; by default as its owner',
    run: (lark, { chat: ref, name, by }) => {
      const chat = lark.findChat(ref);
      lark.renameChat(chat, name, by);
      return chatView(lark, chat);
    },
  }),
  command({
    method: 'POST',
    path: '/direct-chats',
    fields: { user: text, app: text },
    answer: 'the chat',
    doc: 'returns the direct chat of a person and a bot, and creates it if it does not exist',
    run: (lark, { user, app }) => chatView(lark, lark.directChat(user, app)),
  }),
  command({
    method: 'POST',
    path: '/groups/members',
    fields: { chat: text, user: text, by: optional(text) },
    answer: '',
    doc: 'a person joins a group, or is added by somebody',
    run: (lark, { chat, user, by }) => lark.addMember(chat, user, by),
  }),
  command({
    method: 'DELETE',
    path: '/groups/members',
    fields: { chat: text, user: text, by: optional(text) },
    answer: '',
    doc: 'a person leaves a group, or is removed by somebody',
    run: (lark, { chat, user, by }) => lark.removeMember(chat, user, by),
  }),
  command({
    method: 'POST',
    path: '/groups/bots',
    fields: { chat: text, app: text, by: text },
    answer: '',
    doc: 'adds a bot to a group',
    run: (lark, { chat, app, by }) => lark.addBot(chat, app, by),
  }),
  command({
    method: 'DELETE',
    path: '/groups/bots',
    fields: { chat: text, app: text, by: text },
    answer: '',
    doc: 'removes a bot from a group',
    run: (lark, { chat, app, by }) => lark.removeBot(chat, app, by),
  }),
  command({
    method: 'POST',
    path: '/dissolve',
    fields: { chat: text, by: text },
    answer: '',
    doc: 'dissolves a group',
    run: (lark, { chat, by }) => lark.dissolve(chat, by),
  }),
  command({
    method: 'GET',
    path: '/scans',
    fields: {},
    answer: 'userCodes',
    doc: 'lists the codes of device grants that wait for a person',
    run: (lark) => ({ userCodes: lark.accounts.waiting() }),
  }),
  command({
    method: 'POST',
    path: '/scans',
    fields: {
      userCode: optional(text),
      url: optional(text),
      approve: flag,
      as: optional(text),
      brand: BRAND,
    },
    answer: 'the app, if approved',
    doc: 'approves or denies a device grant, given by its code or its link, as the person who scanned it',
    run: (lark, { userCode, url, approve, as, brand }) => {
      if (url !== undefined && !URL.canParse(url)) throw new Misuse('url is not a URL');
      const app = lark.scan({
        approve,
        ...(userCode !== undefined && { userCode }),
        ...(url !== undefined && { url }),
        ...(as !== undefined && { as: lark.findUser(as) }),
        ...(brand && { brand }),
      });
      return app && appView(lark, app);
    },
  }),
];

function appView(lark: LarkCloud, app: SimApp) {
  return {
    appId: app.appId,
    appSecret: app.appSecret,
    name: app.name,
    brand: app.brand,
    botOpenId: app.botOpenId,
    bot: app.botEnabled,
    scopes: [...app.scopes],
    subscriptions: [...app.subscriptions],
    online: lark.online(app),
  };
}

function userView({ openId, unionId, userId, email, name }: SimUser) {
  return { openId, unionId, userId, email, name };
}

function chatView(lark: LarkCloud, chat: SimChat) {
  return {
    chatId: chat.chatId,
    mode: chat.mode,
    name: chat.name,
    members: [...chat.members].map((openId) => lark.world.users.get(openId)?.name ?? openId),
    apps: [...chat.bots],
    dissolved: chat.dissolved,
    messages: chat.messages.length,
  };
}
