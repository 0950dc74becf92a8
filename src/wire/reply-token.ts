/**
 * An agent uses this token to say which question it answers (LCM-OUT-09). The header line of the turn contains
 * the token. An answer that begins with `[re:TOKEN]` belongs to that turn.
 */

/** There are no vowels, so no word looks like a token. Characters that look like others are left out too. */
export const REPLY_TOKEN_ALPHABET = '23456789bcdfghjkmnpqrstvwxz';
/** 38 bits: a guess does not match a turn that is remembered, and a model can copy so few characters. */
export const REPLY_TOKEN_CHARS = 8;

const TOKEN = new RegExp(`^[${REPLY_TOKEN_ALPHABET}]{${REPLY_TOKEN_CHARS}}$`);
/** Models often write such a mark in bold or as code. */
const MARK = /^\s*([*_`]*)\[re:\s*([A-Za-z0-9_-]{1,64})\s*\]\1[^\S\n]*\n*/i;

interface Marked {
  /** In lower case, as it was given out. Undefined if the text does not begin with a mark. */
  readonly token: string | undefined;
  /** The text without its mark. */
  readonly text: string;
}

export const replyMark = (token: string): string => `[re:${token}]`;

/** Removes the mark at the beginning of a text. It does not check whether the token is known. */
export function withoutMark(text: string): Marked {
  const found = MARK.exec(text);
  const token = found?.[2];
  if (found === null || token === undefined) return { token: undefined, text };
  return { token: token.toLowerCase(), text: text.slice(found[0].length) };
}

/** For an answer whose turn is known. A mark is removed only if its token has the form of our tokens. */
export function withoutOwnMark(text: string): string {
  const marked = withoutMark(text);
  return marked.token !== undefined && TOKEN.test(marked.token) ? marked.text : text;
}
