/** Finds the word that somebody meant who made a typing mistake. */

/** From this length on two mistakes are still recognised. In a shorter word they make another word. */
const TWO_MISTAKES_CHARS = 6;

/** The one with the fewest mistakes; undefined if every one is another word. */
export function nearestOf(word: string, known: Iterable<string>): string | undefined {
  let nearest: { readonly name: string; readonly distance: number } | undefined;
  for (const name of known) {
    const most = name.length >= TWO_MISTAKES_CHARS ? 2 : 1;
    // So many letters are missing or too many, whatever the letters are.
    if (Math.abs(name.length - word.length) > most) continue;
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
