/** What people say about tools that agents want to use. */
import type { OwnShow } from '../outbox/drafts.ts';
import type { ApprovalStore } from '../ports/approvals.ts';
import { allowOption, rejectOption, wasAskedBefore } from '../questions/question.ts';
import type { Questions } from '../questions/questions.ts';
import { permissionNotices } from '../texts/permissions.ts';
import { lateText, outcomeText } from '../texts/questions.ts';
import type { CommandOrder } from './turns-meant.ts';

type Decision = CommandOrder & { readonly name: 'approve' | 'deny' };

/** The newest question for a permission in this chat, or the one with the number. What was asked later is not meant. */
export async function orderDecision(
  { name, argument, chatId, by, sentAtMs = Infinity }: Decision,
  questions: Questions,
): Promise<OwnShow> {
  const { number, isAlways } = readArgument(argument);
  const open = questions
    .openIn(chatId)
    .filter((one) => one.permission !== undefined && wasAskedBefore(one, sentAtMs));
  const question = number === undefined ? open[0] : open.find((one) => one.number === number);
  if (question === undefined) {
    return number === undefined || open.length === 0
      ? permissionNotices.nothingAsked()
      : permissionNotices.noSuchNumber(number);
  }
  if (!questions.mayAnswer(question, by)) return permissionNotices.ownerOnly();
  const option = name === 'approve' ? allowOption(question) : rejectOption(question);
  if (option === undefined) return permissionNotices.noSuchOption();
  const isLasting = name === 'approve' && isAlways;
  if (isLasting && question.permission?.always === undefined) {
    return permissionNotices.alwaysNotOffered();
  }
  if (isLasting && !(await questions.mayAllowAlways(question, by))) {
    return permissionNotices.alwaysOwnerOnly();
  }
  const given = { option, ...(isLasting && { always: true as const }), by };
  const { isNew, state } = await questions.answer(question.key, given);
  if (state === undefined) return permissionNotices.nothingAsked();
  return permissionNotices.decided(isNew ? outcomeText(state) : lateText(state));
}

function readArgument(argument: string) {
  const words = argument.normalize('NFKC').toLowerCase().split(/\s+/);
  const digits = words.find((word) => /^\d{1,6}$/.test(word));
  return {
    number: digits === undefined ? undefined : Number(digits),
    isAlways: words.includes('always'),
  };
}

/** Undefined if the order does not say what it wants. The owner sees and takes back all, others what is their own. */
export async function orderApprovals(
  { argument, by, chatId }: CommandOrder,
  { approvals, isOwner }: { readonly approvals: ApprovalStore; readonly isOwner: boolean },
): Promise<OwnShow | undefined> {
  const known = approvals.all().map((approval) => ({ approval, isOwn: approval.by === by }));
  if (argument === '') {
    const here = known.filter(({ approval: { chat } }) => isOwner || (chat ?? chatId) === chatId);
    return permissionNotices.list(here);
  }
  const [, digits] = /^remove\s+(\d{1,9})$/.exec(argument.normalize('NFKC').toLowerCase()) ?? [];
  if (digits === undefined) return undefined;
  const number = Number(digits);
  const found = known.find(({ approval }) => approval.number === number);
  const isTheirs = found !== undefined && (isOwner || found.isOwn);
  const isRemoved = isTheirs && (await approvals.remove(number));
  return isRemoved ? permissionNotices.removed(number) : permissionNotices.unknown(number);
}
