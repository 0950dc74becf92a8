/** Which answers need no card. */
import { LIMITS } from './limits.ts';

/**
 * What may be Markdown. It is enough to be right about what is none: a text that is taken for Markdown by mistake
 * is a card that looks like a text.
 */
const MAY_BE_MARKDOWN = new RegExp(
  [
    '[*_~`\\\\<\\[\\]|]', // emphasis, code, escapes, HTML, links, tables
    String.raw`^\s{0,3}(?:#{1,6}(?:\s|$)|>|[-+]\s|\d{1,9}[.)]\s|(?:-{3,}|={3,})\s*$)`, // headings, quotes, lists, rules
    String.raw`^(?: {4}|\t)`, // code by indentation
    String.raw`&#?\w{1,32};`, // entities
    String.raw`\$\$`, // mathematics
  ].join('|'),
  'm',
);

/** True for a short text without any Markdown. It is sent as it is. */
export function isPlain(text: string): boolean {
  return isShort(text) && !MAY_BE_MARKDOWN.test(text);
}

/** True for a text that is easy to read without a card. */
export function isShort(text: string): boolean {
  return text.length <= LIMITS.plainCharsMax && text.split('\n').length <= LIMITS.plainLinesMax;
}
