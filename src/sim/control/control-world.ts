import type { ControlCommand } from './control.ts';
import type { LarkCloud } from '../lark-cloud.ts';
import type { SimApp, SimChat, SimUser } from '../world/model.ts';

/** What exists. */
export const WORLD_COMMANDS: readonly ControlCommand[] = [
  {
    method: 'GET',
    path: '/world',
    fields: '',
    answer: 'apps, users, chats',
    doc: 'everything that exists, with credentials',
    run: (lark) => ({
      openBaseUrl: lark.openBaseUrl,
      accountsBaseUrl: lark.accountsBaseUrl,
      apps: [...lark.world.apps.values()].map((app) => appView(lark, app)),
      users: [...lark.world.users.values()].map(userView),
      chats: [...lark.world.chats.values()].map((chat) => chatView(lark, chat)),
    }),
  },
  {
    method: 'POST',
    path: '/apps',
    fields: 'name?, appId?, appSecret?, brand?, scopes?, subscriptions?',
    answer: 'the app',
    doc: 'creates an app with a bot',
    run: (lark, fields) => {
      const { name, appId, appSecret } = optionalTexts(fields, ['name', 'appId', 'appSecret']);
      const brand = fields.choice('brand', ['feishu', 'lark']);
      const all = fields.all();
      const app = lark.addApp({
        ...(name !== undefined && { name }),
        ...(appId !== undefined && { appId }),
        ...(appSecret !== undefined && { appSecret }),
        ...(brand && { brand }),
        ...('scopes' in all && { scopes: fields.texts('scopes') }),
        ...('subscriptions' in all && { subscriptions: fields.texts('subscriptions') }),
      });
      return appView(lark, app);
    },
  },
  {
    method: 'POST',
    path: '/users',
    fields: 'name',
    answer: 'the user',
    doc: 'creates a person',
    run: (lark, fields) => userView(lark.addUser({ name: fields.text('name') })),
  },
  {
    method: 'POST',
    path: '/groups',
    fields: 'name, members?, apps?, mode? (group, topic)',
    answer: 'the chat',
    doc: 'creates a group; the first member owns it',
    run: (lark, fields) => {
      const mode = fields.choice('mode', ['group', 'topic']);
      const chat = lark.addGroup({
        name: fields.text('name'),
        members: fields.texts('members'),
        apps: fields.texts('apps'),
        ...(mode && { mode }),
      });
      return chatView(lark, chat);
    },
  },
  {
    method: 'POST',
    path: '/direct-chats',
    fields: 'user, app',
    answer: 'the chat',
    doc: 'the direct chat of a person and a bot, made if it does not exist',
    run: (lark, fields) => chatView(lark, lark.directChat(fields.text('user'), fields.text('app'))),
  },
  {
    method: 'POST',
    path: '/groups/bots',
    fields: 'chat, app, by',
    answer: '',
    doc: 'adds a bot to a group',
    run: (lark, fields) => lark.addBot(fields.text('chat'), fields.text('app'), fields.text('by')),
  },
  {
    method: 'DELETE',
    path: '/groups/bots',
    fields: 'chat, app, by',
    answer: '',
    doc: 'removes a bot from a group',
    run: (lark, fields) =>
      lark.removeBot(fields.text('chat'), fields.text('app'), fields.text('by')),
  },
  {
    method: 'POST',
    path: '/dissolve',
    fields: 'chat, by',
    answer: '',
    doc: 'dissolves a group',
    run: (lark, fields) => lark.dissolve(fields.text('chat'), fields.text('by')),
  },
  {
    method: 'GET',
    path: '/scans',
    fields: '',
    answer: 'userCodes',
    doc: 'codes of device grants that wait for a person',
    run: (lark) => ({ userCodes: lark.accounts.waiting() }),
  },
  {
    method: 'POST',
    path: '/scans',
    fields: 'userCode? or url?, approve, as?, brand?',
    answer: 'the app, if approved',
    doc: 'decides about a device grant, as the person who scanned the code',
    run: (lark, fields) => {
      const { userCode, url, as } = optionalTexts(fields, ['userCode', 'url', 'as']);
      const brand = fields.choice('brand', ['feishu', 'lark']);
      const app = lark.scan({
        approve: fields.flag('approve'),
        ...(userCode !== undefined && { userCode }),
        ...(url !== undefined && { url }),
        ...(as !== undefined && { as: lark.findUser(as) }),
        ...(brand && { brand }),
      });
      return app && appView(lark, app);
    },
  },
];

function optionalTexts<const N extends string>(
  fields: Parameters<ControlCommand['run']>[1],
  names: readonly N[],
): Record<N, string | undefined> {
  const pairs = names.map((name) => [name, fields.textOrNone(name)] as const);
  return Object.fromEntries(pairs) as Record<N, string | undefined>;
}

function appView(lark: LarkCloud, app: SimApp) {
  return {
    appId: app.appId,
    appSecret: app.appSecret,
    name: app.name,
    brand: app.brand,
    botOpenId: app.botOpenId,
    scopes: [...app.scopes],
    online: lark.online(app),
  };
}

function userView(user: SimUser) {
  return { openId: user.openId, unionId: user.unionId, userId: user.userId, name: user.name };
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
