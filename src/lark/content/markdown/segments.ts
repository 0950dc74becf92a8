/**
 * Reads the lines of an answer once, and takes out what the parser must not or need not see: code and mathematics,
 * which can be long; definitions and footnotes, which belong to the whole answer; and what is beyond the bounds.
 */
import { LIMITS } from '../limits.ts';
import { linkAddress } from '../links.ts';
import {
  closesFence,
  beginsBlock,
  dedented,
  definitionIn,
  fenceIn,
  footnoteIn,
  indentOf,
  isBlankLine,
  isDelimiterRow,
  isQuoted,
  labelKey,
  markerIn,
  unquoted,
  withinColumns,
} from './lines.ts';
import { Work } from './work.ts';

export type Segment =
  | { readonly kind: 'markdown'; readonly text: string }
  | { readonly kind: 'plain'; readonly text: string }
  | { readonly kind: 'quote'; readonly segments: readonly Segment[] }
  | { readonly kind: 'code'; readonly language: string; readonly lines: readonly string[] };

export interface Footnote {
  readonly label: string;
  readonly text: string;
}

interface Segments {
  readonly segments: readonly Segment[];
  /** Addresses by label, for links such as `[text][label]`. */
  readonly definitions: ReadonlyMap<string, string>;
  readonly footnotes: readonly Footnote[];
}

/** From this size on the parser gets the next piece at the next place where blocks can be told apart. */
const PIECE_CHARS = 6_000;
/** A larger piece is cut between any two lines. */
const PIECE_CHARS_MAX = 16_000;
/** A formula that does not end within so many lines is none. */
const FORMULA_LINES_MAX = 100;

export function segmentsOf(text: string): Segments {
  const answer = new WholeAnswer(text);
  return {
    segments: new LineReader(text.split('\n'), answer, 0).read(),
    definitions: answer.definitions,
    footnotes: answer.footnotes,
  };
}

/** What belongs to the whole answer, also inside of quotes. */
class WholeAnswer {
  readonly labelsUsed: ReadonlySet<string>;
  readonly work = new Work();
  readonly definitions = new Map<string, string>();
  readonly footnotes: Footnote[] = [];
  charsRead = 0;

  constructor(text: string) {
    this.labelsUsed = labelsIn(text);
  }
}

class LineReader {
  readonly #lines: readonly string[];
  readonly #answer: WholeAnswer;
  /** How many quotes it is inside of. */
  readonly #depth: number;
  readonly #segments: Segment[] = [];
  #at = 0;
  /** Lines for the parser, and the lines after them that make one paragraph so far. */
  #piece: string[] = [];
  #pieceChars = 0;
  #paragraph: string[] = [];
  /** Columns of the list items that are open. */
  #columns: number[] = [];
  /** The head of the table that is open, with its row of dashes. */
  #tableHead: string[] = [];
  /** Inside of a list that was left: so many columns are taken from each line. */
  #dedent = 0;

  constructor(lines: readonly string[], answer: WholeAnswer, depth: number) {
    this.#lines = lines;
    this.#answer = answer;
    this.#depth = depth;
  }

