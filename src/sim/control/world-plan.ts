import {
  flag,
  listOf,
  withNote,
  numberIn,
  object,
  oneOf,
  optional,
  text,
  texts,
  type ValuesOf,
} from './fields.ts';
import type { LarkCloud } from './lark-cloud.ts';
import { Misuse } from '../world/misuse.ts';
import type { SimApp, SimChat, SimUser } from '../world/model.ts';

/** A hundred years. A larger value is a mistake in the unit. */
const AGO_MAX_MS = 100 * 366 * 24 * 3_600_000;

/** The last time that a JavaScript date can have. */
const TIME_MAX_MS = 8.64e15;

/** The content of a message, as files and control calls give it. */
export const CONTENT_SHAPE = {
  text: optional(text),
  mentions: optional(texts),
  messageType: optional(text),
  content: optional(object),
};

/** A whole message: who writes it, and when. */
export const MESSAGE_SHAPE = {
  from: text,
  ...CONTENT_SHAPE,
  replyTo: optional(text),
  inThread: optional(flag),
  partOf: optional(text),
  atMs: optional(numberIn({ min: 0, max: TIME_MAX_MS })),
  agoMs: optional(numberIn({ min: 0, max: AGO_MAX_MS, whole: false })),
};

export const HISTORY_SHAPE = {
  ...MESSAGE_SHAPE,
  replyTo: optional(withNote(text, 'an id, or #0 for the first of the list')),
};

const PERSON_SHAPE = { name: text, email: optional(text), tenantKey: optional(text) };

const APP_SHAPE = {
  name: text,
  appId: optional(text),
  appSecret: optional(text),
  brand: optional(oneOf(['feishu', 'lark'])),
  bot: optional(flag),
  scopes: optional(texts),
  addScopes: optional(texts),
  subscriptions: optional(texts),
};

const CHAT_SHAPE = {
  mode: optional(oneOf(['group', 'topic', 'direct'])),
  name: optional(text),
  members: optional(texts),
  apps: optional(texts),
  messages: optional(listOf(HISTORY_SHAPE)),
};

/** A world file. Chats refer to people and apps by their names. */
export const WORLD_SHAPE = {
  people: optional(listOf(PERSON_SHAPE)),
  apps: optional(listOf(APP_SHAPE)),
  chats: optional(listOf(CHAT_SHAPE)),
};

export type WorldPlan = ValuesOf<typeof WORLD_SHAPE>;
type ChatPlan = ValuesOf<typeof CHAT_SHAPE>;
type MessagePlan = ValuesOf<typeof MESSAGE_SHAPE>;

interface BuiltWorld {
  readonly users: readonly SimUser[];
  readonly apps: readonly SimApp[];
  readonly chats: readonly SimChat[];
}

/** Adds everything in the plan. If names do not fit together, it adds nothing and throws one error that lists all problems. */
export function buildWorld(lark: LarkCloud, plan: WorldPlan): BuiltWorld {
  const { people = [], apps = [], chats = [] } = plan;
  const problems = problemsOf(lark, plan);
  if (problems.length > 0) throw new Misuse(problems.join('; '));
  return {
    users: people.map((person) => lark.addUser(person)),
    apps: apps.map(({ bot, addScopes, ...app }) =>
      lark.changeApp(lark.addApp(app), { bot, addScopes }),
    ),
    chats: chats.map((chat, at) => buildChat(lark, chat, `chats[${at}]`)),
  };
}

/** Puts messages into a chat, oldest first. No app gets an event for them. */
export function writeHistory(
  lark: LarkCloud,
  chat: SimChat,
  messages: readonly MessagePlan[],
): string[] {
  const ids: string[] = [];
  for (const [at, message] of messages.entries()) {
    try {
      const earlier = /^#(\d+)$/.exec(message.replyTo ?? '')?.[1];
      const replyTo = earlier === undefined ? message.replyTo : ids[Number(earlier)];
      if (earlier !== undefined && replyTo === undefined) {
        throw new Misuse(`replyTo ${message.replyTo} is not an earlier message of the list`);
      }
      const said = sayAtTime(lark, chat, {
        ...message,
        ...(replyTo !== undefined && { replyTo }),
        silent: true,
      });
      ids.push(said.messageId);
    } catch (error) {
      if (!(error instanceof Misuse)) throw error;
      throw new Misuse(`messages[${at}]: ${error.message}`);
    }
  }
  return ids;
}

