/**
 * What the bot needs of its app in Lark, one row each. `doctor` checks all of it, and `connect` asks for the rows that
 * are `asked`. A longer link makes a QR code that does not fit into 80 columns.
 * A permission, an event or a callback that nothing uses has no row.
 */
import type { AppNeeds, EventNeed, ScopeNeed } from './facts.ts';

/** What a link asks for an app, by their names. */
export interface AppRights {
  readonly scopes: readonly string[];
  readonly events: readonly string[];
  readonly callbacks: readonly string[];
}

/** Lark's documentation names the permissions on the page of each call and each event. */
export const SCOPE_NEEDS = {
  direct: {
    anyOf: ['im:message.p2p_msg:readonly', 'im:message.p2p_msg', 'im:message'],
    otherwise: 'hear what people write to it directly',
    essential: true,
    asked: true,
  },
  mention: {
    anyOf: [
      'im:message.group_at_msg:readonly',
      'im:message.group_at_msg.include_bot:readonly',
      'im:message.group_at_msg',
      'im:message.group_msg',
      'im:message',
    ],
    otherwise: 'hear who mentions it in a group',
    essential: true,
    asked: true,
  },
  answer: {
    anyOf: ['im:message:send_as_bot', 'im:message:send', 'im:message'],
    otherwise: 'answer',
    essential: true,
    asked: true,
  },
  history: {
    anyOf: ['im:message:readonly', 'im:message.history:readonly', 'im:message'],
    otherwise: 'read back what was said while it was away',
    essential: false,
    asked: true,
  },
  groupHistory: {
    // With it the bot receives every message in its groups.
    anyOf: ['im:message.group_msg'],
    otherwise: 'read back what was said in groups while it was away',
    essential: false,
    asked: false,
  },
  chatKind: {
    anyOf: ['im:chat:readonly', 'im:chat:read', 'im:chat'],
    // It also shows the names of groups and of their members.
    otherwise: 'tell a group from a direct chat when it reads back what was said',
    essential: false,
    asked: true,
  },
  files: {
    anyOf: ['im:resource', 'im:resource:upload'],
    otherwise: 'send the pictures and files of its answers',
    essential: false,
    asked: true,
  },
  names: {
    anyOf: ['contact:user.basic_profile:readonly'],
    otherwise: 'tell its agent the names of those who write to it directly',
    essential: false,
    asked: false,
  },
  sign: {
    anyOf: ['im:message.reactions:write_only', 'im:message'],
    otherwise: 'show that it is at work',
    essential: false,
    asked: true,
  },
  groupEvents: {
    anyOf: ['im:chat.members:bot_access', 'im:chat:readonly', 'im:chat'],
    otherwise: 'notice that it was added to a group',
    essential: false,
    asked: true,
  },
  enteredEvents: {
    anyOf: ['im:chat.access_event.bot_p2p_chat:read'],
    otherwise: 'notice that a person opened its chat',
    essential: false,
    asked: false,
  },
  ownSigns: {
    anyOf: ['im:message.reactions:read', 'im:message:readonly', 'im:message'],
    otherwise: 'find its own signs again after a crash',
    essential: false,
    asked: true,
  },
  live: {
    anyOf: ['cardkit:card:write'],
    otherwise: 'show an answer while it grows, without more calls',
    essential: false,
    asked: true,
  },
} as const satisfies Readonly<Record<string, ScopeNeed>>;

export const EVENT_NEEDS = {
  message: {
    name: 'im.message.receive_v1',
    otherwise: 'Lark sends the bridge no messages.',
    essential: true,
    asked: true,
  },
  recall: {
    name: 'im.message.recalled_v1',
    otherwise: 'A message that was recalled while it waited is answered all the same.',
    essential: false,
    asked: true,
  },
  menu: {
    name: 'application.bot.menu_v6',
    otherwise:
      "Entries of the bot's menu do nothing; its words (/help, /new, /stop, /status) still work.",
    essential: false,
    asked: true,
  },
  added: {
    name: 'im.chat.member.bot.added_v1',
    otherwise:
      'The bot says nothing when it is added to a group, and the owner has to allow each group.',
    essential: false,
    asked: true,
  },
  entered: {
    name: 'im.chat.access_event.bot_p2p_chat_entered_v1',
    otherwise: 'The bot says nothing to a person who opens its chat for the first time.',
    essential: false,
    asked: false,
  },
} as const satisfies Readonly<Record<string, EventNeed>>;

/**
 * An event that some apps get, although no document says how an app subscribes to it. So it is taken when it comes,
 * but neither asked for nor checked.
 */
export const EDIT_EVENT = 'im.message.updated_v1';

/** Callbacks come over the same connection as events, but the app subscribes to them separately. */
export const CALLBACK_NEEDS = {
  button: {
    name: 'card.action.trigger',
    otherwise: 'Buttons of the bot do nothing; its words (/run, /skip, /retry) still work.',
    essential: false,
    asked: true,
  },
} as const satisfies Readonly<Record<string, EventNeed>>;

/** All rows: the doctor checks an app against them. */
export const APP_NEEDS: AppNeeds = {
  scopes: Object.values<ScopeNeed>(SCOPE_NEEDS),
  events: Object.values<EventNeed>(EVENT_NEEDS),
  callbacks: Object.values<EventNeed>(CALLBACK_NEEDS),
  ownSettings: 'application:application:self_manage',
};

/** What `connect` asks for when it creates the app. */
export const ASKED_AT_FIRST: AppRights = {
  scopes: fewest(APP_NEEDS.scopes.filter(({ asked }) => asked)),
  events: namesOf(APP_NEEDS.events.filter(({ asked }) => asked)),
  callbacks: namesOf(APP_NEEDS.callbacks.filter(({ asked }) => asked)),
};

/** Names of permissions, events and callbacks, sorted by what they are; undefined if one is of no use to the bridge. */
export function rightsNamed(names: readonly string[]): AppRights | undefined {
  const scopes = [...APP_NEEDS.scopes.flatMap(({ anyOf }) => anyOf), APP_NEEDS.ownSettings];
  const [events, callbacks] = [namesOf(APP_NEEDS.events), namesOf(APP_NEEDS.callbacks)];
  const among = (list: readonly string[]) => names.filter((name) => list.includes(name));
  const rights = { scopes: among(scopes), events: among(events), callbacks: among(callbacks) };
  const found = new Set(Object.values(rights).flat());
  return names.every((name) => found.has(name)) ? rights : undefined;
}

function namesOf(needs: readonly EventNeed[]): string[] {
  return needs.map(({ name }) => name);
}

/** The least of each need, without those that a permission of another need serves as well. */
function fewest(needs: readonly ScopeNeed[]): string[] {
  const least = needs.map(({ anyOf }) => anyOf[0]);
  return needs
    .filter(({ anyOf: [, ...broader] }) => !broader.some((name) => least.includes(name)))
    .map(({ anyOf }) => anyOf[0]);
}
