/**
 * Lines of a person's text that a reader may take for the header line (`[lark-channel] …`) get a backslash in front.
 * A reader is a program in any language, or a model, which sees neither invisible characters nor the difference
 * between a letter and its look-alike. Pure.
 */

/** What any common language takes for the end of a line: \n \v \f \r FS GS RS NEL LS PS. */
const LINE_END = new RegExp(String.raw`[\n\v\f\r\u001C-\u001E\u0085\u2028\u2029]`, 'g');

const LINE_FEED = 0x0a;

/** Not seen, or seen as a gap: controls, formats, half surrogates, fillers, white space and marks on other letters. */
const UNSEEN =
  /^[\p{C}\p{Default_Ignorable_Code_Point}\p{White_Space}\p{M}\u2800\u{1D159}\u115F\u1160]$/u;

/**
 * Each character of the tag with what looks like it in usual fonts. Upper case, forms of full width, mathematical
 * letters, letters in circles and accents are not listed: folding removes them.
 */
const LOOK_ALIKES: readonly (readonly [string, string])[] = [
  ['[', '【〔〖〘〚「『⟦⟬❲⁅⦋⦍⦏⦗⎡⎢⎣⌈⌊'],
  ['l', '1|iıɩɭɫƚłʟіӏιӀⲓוןا∣ǀ⎮ꓲꓡᏞᏐ'],
  ['a', 'аαɑᴀ⍺ɐꓮᎪᗅ∀@'],
  ['r', 'гʀɼɽɾᴦⲅꓣᎡᏒᖇя'],
  ['k', 'кκᴋқҝҡƙⲕꓗᏦ'],
  ['-', '−–—―‐‑‒⁃⸺⸻⹀゠ー一ㅡ﹘~∼⁓〜_¯ˉ˗۔➖─━╌╍⎯⏤·'],
  ['c', 'сςσϲᴄƈçⲥⅽꓚᏟ¢'],
  ['h', 'һнհɦħʜηⲏꓧᏂᎻ'],
  ['a', ''],
  ['n', 'пոռνηɲɳŋɴᴎпⲛꓠ'],
  ['n', ''],
  ['e', 'еєεεɛҽᴇ℮ⲉꓰᎬ∈⋿'],
  ['l', ''],
  [']', '】〕〗〙〛」』⟧⟭❳⁆⦌⦎⦐⦘⎤⎥⎦⌉⌋'],
];
const TAG = LOOK_ALIKES.map(([letter]) => letter).join('');
const END = 1 << TAG.length;

/** Letters in black circles and squares, and those of flags. Unicode does not say which letters they are. */
const LETTER_ROWS = [0x1f150, 0x1f170, 0x1f1e6];
const LETTERS = 26;
/** The tag characters: an unseen copy of ASCII, which some models read. */
const UNSEEN_ASCII = { first: 0xe0020, last: 0xe007e, offset: 0xe0000 };
/** Seen as a hyphen by some, and not at all by others. */
const SOFT_HYPHEN = 0x00ad;

/** A text repeats its characters. With more of them than this the memory is emptied. */
const FOLDED_MAX = 4_096;
const FOLDED = new Map<number, readonly string[]>();

/** For each character: a bit for each place of the tag that it may stand in. */
const PLACES = placesOf(LOOK_ALIKES);

/** Puts a backslash in front of each line that may pass for the header line. */
export function withEscapes(text: string): string {
  return changedAt(text, headerLikeLines(text), (line) => `\\${line}`);
}

/** The text from which `withEscapes` made this one. */
export function withoutEscapes(text: string): string {
  const escaped = headerLikeLines(text).filter((start) => text[start] === '\\');
  return changedAt(text, escaped, (line) => line.slice(1));
}

function changedAt(
  text: string,
  starts: readonly number[],
  change: (line: string) => string,
): string {
  if (starts.length === 0) return text;
  const pieces = starts.map((start, index) => change(text.slice(start, starts[index + 1])));
  return text.slice(0, starts[0]) + pieces.join('');
}