  read(): readonly Segment[] {
    while (this.#at < this.#lines.length) {
      const line = this.#next();
      if (this.#depth === 0) this.#answer.charsRead += line.length + 1;
      this.#at += 1;
      this.#take(line);
    }
    this.#endPiece();
    return this.#segments;
  }

  #next(): string {
    const line = this.#lines[this.#at] ?? '';
    if (this.#dedent === 0 || isBlankLine(line)) return line;
    const left = this.#dedent - indentOf(line);
    if (left > 0) {
      // It belongs to a list further outside, and does not go on with what was inside.
      this.#endParagraph();
      this.#push('');
      this.#columns = this.#columns.map((column) => column + left);
      this.#dedent -= left;
    }
    return dedented(line, this.#dedent);
  }

  #take(line: string): void {
    if (this.#takeFenced(line) || this.#takeIndented(line) || this.#takeFormula(line)) return;
    if (this.#takeQuote(line)) return;
    if (this.#answer.charsRead > LIMITS.markdownCharsMax) {
      this.#endPiece();
      // Code inside of lists is still told apart from code by indentation.
      if (!isBlankLine(line)) this.#followLists(line);
      this.#plain(line);
      return;
    }
    if (this.#takeFootnote(line)) return;
    const text = this.#withoutDefinition(line);
    if (text !== undefined) this.#takeText(text);
  }

  #takeFenced(line: string): boolean {
    const fence = fenceIn(line);
    // Without a list, four spaces begin code that may show a fence.
    if (fence === undefined || (indentOf(line) > 3 && this.#columns.length === 0)) return false;
    const isMarked = fence.before.trim() !== '';
    if (isMarked) this.#takeText(fence.before);
    this.#endPiece();
    const columns = this.#dedent + (isMarked ? fence.before.length : indentOf(fence.before));
    const lines: string[] = [];
    while (this.#at < this.#lines.length) {
      const next = dedented(this.#lines[this.#at] ?? '', columns);
      this.#at += 1;
      if (closesFence(next, fence)) break;
      lines.push(next);
    }
    this.#segments.push({ kind: 'code', language: fence.language, lines });
    this.#restart(columns);
    return true;
  }

  /** What follows at this column or after it was inside of something that the parser does not see any more. */
  #restart(columns: number): void {
    this.#dedent = columns;
    this.#columns = [];
  }

  #takeIndented(line: string): boolean {
    const isCode = this.#paragraph.length === 0 && this.#columns.length === 0 && !isBlankLine(line);
    if (!isCode || indentOf(line) < 4) return false;
    this.#endPiece();
    const lines = [line];
    for (let next = this.#lines[this.#at]; next !== undefined; next = this.#lines[this.#at]) {
      if (!isBlankLine(next) && indentOf(next) < this.#dedent + 4) break;
      lines.push(dedented(next, this.#dedent));
      this.#at += 1;
    }
    while (isBlankLine(lines.at(-1) ?? 'x')) lines.pop();
    this.#segments.push({
      kind: 'code',
      language: '',
      lines: lines.map((one) => dedented(one, 4)),
    });
    return true;
  }

  /** A quote is read as an answer of its own, so that its code is treated alike. */
  #takeQuote(line: string): boolean {
    if (this.#columns.length > 0 || this.#depth >= LIMITS.nestingMax || !isQuoted(line))
      return false;
    this.#endPiece();
    const lines = [unquoted(line)];
    for (let next = this.#lines[this.#at]; next !== undefined; next = this.#lines[this.#at]) {
      const text = dedented(next, Math.min(this.#dedent, indentOf(next)));
      // A line without the sign goes on with a paragraph of the quote.
      const isLazy = !isBlankLine(text) && !isBlankLine(lines.at(-1) ?? '') && !beginsBlock(text);
      if (!isQuoted(text) && !isLazy) break;
      lines.push(isQuoted(text) ? unquoted(text) : text);
      this.#at += 1;
      if (this.#depth === 0) this.#answer.charsRead += next.length + 1;
    }
    const segments = new LineReader(lines, this.#answer, this.#depth + 1).read();
    this.#segments.push({ kind: 'quote', segments });
    return true;
  }

  #takeFormula(line: string): boolean {
    const trimmed = line.trim();
    const end = trimmed.startsWith('$$') ? '$$' : trimmed.startsWith('\\[') ? '\\]' : undefined;
    if (end === undefined || this.#paragraph.length > 0) return false;
    const first = trimmed.slice(2);
    const isWhole = first.length > 2 && first.endsWith(end);
    const isBegun = !isWhole && (end === '$$' ? !first.includes(end) : first === '');
    const count = isWhole ? 0 : isBegun ? this.#linesUntil(end) : undefined;
    if (count === undefined) return false;
    const rest = Array.from({ length: count }, () => {
      const next = this.#next();
      this.#at += 1;
      return next;
    });
    const lines = [first, ...rest].map((one) => one.trimEnd());
    lines.push((lines.pop() ?? '').slice(0, -2));
    this.#endPiece();
    const shown = lines.filter((one, index) => one.trim() !== '' || (index > 0 && index < count));
    this.#segments.push({ kind: 'code', language: 'latex', lines: shown });
    return true;
  }

  /** How many lines it takes until one ends with this. */
  #linesUntil(end: string): number | undefined {
    for (let count = 1; count <= FORMULA_LINES_MAX; count += 1) {
      const line = this.#lines[this.#at + count - 1];
      if (line === undefined) return undefined;
      if (line.trimEnd().endsWith(end)) return count;
    }
    return undefined;
  }

  #takeFootnote(line: string): boolean {
    const footnote = footnoteIn(line);
    if (footnote === undefined || !this.#answer.labelsUsed.has(`^${labelKey(footnote.label)}`))
      return false;
    const lines = [footnote.text];
    for (;;) {
      const next = this.#lines[this.#at] ?? '';
      if (isBlankLine(next) || indentOf(next) < 2) break;
      lines.push(next.trim());
      this.#at += 1;
    }
    this.#endParagraph();
    const text = lines.join('\n');
    const isRead = this.#answer.work.take(lines);
    this.#answer.footnotes.push({ label: footnote.label, text: isRead ? text : escapedText(text) });
    return true;
  }

  /** Notes the address that a line defines. A line that only looks like that is kept as text. */
  #withoutDefinition(line: string): string | undefined {
    const found = this.#paragraph.length === 0 ? definitionIn(line) : undefined;
    if (found === undefined) return line;
    const isUsed =
      this.#answer.labelsUsed.has(found.label) && !this.#answer.definitions.has(found.label);
    const isAddress = linkAddress(found.address) !== undefined || /[./]/.test(found.address);
    if (!isUsed || !isAddress) return line.replace('[', '\\[');
    this.#answer.definitions.set(found.label, found.address);
    return undefined;
  }

  #takeText(line: string): void {
    if (isBlankLine(line)) {
      this.#endParagraph();
      this.#tableHead = [];
      this.#push('');
      this.#endPieceIfLarge();
      return;
    }
    this.#followLists(line);
    const row = this.#asRow(line);
    this.#paragraph.push(row);
  }

  #followLists(line: string): void {
    const marker = markerIn(line);
    if (marker === undefined) {
      if (indentOf(line) === 0 && this.#paragraph.length === 0) this.#columns = [];
      if (/^ {0,3}#{1,6}\s/.test(line)) this.#endParagraph();
      return;
    }
    const { column, number } = marker;
    const isOpen = this.#columns.length > 0;
    // Inside a paragraph only these begin a list.
    if (
      !isOpen &&
      (column > 3 || (this.#paragraph.length > 0 && number !== undefined && number !== 1))
    )
      return;
    this.#endParagraph();
    while ((this.#columns.at(-1) ?? -1) >= column) this.#columns.pop();
    this.#columns.push(column);
  }

  #asRow(line: string): string {
    const [above] = this.#paragraph.slice(-1);
    const [, delimiters] = this.#tableHead;
    if (delimiters === undefined) {
      if (above !== undefined && isDelimiterRow(line)) this.#tableHead = [above, line];
      return line;
    }
    // Each row of a table is read for itself.
    this.#endParagraph();
    return withinColumns(line, delimiters);
  }

  #endParagraph(): void {
    const lines = this.#paragraph;
    if (lines.length === 0) return;
    this.#paragraph = [];
    const chars = lines.reduce((sum, line) => sum + line.length + 1, 0);
    const isDeep = this.#columns.length > LIMITS.nestingMax;
    if (isDeep || chars > PIECE_CHARS_MAX || !this.#answer.work.take(lines)) {
      this.#flush();
      this.#plain(lines.join('\n'));
      this.#restart(this.#dedent + indentOf(lines[0] ?? ''));
      return;
    }
    if (this.#pieceChars + chars > PIECE_CHARS_MAX) {
      this.#flush();
      for (const line of this.#tableHead) if (!lines.includes(line)) this.#push(line);
    }
    for (const line of lines) this.#push(line);
  }

  #push(line: string): void {
    this.#piece.push(line);
    this.#pieceChars += line.length + 1;
  }

  #endPieceIfLarge(): void {
    const next = this.#lines[this.#at] ?? '';
    const isBorder = indentOf(next) === 0 && !isBlankLine(next) && markerIn(next) === undefined;
    if (this.#pieceChars > PIECE_CHARS && isBorder && !next.startsWith('>')) this.#flush();
  }

  #endPiece(): void {
    this.#endParagraph();
    this.#tableHead = [];
    this.#flush();
  }

  #flush(): void {
    const text = this.#piece.join('\n');
    this.#piece = [];
    this.#pieceChars = 0;
    if (!isBlankLine(text)) this.#segments.push({ kind: 'markdown', text });
  }

  #plain(text: string): void {
    const last = this.#segments.at(-1);
    // Few large texts instead of one for each line.
    if (last?.kind === 'plain') this.#segments.pop();
    this.#segments.push({
      kind: 'plain',
      text: last?.kind === 'plain' ? `${last.text}\n${text}` : text,
    });
  }
}

/** What stands in square brackets anywhere, other than where it is defined. */
function labelsIn(text: string): ReadonlySet<string> {
  return new Set(
    [...text.matchAll(/\[([^[\]\n]{1,200})\](?!:)/g)].map(([, label = '']) => labelKey(label)),
  );
}

function escapedText(text: string): string {
  return text.replaceAll(/[!-/:-@[-`{-~]/g, String.raw`\$&`);
}
