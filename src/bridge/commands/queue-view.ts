/** What the bridge knows about a chat, for the commands that show it. */
import { shortened } from '../../text/cut.ts';
import type { Turn } from '../../core/turn.ts';
import { visibleOf } from '../../text/visible.ts';
import { messageText } from '../../wire/message-text.ts';
import { asSeen } from '../texts/seen.ts';
import { inEach } from '../texts/text.ts';
import type { QueueView, TurnLine } from '../texts/commands.ts';
import { isAtWork } from '../turns/phases.ts';

/** As much as people need to know a message again. */
const WORDS_CHARS_MAX = 60;
/** A longer list helps nobody. */
const LINES_MAX = 10;

/** The open turns of a chat, as its people see them. */
export function queueOf(open: readonly Turn[], nowMs: number): QueueView {
  const lines = (some: readonly Turn[]) =>
    some.slice(0, LINES_MAX).map((turn) => lineOf(turn, nowMs));
  const atWork = open.filter(({ state }) => isAtWork(state));
  const waiting = open.filter(({ state }) => state.phase === 'waiting');
  return {
    atWork: lines(atWork),
    waiting: lines(waiting),
    held: open.filter(({ state }) => state.phase === 'held').length,
    more: [atWork, waiting].reduce((sum, some) => sum + Math.max(0, some.length - LINES_MAX), 0),
  };
}

function lineOf({ message, receivedAtMs }: Turn, nowMs: number): TurnLine {
  const seen = asSeen(visibleOf(messageText(message.parts)));
  const words = inEach((lang) => shortened(seen[lang].replaceAll(/\s+/g, ' '), WORDS_CHARS_MAX));
  return { words, sinceMs: Math.max(0, nowMs - receivedAtMs) };
}
