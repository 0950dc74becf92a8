import { split } from 'shlex';
import { BridgeError } from '../core/errors.ts';

/** Splits a command into words as a shell would, and expands nothing. Throws `usage` if it can't be split. */
export function parseCommand(text: string): string[] {
  const words = wordsOf(text);
  if (words[0] === undefined || words[0] === '') {
    throw new BridgeError('usage', 'the command is empty', {
      next: 'Name a program and its arguments, for example: --exec "./answer.sh --short"',
    });
  }
  if (text.includes('\0')) throw new BridgeError('usage', 'the command holds a NUL character');
  return words;
}

function wordsOf(text: string): string[] {
  try {
    return split(text);
  } catch (error) {
    // All that the splitter throws is about quotes and backslashes that are left open.
    throw new BridgeError('usage', `a quote in the command is not closed: ${text}`, {
      next: 'Close the quote, or write \\" or \\\' for one that is part of a word.',
      cause: error,
    });
  }
}
