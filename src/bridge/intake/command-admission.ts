/** What becomes of a message that is a word to the bridge itself. */
import type { InboundMessage } from '../../core/message.ts';
import { turnsMeantBy } from '../commands/meant.ts';
import { parseCommand } from '../commands/parse.ts';
import type { CommandWords } from '../commands/table.ts';
import { type DraftedAt, ownDraft } from '../outbox/drafts.ts';
import type { Admission } from '../ports/changes.ts';
import type { Journal } from '../ports/journal.ts';
import { commandNotices } from '../texts/commands.ts';

interface CommandContext {
  readonly journal: Pick<Journal, 'askable' | 'openIn'>;
  readonly words: CommandWords;
  readonly at: DraftedAt;
}

type Settled = Pick<Admission, 'state' | 'out' | 'renewsSession'>;

/** Undefined if the message is for the agent. */
export async function commandAdmission(
  message: InboundMessage,
  { journal, words, at }: CommandContext,
): Promise<Settled | undefined> {
  const typed = parseCommand(message, words);
  if (typed === undefined) return undefined;
  if (typed.kind === 'mistyped') {
    const { word, nearest } = typed;
    const hint = commandNotices.mistyped({ word, nearest: `${words.prefix}${nearest}` });
    const out = [ownDraft({ message, run: 1 }, hint, at)];
    return { state: { phase: 'answered' }, out };
  }
  const { name: action, argument } = typed;
  const { chatId, threadId, senderOpenId: by, sentAtMs } = message;
  const about = await turnsMeantBy(action, { chatId, threadId, by, sentAtMs }, journal);
  const given = argument !== '' && { argument };
  return {
    state: { phase: 'command', action, ...given, about },
    out: [],
    ...(action === 'new' && { renewsSession: true }),
  };
}
