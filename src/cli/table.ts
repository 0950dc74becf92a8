/** Tables and paragraphs for a terminal, and for a pipe, where nothing is cut. */
import { cutToWidth, widthOf } from '../text/width.ts';

/** A column of a table. `narrowest`: on a terminal it may be cut down to this many characters. */
interface Column {
  readonly head: string;
  readonly narrowest?: number;
}

const GAP = '  ';

type Rows = readonly (readonly string[])[];

/** Rows of words as aligned columns below their heads. `width` is that of the terminal, if there is one. */
export function tableOf(columns: readonly Column[], rows: Rows, width?: number): string {
  const { head, lines } = tableFor(columns, rows, width);
  return [head, ...lines(rows)].join('\n');
}

/** A table that grows: its columns fit the rows that are there at first. */
export function tableFor(columns: readonly Column[], first: Rows, width?: number) {
  const heads = columns.map(({ head }) => head);
  const widths = widthsOf([heads, ...first]);
  if (width !== undefined) narrow(widths, columns, width);
  const cut = (row: readonly string[]) =>
    width === undefined
      ? row
      : row.map((word, at) => (isCut(columns[at]) ? cutToWidth(word, widths[at] ?? 0) : word));
  const lines = (rows: Rows) => alignedLines(rows.map(cut), widths);
  return { head: lines([heads]).join(''), lines };
}

/** Rows of words as aligned columns. */
export function columnsOf(rows: Rows): string {
  return alignedLines(rows, widthsOf(rows)).join('\n');
}

/** A text in lines of at most `width` columns. All lines but the first begin with `indent`. */
export function wrapped(
  text: string,
  { width, indent }: { readonly width: number; readonly indent: string },
): string {
  const lines: string[] = [];
  let rest = text;
  while (widthOf(rest) > width) {
    const at = breakIn(rest, width);
    if (at === undefined) break;
    lines.push(rest.slice(0, at));
    rest = `${indent}${rest.slice(at + 1)}`;
  }
  return [...lines, rest].join('\n');
}

/** The last space that leaves a line that fits, else the first one. */
function breakIn(text: string, width: number): number | undefined {
  const from = text.search(/\S/);
  const spaces = [...text.matchAll(/ /g)].map(({ index }) => index).filter((at) => at > from);
  return spaces.findLast((at) => widthOf(text.slice(0, at)) <= width) ?? spaces[0];
}

function widthsOf(rows: Rows): number[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [at, word] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, widthOf(word));
  }
  return widths;
}

function isCut(column: Column | undefined): boolean {
  return column?.narrowest !== undefined;
}

/** Takes from the widest column that may be cut, until the table fits or nothing is left to take. */
function narrow(widths: number[], columns: readonly Column[], width: number): void {
  const gaps = GAP.length * (widths.length - 1);
  let over = widths.reduce((sum, one) => sum + one, gaps) - width;
  while (over > 0) {
    const widest = columns
      .map(({ narrowest }, at) => ({ at, width: widths[at] ?? 0, narrowest }))
      .filter((one) => one.narrowest !== undefined && one.width > one.narrowest)
      .reduce<{ at: number; width: number } | undefined>(
        (most, one) => (most === undefined || one.width > most.width ? one : most),
        undefined,
      );
    if (widest === undefined) return;
    widths[widest.at] = widest.width - 1;
    over -= 1;
  }
}

function alignedLines(rows: Rows, widths: readonly number[]): string[] {
  return rows.map((row) =>
    row
      .map((word, at) => word + ' '.repeat(Math.max(0, (widths[at] ?? 0) - widthOf(word))))
      .join(GAP)
      .trimEnd(),
  );
}
