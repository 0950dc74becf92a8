/** The owner's words about what a chat is told of other chats. */
import type { OwnShow } from '../outbox/drafts.ts';
import type { CommandSurroundings } from '../ports/commands.ts';
import { FOLLOW_KINDS } from '../ports/news.ts';
import { commandNotices } from '../texts/commands.ts';
import { followNotices } from '../texts/news.ts';
import type { CommandOrder } from './turns-meant.ts';

export async function orderFollow(
  { argument, chatId, by }: CommandOrder,
  { follows, prefix }: Pick<CommandSurroundings, 'follows' | 'prefix'>,
): Promise<OwnShow> {
  const words = argument
    .normalize('NFKC')
    .toLowerCase()
    .split(/[\s,|]+/)
    .filter((word) => word !== '');
  const isOff = words.at(-1) === 'off';
  const named = isOff ? words.slice(0, -1) : words;
  const kinds = FOLLOW_KINDS.filter((kind) => named.includes(kind));
  const isKnown = named.every((word) => kinds.some((kind) => kind === word));
  if (follows === undefined || !isKnown) return commandNotices.usage('follow', prefix);
  if (isOff) await follows.end(chatId, kinds.length === 0 ? FOLLOW_KINDS : kinds);
  else if (kinds.length > 0) await follows.begin(chatId, kinds, by);
  return followNotices.list(follows.followedBy(chatId));
}
