/** What a chat is shown of an agent's answer. It is pure. */
import type { Show } from '../outbox/show.ts';
import { isBlank, withoutTerminalControls } from '../../text/visible.ts';
import type { TurnAnswer, TurnQuestion } from '../ports/target.ts';
import { fileNotices } from '../texts/files.ts';
import { notices, question, withFiles } from '../texts/texts.ts';

/** The answer that ends a turn: something is shown in any case. */
export function showAnswer({
  text: said,
  files,
  attached,
  warning,
}: Extract<TurnAnswer, { kind: 'answered' }>): Show[] {
  // Programs write for terminals. A chat would show their colour codes.
  const text = withFiles(withoutTerminalControls(said), files);
  const { files: sent = [], leftOut = [] } = attached ?? {};
  const isEmpty = typeof text === 'string' && isBlank(text) && sent.length === 0;
  return [
    ...(isEmpty ? [notices.emptyAnswer()] : []),
    ...(isEmpty
      ? []
      : [{ what: 'answer', text, ...(sent.length > 0 && { files: sent }) } as const]),
    ...(leftOut.length === 0 ? [] : [fileNotices.leftOut(leftOut)]),
    ...(warning === undefined ? [] : [notices.warning(warning)]),
  ];
}

/** What comes after the answer. */
export function showMore(said: TurnAnswer | TurnQuestion, id: string): Show[] {
  const name = `more:${id}`;
  if (said.kind === 'failed') return [{ ...notices.agentFailed(said.detail), name }];
  const words = said.kind === 'question' ? question(said.wants, said.text) : said.text;
  const text = withFiles(words, said.files);
  const isNothing = typeof text === 'string' && isBlank(text);
  return isNothing ? [] : [{ what: 'answer', name, text }];
}
