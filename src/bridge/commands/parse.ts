/** Finds the command in what a person typed. It is pure. */
import type { CommandName } from '../../core/content.ts';
import type { InboundMessage } from '../../core/message.ts';
import { visibleOf } from '../../text/visible.ts';
import { type CommandWords, wordsOf } from './table.ts';

export type TypedCommand =
  | { readonly kind: 'command'; readonly name: CommandName; readonly argument: string }
  /** Not a command, but it looks like the nearest one with a typing mistake. Both as people type them. */
  | { readonly kind: 'mistyped'; readonly word: string; readonly nearest: string };

/** A command is at most this long, and so is one with a typing mistake. */
const WORD_CHARS_MAX = 12;
/** From this length on two mistakes are still recognised. In a shorter word they make another word. */
const TWO_MISTAKES_CHARS = 6;

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
  const nearest = nearestOf(word, known.keys());
  if (nearest === undefined) return undefined;
  const asTyped = (one: string) => `${words.prefix}${one}`;
  return { kind: 'mistyped', word: asTyped(word), nearest: asTyped(nearest) };
}

/** Full-width forms, capital letters and the like are the same sign. */
function plain(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

function nearestOf(word: string, known: Iterable<string>): string | undefined {
  if (!/^[a-z]+$/.test(word) || word.length > WORD_CHARS_MAX) return undefined;
  let nearest: { readonly name: string; readonly distance: number } | undefined;
  for (const name of known) {
    const most = name.length >= TWO_MISTAKES_CHARS ? 2 : 1;
    const distance = mistakesBetween(word, name);
    if (distance > most || distance >= (nearest?.distance ?? Infinity)) continue;
    nearest = { name, distance };
  }
  return nearest?.name;
}

/** How many letters were left out, added, changed, or swapped with their neighbour. */
function mistakesBetween(one: string, other: string): number {
  let before: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row += 1) {
    const next = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const isSame = one[row - 1] === other[column - 1];
      const isSwapped =
        row > 1 &&
        column > 1 &&
        one[row - 1] === other[column - 2] &&
        one[row - 2] === other[column - 1];
      next[column] = Math.min(
        at(last, column) + 1,
        at(next, column - 1) + 1,
        at(last, column - 1) + (isSame ? 0 : 1),
        isSwapped ? at(before, column - 2) + 1 : Infinity,
      );
    }
    [before, last] = [last, next];
  }
  return at(last, other.length);
}

const at = (row: readonly number[], column: number) => row[column] ?? Infinity;
