/** Which entry of a list is meant by what a person typed: its number, or its name. It is pure. */

type Picked =
  | { readonly kind: 'at'; readonly at: number }
  /** Numbers begin with 1, and the list has no such number. */
  | { readonly kind: 'no_such_number'; readonly count: number }
  /** It is no number, and no entry has this name. */
  | { readonly kind: 'other' };

/** More entries than this are in no list, so a longer number is a name or the beginning of an id. */
const DIGITS_MAX = 3;

export function pickFrom(names: readonly string[], argument: string): Picked {
  const wanted = plain(argument);
  const named = names.findIndex((name) => plain(name) === wanted);
  if (named !== -1) return { kind: 'at', at: named };
  const digits = argument.normalize('NFKC');
  if (!/^\d+$/.test(digits) || digits.length > DIGITS_MAX) return { kind: 'other' };
  const at = Number(digits) - 1;
  return at in names ? { kind: 'at', at } : { kind: 'no_such_number', count: names.length };
}

/** Capital letters, full-width forms and what stands between words make no other name. */
function plain(name: string): string {
  return name
    .normalize('NFKC')
    .toLowerCase()
    .trim()
    .replaceAll(/[\s_-]+/g, '-');
}
