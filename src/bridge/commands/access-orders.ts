/** The owner's words about who may talk to the bot. */
import type { OwnShow } from '../outbox/drafts.ts';
import type { AccessOrders, AccessOutcome } from '../ports/access.ts';
import type { CommandSurroundings } from '../ports/commands.ts';
import { commandNotices } from '../texts/commands.ts';
import type { CommandOrder } from './turns-meant.ts';

/** `unknown`: there is no such code, or it is too old. */
type Result = AccessOutcome | 'unknown';

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
function ordered(order: AccessOrder, access: AccessOrders): Promise<Result> | undefined {
  const { name, chatId, chatType, mentioned, by, once } = order;
  const decider = { by, once: `${once}:${name}` };
  const [person, ...others] = mentioned;
  if (person !== undefined) {
    return others.length > 0 ? undefined : access[name](person.openId, decider);
  }
  const argument = order.argument.normalize('NFKC').toUpperCase();
  if (name === 'allow' && CODE.test(argument)) return approved(access.approve(argument, decider));
  if (argument !== '' || name === 'revoke' || chatType === 'p2p') return undefined;
  return name === 'allow' ? access.allowChat(chatId, decider) : access.denyChat(chatId, decider);
}

async function approved(person: Promise<unknown>): Promise<Result> {
  return (await person) === undefined ? 'unknown' : 'done';
}

function toldOf(result: Result, name: AccessWord): OwnShow {
  switch (result) {
    case 'done':
      return commandNotices.accessDone(name);
    case 'unchanged':
      return commandNotices.accessUnchanged();
    case 'unknown':
      return commandNotices.accessUnknown();
    case 'is_owner':
      return commandNotices.accessRefused();
  }
}
