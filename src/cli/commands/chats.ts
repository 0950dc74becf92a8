/** `lark-bridge chats`: in which groups the bot answers everybody, or nobody. */
import type { GroupAccess } from '../../bridge/ports/access.ts';
import { BridgeError } from '../../core/errors.ts';
import { LARK_ID_PATTERN } from '../../core/ids.ts';
import { giveAccessOrder } from '../access-orders.ts';
import type { CommandGroup, Invocation, Subcommand } from '../command.ts';
import { withOperations } from '../operator.ts';
import { tableOf } from '../table.ts';

const chat = { chat: { describe: 'Id of the group (oc_…)', offers: 'chat' } } as const;

const COLUMNS = [{ head: 'NAME', narrowest: 12 }, { head: 'STATE' }, { head: 'CHAT' }];

const list: Subcommand = {
  usage: 'list',
  describe: 'Show the groups that the bot knows, and who may talk to it there',
  examples: { 'lark-bridge chats list': 'Show the groups with their ids' },
  run: (invocation) =>
    withOperations(invocation, async ({ access }) => {
      const chats = (await access.groups()).map(groupView);
      const { output } = invocation;
      const rows = chats.map(({ chat_id, state, name }) => [name ?? '-', state, chat_id]);
      const table = tableOf(COLUMNS, rows, output.width);
      output.result(rows.length === 0 ? 'The bot knows no groups yet.' : table, { chats });
    }),
};

const allow: Subcommand = {
  usage: 'allow <chat>',
  isForOperator: true,
  describe: 'Let everybody in a group talk to the bot there',
  examples: { 'lark-bridge chats allow oc_a1b2': 'Answer everybody in this group' },
  positionals: chat,
  run: (invocation) =>
    withOperations(invocation, async (operations) => {
      const subject = chatIdOf(invocation);
      const done = `Everybody in ${subject} may talk to the bot there now.`;
      await giveAccessOrder(invocation, operations, { kind: 'chat_allow', subject, done });
    }),
};

const deny: Subcommand = {
  usage: 'deny <chat>',
  isForOperator: true,
  describe: 'Answer only the owner in a group',
  examples: { 'lark-bridge chats deny oc_a1b2': 'Answer nobody but the owner in this group' },
  positionals: chat,
  run: (invocation) =>
    withOperations(invocation, async (operations) => {
      const subject = chatIdOf(invocation);
      const done = `The bot answers only its owner in ${subject} now.`;
      await giveAccessOrder(invocation, operations, { kind: 'chat_deny', subject, done });
    }),
};

export const chatsCommand: CommandGroup = {
  commands: [list, allow, deny],
  standard: list,
};

/** `known`: people who may talk to the bot in private. `closed`: nobody, until it is allowed. */
function groupView({ chatId: id, name, state, isExternal }: GroupAccess) {
  const undecided = isExternal === true || isExternal === 'unknown' ? 'closed' : 'known';
  return { chat_id: id, name: name ?? null, state: state ?? undecided };
}

function chatIdOf({ options }: Invocation): string {
  const typed = String(options['chat']);
  if (typed.startsWith('oc_') && LARK_ID_PATTERN.test(typed)) return typed;
  throw new BridgeError('usage', `${typed} is not the id of a group`, {
    next: 'Give an id (oc_…) from `lark-bridge chats list`.',
  });
}
