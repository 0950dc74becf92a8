/**
 * The token by which an agent can say which question its answer is for (LCM-OUT-09): it stands in the header
 * line of the turn, and an answer that begins with `[re:TOKEN]` belongs to that turn.
 */

/** Without vowels no word looks like a token; without look-alikes a token is copied as it is. */
export const REPLY_TOKEN_ALPHABET = '23456789bcdfghjkmnpqrstvwxz';
/** 38 bits: a wrong guess does not meet one of the turns that are remembered, and a model copies it well. */
export const REPLY_TOKEN_CHARS = 8;

const TOKEN = new RegExp(`^[${REPLY_TOKEN_ALPHABET}]{${REPLY_TOKEN_CHARS}}$`);
/** Models like to set such a mark in bold or as code. */
const MARK = /^\s*([*_`]*)\[re:\s*([A-Za-z0-9_-]{1,64})\s*\]\1[^\S\n]*\n*/i;

interface Marked {
  /** In the writing in which it was given out; undefined if the text begins with no mark. */
  readonly token: string | undefined;
  /** The text without its mark. */
  readonly text: string;
}

export const replyMark = (token: string): string => `[re:${token}]`;

/** Takes the mark off a text that begins with one, be its token known or not. */
export function withoutMark(text: string): Marked {
  const found = MARK.exec(text);
  const token = found?.[2];
  if (found === null || token === undefined) return { token: undefined, text };
  return { token: token.toLowerCase(), text: text.slice(found[0].length) };
}

/** For an answer whose turn is known: only what can't be a word of its own is taken off. */
export function withoutOwnMark(text: string): string {
  const marked = withoutMark(text);
  return marked.token !== undefined && TOKEN.test(marked.token) ? marked.text : text;
}
