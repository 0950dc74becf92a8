/** The owner's words about the report of each day. */
import { directChatOf } from '../../core/ids.ts';
import type { OwnShow } from '../outbox/drafts.ts';
import type { CommandSurroundings } from '../ports/commands.ts';
import { commandNotices } from '../texts/commands.ts';
import { reportNotices } from '../texts/reports.ts';
import { minuteOfDay } from '../../time/time-of-day.ts';
import type { CommandOrder } from './turns-meant.ts';

export async function orderReport(
  { argument, chatId, chatType, by }: CommandOrder,
  { reports, prefix }: Pick<CommandSurroundings, 'reports' | 'prefix'>,
): Promise<OwnShow> {
  const words = argument.normalize('NFKC').toLowerCase().trim();
  if (reports === undefined) return commandNotices.usage('report', prefix);
  // The settings know the direct chat only by whose it is.
  const chat = chatType === 'p2p' ? directChatOf(by) : chatId;
  if (words === '') return reportNotices.now(await reports.now(chat));
  if (words === 'off') {
    await reports.end(chat, by);
    return reportNotices.ended();
  }
  const minute = minuteOfDay(words);
  if (minute === undefined) return commandNotices.usage('report', prefix);
  return reportNotices.begun(await reports.begin(chat, by, minute));
}