/** Writes a message at the time `atMs`, or `agoMs` before now. */
export function sayAtTime(
  lark: LarkCloud,
  chat: SimChat | string,
  { atMs, agoMs, ...message }: MessagePlan & { readonly silent?: boolean | undefined },
) {
  if (atMs !== undefined && agoMs !== undefined) {
    throw new Misuse('give only one of atMs and agoMs');
  }
  const writtenAtMs = agoMs === undefined ? atMs : lark.world.nowMs() - agoMs;
  return lark.say({ ...message, chat, atMs: writtenAtMs });
}

function buildChat(lark: LarkCloud, plan: ChatPlan, at: string): SimChat {
  const { mode, name = '', members = [], apps = [], messages = [] } = plan;
  const chat =
    mode === 'direct'
      ? lark.directChat(members[0] ?? '', apps[0] ?? '')
      : lark.addGroup({ name, members, apps, ...(mode && { mode }) });
  try {
    writeHistory(lark, chat, messages);
  } catch (error) {
    if (!(error instanceof Misuse)) throw error;
    throw new Misuse(`${at}.${error.message}`);
  }
  return chat;
}

/** What does not fit together, one sentence each. */
function problemsOf(lark: LarkCloud, { people = [], apps = [], chats = [] }: WorldPlan): string[] {
  const { world } = lark;
  const users = [...world.users.values()];
  const bots = [...world.apps.values()];
  const names = new Set(users.flatMap((user) => [user.name, user.openId]));
  const appNames = new Set(bots.flatMap((app) => [app.name, app.appId]));
  const emails = new Set(users.map((user) => user.email));
  const problems: string[] = [];
  const claim = (taken: Set<string>, value: string | undefined, where: string) => {
    if (value === undefined) return;
    if (taken.has(value)) problems.push(`${where} ${JSON.stringify(value)} is used twice`);
    taken.add(value);
  };
  for (const [at, { name, email }] of people.entries()) {
    claim(names, name, `people[${at}].name`);
    claim(emails, email, `people[${at}].email`);
  }
  for (const [at, { name, appId }] of apps.entries()) {
    claim(appNames, name, `apps[${at}].name`);
    claim(appNames, appId, `apps[${at}].appId`);
    if (appId !== undefined && !/^cli_[0-9a-f]{16}$/i.test(appId)) {
      problems.push(`apps[${at}].appId is not cli_ and 16 hex digits`);
    }
  }
  for (const [at, chat] of chats.entries()) {
    problems.push(...chatProblems(chat, { at: `chats[${at}]`, names, appNames }));
  }
  return problems;
}

interface Known {
  readonly at: string;
  readonly names: ReadonlySet<string>;
  readonly appNames: ReadonlySet<string>;
}

function chatProblems(chat: ChatPlan, { at, names, appNames }: Known): string[] {
  const { mode, name, members = [], apps = [], messages = [] } = chat;
  const problems: string[] = [];
  if (mode === 'direct') {
    if (members.length !== 1 || apps.length !== 1) {
      problems.push(`${at} is direct: it needs exactly one member and one app`);
    }
  } else if (name === undefined) problems.push(`${at}.name is missing`);
  const missing = (what: string, where: string, value: string) =>
    problems.push(`${where}: there is no ${what} ${JSON.stringify(value)}`);
  for (const [index, value] of members.entries()) {
    if (!names.has(value)) missing('person', `${at}.members[${index}]`, value);
  }
  for (const [index, value] of apps.entries()) {
    if (!appNames.has(value)) missing('app', `${at}.apps[${index}]`, value);
  }
  for (const [index, { from, mentions = [] }] of messages.entries()) {
    const where = `${at}.messages[${index}]`;
    for (const value of [from, ...mentions.filter((one) => one !== 'all')]) {
      if (!names.has(value) && !appNames.has(value)) missing('person or app', where, value);
    }
  }
  return problems;
}
