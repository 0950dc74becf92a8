/** Names after an @ in what a person writes. */

/** Somebody who can be mentioned. */
export interface Named {
  /** `all` is everybody. */
  readonly id: string;
  readonly name: string;
}

/** The text in pieces: words, and who is mentioned between them. Of two names the longer one counts. */
export function withNames(words: string, named: readonly Named[]): readonly (string | Named)[] {
  const byLength = named.toSorted((one, other) => other.name.length - one.name.length);
  const pieces: (string | Named)[] = [];
  let start = 0;
  let at = words.indexOf('@');
  while (at >= 0) {
    const begin = at + 1;
    const found = byLength.find(({ name }) => name !== '' && words.startsWith(name, begin));
    if (found !== undefined) {
      if (at > start) pieces.push(words.slice(start, at));
      pieces.push(found);
      start = begin + found.name.length;
    }
    at = words.indexOf('@', Math.max(begin, start));
  }
  if (start < words.length) pieces.push(words.slice(start));
  return pieces;
}
