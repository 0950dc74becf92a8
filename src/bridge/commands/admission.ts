/** What becomes of a message that is a word to the bridge itself. */
import type { InboundMessage } from '../../core/message.ts';
import { turnsMeantBy } from './turns-meant.ts';
import type { TypedCommand } from './parse.ts';
import { type DraftedAt, ownDraft } from '../outbox/drafts.ts';
import type { Admission } from '../ports/changes.ts';
import type { Journal } from '../ports/journal.ts';
import { commandNotices } from '../texts/commands.ts';

interface CommandContext {
  readonly journal: Pick<Journal, 'askable' | 'openIn'>;
  readonly at: DraftedAt;
}

type Settled = Pick<Admission, 'state' | 'out' | 'renewsSession'>;

export async function commandAdmission(
  message: InboundMessage,
  typed: TypedCommand,
  { journal, at }: CommandContext,
): Promise<Settled> {
  if (typed.kind === 'mistyped') {
    const { word, nearest } = typed;
    const hint = commandNotices.mistyped({ word, nearest });
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
