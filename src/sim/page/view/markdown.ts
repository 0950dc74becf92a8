/** Reads the Markdown of cards and posts into blocks. A line break stays one, as in Lark. */
import { parseInlines } from './inlines.ts';
import { textBlock, type Align, type Block, type ListItem, type TableCell } from './nodes.ts';
import type { NameOf } from './scan.ts';

/** Deeper lists and quotes than this are shown as they were written. */
const DEPTH_MAX = 10;

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/;
const RULE = /^ {0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,}|<hr\s*\/?>)$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])(\s+)(.*)$/;
const DASHES = /^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;

interface Reading {
  readonly lines: readonly string[];
  readonly nameOf: NameOf;
  readonly depth: number;
}

/** Blocks, and the line after them. */
interface Read {
  readonly block: Block;
  readonly next: number;
}

export function parseMarkdown(source: string, nameOf: NameOf, depth = 0): readonly Block[] {
  const lines = source.replaceAll('\r\n', '\n').split('\n');
  const reading: Reading = { lines, nameOf, depth };
  const blocks: Block[] = [];
  let paragraph: string[] = [];
  const endParagraph = () => {
    if (paragraph.length > 0) blocks.push(textBlock(parseInlines(paragraph.join('\n'), nameOf)));
    paragraph = [];
  };
  for (let at = 0; at < lines.length;) {
    const line = lines[at] ?? '';
    if (line.trim() === '') {
      endParagraph();
      at += 1;
      continue;
    }
    const read = blockAt(reading, at);
    if (read === undefined) {
      paragraph.push(line.trimStart());
      at += 1;
      continue;
    }
    endParagraph();
    blocks.push(read.block);
    at = read.next;
  }
  endParagraph();
  return blocks;
}

function blockAt(reading: Reading, at: number): Read | undefined {
  const { lines, nameOf, depth } = reading;
  const line = lines[at] ?? '';
  if (FENCE.test(line)) return codeAt(lines, at);
  const heading = HEADING.exec(line);
  if (heading !== null) {
    const inlines = parseInlines(heading[2] ?? '', nameOf);
    return { block: textBlock(inlines, { level: heading[1]?.length ?? 1 }), next: at + 1 };
  }
  if (RULE.test(line)) return { block: { kind: 'rule' }, next: at + 1 };
  if (line.includes('|') && DASHES.test(lines[at + 1] ?? '') && lines[at + 1]?.includes('|')) {
    return tableAt(reading, at);
  }
  if (depth >= DEPTH_MAX) return undefined;
  if (QUOTE.test(line)) return quoteAt(reading, at);
  return ITEM.test(line) ? listAt(reading, at) : undefined;
}

/** Up to a fence that is as long, or to the end. */
function codeAt(lines: readonly string[], at: number): Read {
  const [, fence = '```', language = ''] = FENCE.exec(lines[at] ?? '') ?? [];
  const isEnd = (line: string) => line.trim().startsWith(fence) && /^\s*(`+|~+)\s*$/.test(line);
  const found = lines.findIndex((line, index) => index > at && isEnd(line));
  const end = found < 0 ? lines.length : found;
  const text = lines.slice(at + 1, end).join('\n');
  return { block: { kind: 'code', language: language.trim(), text }, next: end + 1 };
}

function quoteAt({ lines, nameOf, depth }: Reading, at: number): Read {
  let next = at;
  while (next < lines.length && QUOTE.test(lines[next] ?? '')) next += 1;
  const inside = lines.slice(at, next).map((line) => line.replace(QUOTE, ''));
  const blocks = parseMarkdown(inside.join('\n'), nameOf, depth + 1);
  return { block: { kind: 'quote', blocks }, next };
}

function listAt({ lines, nameOf, depth }: Reading, at: number): Read {
  const [, indent = '', marker = ''] = ITEM.exec(lines[at] ?? '') ?? [];
  const isNumbered = /\d/.test(marker);
  const items: string[][] = [];
  let next = at;
  for (; next < lines.length; next += 1) {
    const line = lines[next] ?? '';
    const item = ITEM.exec(line);
    const isOwn = item !== null && (item[1] ?? '').length <= indent.length + 1;
    if (isOwn) {
      if (/\d/.test(item[2] ?? '') !== isNumbered || RULE.test(line)) break;
      items.push([item[4] ?? '']);
      continue;
    }
    if (line.trim() === '') {
      if (!isInside(lines[next + 1] ?? '', indent)) break;
      items.at(-1)?.push('');
      continue;
    }
    if (!isInside(line, indent)) break;
    items.at(-1)?.push(line.slice(Math.min(spacesOf(line), indent.length + marker.length + 1)));
  }
  const start = isNumbered ? Number.parseInt(marker, 10) : undefined;
  const read = (item: readonly string[]) => itemOf(item.join('\n'), nameOf, depth + 1);
  return { block: { kind: 'list', start, items: items.map(read) }, next };
}

/** Whether a line belongs to an item: it stands more to the right, or goes on after a blank line as a new item. */
function isInside(line: string, indent: string): boolean {
  return line.trim() !== '' && spacesOf(line) > indent.length;
}

function spacesOf(line: string): number {
  return line.length - line.trimStart().length;
}

function itemOf(source: string, nameOf: NameOf, depth: number): ListItem {
  const box = /^\[([ xX])\] /.exec(source);
  const words = box === null ? source : source.slice(box[0].length);
  const isChecked = box === null ? undefined : box[1] !== ' ';
  return { isChecked, blocks: parseMarkdown(words, nameOf, depth) };
}

function tableAt({ lines, nameOf }: Reading, at: number): Read {
  const aligns = cellsOf(lines[at + 1] ?? '').map(alignOf);
  const cell = (words: string, column: number): TableCell => ({
    blocks: words === '' ? [] : [textBlock(parseInlines(words, nameOf))],
    align: aligns[column] ?? 'left',
  });
  let next = at + 2;
  while (next < lines.length && (lines[next] ?? '').includes('|')) next += 1;
  const head = cellsOf(lines[at] ?? '').map(cell);
  const rows = lines.slice(at + 2, next).map((line) => cellsOf(line).map(cell));
  return { block: { kind: 'table', head, rows, pageSize: undefined }, next };
}

function cellsOf(line: string): string[] {
  const inside = line
    .trim()
    .replace(/^\|/, '')
    .replace(/(?<!\\)\|$/, '');
  return inside.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll(String.raw`\|`, '|'));
}

function alignOf(dashes: string): Align {
  if (dashes.startsWith(':') && dashes.endsWith(':')) return 'center';
  return dashes.endsWith(':') ? 'right' : 'left';
}
