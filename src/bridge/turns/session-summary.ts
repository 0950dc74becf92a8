/** What was said in a session, for an agent that has lost its memory of it. It is pure. */
import { shortened } from '../../text/cut.ts';
import { isBlank } from '../../text/visible.ts';
import { messageText } from '../../wire/message-text.ts';
import type { TurnThen } from '../ports/sessions.ts';

/** More turns than fit into the summary, even if each says little. */
export const SUMMARY_TURNS_MAX = 100;
/** Enough to go on with a conversation, and little beside what an agent reads by itself. */
const SUMMARY_CHARS_MAX = 8_000;
/** So that one long text does not take the place of all others. */
const TEXT_CHARS_MAX = 1_500;

/** The latest turns as far as they fit, oldest first. Empty if nothing was said. */
export function summaryOf(turns: readonly TurnThen[]): string {
  const kept: string[] = [];
  let chars = 0;
  for (const turn of turns.toReversed()) {
    const lines = linesOf(turn);
    if (chars + lines.length > SUMMARY_CHARS_MAX) break;
    chars += lines.length;
    kept.unshift(lines);
  }
  return kept.join('');
}

function linesOf({ message, answers }: TurnThen): string {
  const answer = answers.map(({ text }) => text).join('\n');
  const said = [
    ['Person', messageText(message.parts)],
    ['Agent', answer],
  ] as const;
  return said
    .filter(([, text]) => !isBlank(text))
    .map(([who, text]) => `${who}: ${shortened(text.trim(), TEXT_CHARS_MAX)}\n`)
    .join('');
}