/**
 * Where lines begin that may pass for the header line. A backslash, and whatever is not seen, changes nothing, so an
 * escaped line is found again. One pass over the text: `reached` has a bit for each place of the tag that is next,
 * and `startOf` says in which line it began. Within the tag even a line end may be one that a reader does not see.
 */
function headerLikeLines(text: string): number[] {
  const found: number[] = [];
  const startOf: number[] = [];
  let reached = 0;
  let at = 0;
  let isLineStart = true;
  while (at < text.length) {
    if (isLineStart) {
      reached |= 1;
      startOf[0] = at;
      isLineStart = false;
    }
    if (reached === 0) {
      // The rest of this line does not matter.
      LINE_END.lastIndex = at;
      const end = LINE_END.exec(text);
      if (end === null) break;
      at = end.index;
    }
    const code = text.codePointAt(at) ?? 0;
    at += code > 0xffff ? 2 : 1;
    if (isLineEnd(code)) {
      // Every reader sees this one.
      if (code === LINE_FEED) reached = 0;
      reached &= ~1;
      isLineStart = true;
      continue;
    }
    reached = next(reached, code, startOf);
    if ((reached & END) !== 0) {
      found.push(startOf[TAG.length] ?? 0);
      reached = 0;
    }
  }
  return found;
}

/** The places that are next after a character. */
function next(reached: number, code: number, startOf: number[]): number {
  const maybe = maybeSeenAs(code);
  if (maybe !== undefined) return reached | advanced(reached, maybe, startOf);
  let now = reached;
  for (const char of seenIn(code)) now = advanced(now, char, startOf);
  return now;
}

function advanced(reached: number, char: string, startOf: number[]): number {
  const moved = reached & (PLACES.get(char) ?? 0);
  for (let place = TAG.length - 1; place >= 0; place -= 1) {
    if ((moved & (1 << place)) !== 0) startOf[place + 1] = startOf[place] ?? 0;
  }
  return moved << 1;
}

/** A character that some readers see here, and others don't. */
function maybeSeenAs(code: number): string | undefined {
  if (code === SOFT_HYPHEN) return '-';
  const { first, last, offset } = UNSEEN_ASCII;
  return code >= first && code <= last
    ? String.fromCodePoint(code - offset).toLowerCase()
    : undefined;
}

/** What is seen of a character, in lower case and without accents. Nothing for a backslash, which escapes. */
function seenIn(code: number): readonly string[] {
  let seen = FOLDED.get(code);
  if (seen !== undefined) return seen;
  if (FOLDED.size >= FOLDED_MAX) FOLDED.clear();
  seen = foldedFrom(code);
  FOLDED.set(code, seen);
  return seen;
}

function foldedFrom(code: number): readonly string[] {
  const row = LETTER_ROWS.find((from) => code >= from && code < from + LETTERS);
  if (row !== undefined) return [String.fromCodePoint(0x61 + code - row)];
  const char = String.fromCodePoint(code);
  if (UNSEEN.test(char)) return [];
  const folded = Array.from(char.normalize('NFKD').toLowerCase().normalize('NFKD'));
  return folded.filter((one) => one !== '\\' && !UNSEEN.test(one));
}

function placesOf(rows: typeof LOOK_ALIKES): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  for (const [place, [letter]] of rows.entries()) {
    const others = rows.filter(([one]) => one === letter).map(([, alike]) => alike);
    for (const char of Array.from(letter + others.join('')).flatMap((one) =>
      seenIn(one.codePointAt(0) ?? 0),
    )) {
      places.set(char, (places.get(char) ?? 0) | (1 << place));
    }
  }
  return places;
}

function isLineEnd(code: number): boolean {
  if (code < 0x20) return (code >= LINE_FEED && code <= 0x0d) || (code >= 0x1c && code <= 0x1e);
  return code === 0x85 || code === 0x2028 || code === 0x2029;
}
