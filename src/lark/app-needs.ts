/** What the bridge needs of its app in Lark's developer console. */

export interface ScopeNeed {
  /** Names of permissions, each of which is enough; the first is the narrowest. */
  readonly anyOf: readonly [string, ...string[]];
  /** What can't be done without it: "the bot can't …". */
  readonly otherwise: string;
  /** Without it nobody gets an answer. */
  readonly essential: boolean;
}

/** Which permissions a call takes: the pages of the calls in Lark's documentation. */
export const SCOPE_NEEDS: readonly ScopeNeed[] = [
  {
    anyOf: ['im:message.p2p_msg:readonly', 'im:message.p2p_msg', 'im:message'],
    otherwise: 'hear what people write to it directly',
    essential: true,
  },
  {
    anyOf: [
      'im:message.group_at_msg:readonly',
      'im:message.group_at_msg.include_bot:readonly',
      'im:message.group_at_msg',
      'im:message.group_msg',
      'im:message',
    ],
    otherwise: 'hear who mentions it in a group',
    essential: true,
  },
  {
    anyOf: ['im:message:send_as_bot', 'im:message:send', 'im:message'],
    otherwise: 'answer',
    essential: true,
  },
  {
    anyOf: ['im:message:readonly', 'im:message.history:readonly', 'im:message'],
    otherwise: 'read back what was said while it was away',
    essential: false,
  },
  {
    anyOf: ['im:message.reactions:write_only', 'im:message'],
    otherwise: 'show that it is at work',
    essential: false,
  },
  {
    anyOf: ['im:message.reactions:read', 'im:message:readonly', 'im:message'],
    otherwise: 'find its own signs again after a crash',
    essential: false,
  },
];

/** A callback among them comes over the same connection, but is subscribed to by itself. */
export const EVENT_NEEDS = {
  message: 'im.message.receive_v1',
  recall: 'im.message.recalled_v1',
  button: 'card.action.trigger',
} as const;
