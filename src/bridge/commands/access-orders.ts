/** The owner's words about who may talk to the bot. */
import type { OwnShow } from '../outbox/drafts.ts';
import type { AccessOrders, AccessResult, CommandSurroundings } from '../ports.ts';
import { commandNotices } from '../texts/commands.ts';
import type { CommandOrder } from './meant.ts';

type AccessWord = 'allow' | 'block' | 'revoke';
type AccessOrder = CommandOrder & { readonly name: AccessWord };

/** People are given this many characters. Which of them are valid is decided where the codes are made. */
const CODE = /^[A-Z0-9]{8}$/;

export async function orderAccess(
  order: AccessOrder,
  { access, prefix }: Pick<CommandSurroundings, 'access' | 'prefix'>,
): Promise<OwnShow> {
  const { name } = order;
  const result = access && ordered(order, access);
  if (result === undefined) {
    const isAlone = order.argument === '' && name !== 'revoke';
    return isAlone ? commandNotices.usageAlone(name, prefix) : commandNotices.usage(name, prefix);
  }
  return toldOf(await result, name);
}

/** Undefined if the order does not say whom it means. */
function ordered(order: AccessOrder, access: AccessOrders): Promise<AccessResult> | undefined {
  const { name, chatId, chatType, mentioned } = order;
  const [person, ...others] = mentioned;
  if (person !== undefined) return others.length > 0 ? undefined : access[name](person.openId);
  const argument = order.argument.normalize('NFKC').toUpperCase();
  if (name === 'allow' && CODE.test(argument)) return access.approve(argument);
  if (argument !== '' || name === 'revoke' || chatType === 'p2p') return undefined;
  return name === 'allow' ? access.allowChat(chatId) : access.denyChat(chatId);
}

function toldOf(result: AccessResult, name: AccessWord): OwnShow {
  switch (result) {
    case 'done':
      return commandNotices.accessDone(name);
    case 'unchanged':
      return commandNotices.accessUnchanged();
    case 'unknown':
      return commandNotices.accessUnknown();
    case 'refused':
      return commandNotices.accessRefused();
  }
}
