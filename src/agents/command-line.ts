import { split } from 'shlex';
import { BridgeError } from '../core/errors.ts';

/** Splits a command into words as a shell would, without expanding anything. Throws `usage` if that is impossible. */
export function parseCommand(text: string): string[] {
  const words = wordsOf(text);
  if (words[0] === undefined || words[0] === '') {
    throw new BridgeError('usage', 'the command is empty', {
      next: 'Name a program and its arguments, for example: --exec "./answer.sh --short"',
    });
  }
  if (text.includes('\0')) {
    throw new BridgeError('usage', 'the command contains a NUL character', {
      next: 'Remove it: no argument of a program can hold one.',
    });
  }
  return words;
}

/**
 * What of a command only a shell would understand: a pipe, a redirection, the end of a command, a variable. Undefined
 * if there is nothing, or if it is in quotes that keep it from a shell too.
 */
export function shellSignIn(text: string): string | undefined {
  const bare = text
    .replaceAll(/'[^']*'|\\./g, 'x')
    .replaceAll(/"([^"]*)"/g, (_, inner: string) => VARIABLE.exec(inner)?.[0] ?? 'x');
  return (OPERATOR.exec(bare) ?? VARIABLE.exec(bare))?.[0].trim();
}

/** As a word of its own, or where a shell would end one. */
const OPERATOR = /(?:^|\s)(?:\|\|?|&&?|\d?>>?(?:&\d)?|<)|;(?=\s|$)/;
const VARIABLE = /\$(?:\w+|[({])/;

function wordsOf(text: string): string[] {
  try {
    return split(text);
  } catch (error) {
    // Every error of the splitter is about a quote or a backslash that is left open.
    throw new BridgeError('usage', `a quote in the command is not closed: ${text}`, {
      next: 'Close the quote, or write \\" or \\\' for one that is part of a word.',
      cause: error,
    });
  }
}
