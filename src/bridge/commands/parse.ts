/** Finds the command in what a person typed. It is pure. */
import type { CommandName } from '../../core/content.ts';
import type { InboundMessage } from '../../core/message.ts';
import { nearestOf } from '../../text/nearest.ts';
import { visibleOf } from '../../text/visible.ts';
import { type CommandWords, wordsOf } from './table.ts';

export type TypedCommand =
  | { readonly kind: 'command'; readonly name: CommandName; readonly argument: string }
  /** Not a command, but it looks like the nearest one with a typing mistake. Both as people type them. */
  | { readonly kind: 'mistyped'; readonly word: string; readonly nearest: string };

/** A command is at most this long, and so is one with a typing mistake. */
const WORD_CHARS_MAX = 12;

/** Undefined if the message is for the agent. */
export function parseCommand(
  message: InboundMessage,
  words: CommandWords,
): TypedCommand | undefined {
  const [part, ...more] = message.parts;
  if (part?.kind !== 'text' || more.length > 0) return undefined;
  const text = visibleOf(part.text);
  const [first = ''] = text.split(/\s/, 1);
  const typed = plain(first);
  const prefix = plain(words.prefix);
  if (!typed.startsWith(prefix)) return undefined;
  const word = typed.slice(prefix.length);
  const known = wordsOf(words.names);
  const name = known.get(word);
  if (name !== undefined)
    return { kind: 'command', name, argument: text.slice(first.length).trim() };
  const nearest = looksLikeCommand(word) ? nearestOf(word, known.keys()) : undefined;
  if (nearest === undefined) return undefined;
  const asTyped = (one: string) => `${words.prefix}${one}`;
  return { kind: 'mistyped', word: asTyped(word), nearest: asTyped(nearest) };
}

/** Full-width forms, capital letters and the like are the same sign. */
function plain(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

/** A longer word, or one with other signs in it, was not meant for the bridge. */
function looksLikeCommand(word: string): boolean {
  return /^[a-z]+$/.test(word) && word.length <= WORD_CHARS_MAX;
}
