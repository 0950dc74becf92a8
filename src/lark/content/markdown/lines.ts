/** What a line of Markdown begins, as far as the reader of lines has to know it. */

interface Fence {
  /** What stands before the fence: spaces, and perhaps the sign of a list item. */
  readonly before: string;
  readonly sign: string;
  readonly length: number;
  readonly language: string;
}

const FENCE = /^(\s*(?:(?:[-*+]|\d{1,9}[.)]) {1,4})?)(`{3,}|~{3,})(.*)$/;
const MARKER = /^([ \t]*)([-*+]|\d{1,9}[.)])(?=[ \t]|$)/;
const DEFINITION =
  /^ {0,3}\[(?!\^)([^[\]]{1,200})\]:[ \t]*<?(\S{1,2000}?)>?(?:[ \t]+(?:"[^"]*"|'[^']*'|\([^()]*\)))?[ \t]*$/;
const FOOTNOTE = /^ {0,3}\[\^([^\]\s]{1,40})\]:[ \t]*(.*)$/;

export function fenceIn(line: string): Fence | undefined {
  const [, before = '', fence = '', rest = ''] = FENCE.exec(line) ?? [];
  if (fence === '' || (fence.startsWith('`') && rest.includes('`'))) return undefined;
  const language = /^\s*([^\s{},]*)/.exec(rest)?.[1] ?? '';
  return { before, sign: fence.charAt(0), length: fence.length, language };
}

export function closesFence(line: string, { sign, length }: Fence): boolean {
  const trimmed = line.trim();
  return trimmed.length >= length && trimmed === sign.repeat(trimmed.length);
}

/** How far a line is indented. A tab leads to the next fourth column. */
export function indentOf(line: string): number {
  let columns = 0;
  for (const sign of line) {
    if (sign === ' ') columns += 1;
    else if (sign === '\t') columns += 4 - (columns % 4);
    else break;
  }
  return columns;
}

/** The line without so many columns of its indentation. */
export function dedented(line: string, columns: number): string {
  let [taken, at] = [0, 0];
  while (taken < columns && (line[at] === ' ' || line[at] === '\t')) {
    taken += line[at] === '\t' ? 4 - (taken % 4) : 1;
    at += 1;
  }
  // A tab may be wider than what has to go.
  return ' '.repeat(Math.max(0, taken - columns)) + line.slice(at);
}

export function isBlankLine(line: string): boolean {
  return line.trim() === '';
}

/** The column of the sign of a list item. */
export function markerIn(line: string): { column: number; number: number | undefined } | undefined {
  const [, space, sign = ''] = MARKER.exec(line) ?? [];
  if (space === undefined) return undefined;
  return {
    column: indentOf(space),
    number: /^\d/.test(sign) ? Number.parseInt(sign, 10) : undefined,
  };
}

export function isQuoted(line: string): boolean {
  return /^ {0,3}>/.test(line);
}

export function unquoted(line: string): string {
  return line.replace(/^ {0,3}> ?/, '');
}

/** True for a line that can't go on with the paragraph before it. */
export function beginsBlock(line: string): boolean {
  return (
    fenceIn(line) !== undefined ||
    markerIn(line) !== undefined ||
    /^ {0,3}(?:#{1,6}(?:\s|$)|(?:[-*_=]\s*)+$)/.test(line)
  );
}

/** True for the row of dashes under the head of a table. */
export function isDelimiterRow(line: string): boolean {
  return line.includes('|') && line.includes('-') && /^[\s|:-]+$/.test(line);
}

/** Cells that a row has beyond the columns of its table would be left out. They become a part of the last one. */
export function withinColumns(row: string, delimiterRow: string): string {
  const columns = borders(delimiterRow).length + 1;
  const extra = borders(row).slice(columns - 1);
  return extra.toReversed().reduce((text, at) => `${text.slice(0, at)}\\${text.slice(at)}`, row);
}

/** Where one cell ends and another one begins. */
function borders(row: string): number[] {
  const from = row.search(/\S/);
  const end = row.trimEnd().length - 1;
  const found: number[] = [];
  for (let at = row.indexOf('|'); at >= 0; at = row.indexOf('|', at + 1)) {
    if (at !== from && at !== end && row[at - 1] !== '\\') found.push(at);
  }
  return found;
}

export function definitionIn(line: string): { label: string; address: string } | undefined {
  const [, label, address] = DEFINITION.exec(line) ?? [];
  return label === undefined || address === undefined
    ? undefined
    : { label: labelKey(label), address };
}

export function footnoteIn(line: string): { label: string; text: string } | undefined {
  const [, label, text = ''] = FOOTNOTE.exec(line) ?? [];
  return label === undefined ? undefined : { label, text };
}

/** Labels are compared without regard to case and spaces. */
export function labelKey(label: string): string {
  return label.toLowerCase().replaceAll(/\s+/g, ' ').trim();
}
