/** How large something becomes in the body of a request. */
import { cardMarkdown, cellMarkdown } from './card-markdown.ts';
import { lettersOf } from './letters.ts';
import { LIMITS } from './limits.ts';
import type { Block, Inline, ListItem, Table } from './markdown/tree.ts';

/** An element around a text: its braces, its tag and the comma after it. */
const ELEMENT_BYTES = 60;
/** A column of a table with its properties. */
const COLUMN_BYTES = 190;
const CELL_BYTES = 18;
/** A line end between two texts. */
const BREAK_BYTES = 3;

/**
 * Bytes of a text in a request. It is a value in the JSON of the content, which is itself a text in the JSON of the
 * request, so a quote needs four.
 */
export function bytesInRequest(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === 0x22 || unit === 0x5c) bytes += 4;
    else if (unit === 0x0a || unit === 0x09) bytes += 3;
    else if (unit < 0x20) bytes += 7;
    else if (unit < 0x80) bytes += 1;
    else if (unit < 0x8_00) bytes += 2;
    // Each half of a pair counts for half of its four bytes.
    else bytes += unit >= 0xd8_00 && unit <= 0xdf_ff ? 2 : 3;
  }
  return bytes;
}

const blocks = new WeakMap<Block, number>();
const quoted = new WeakMap<Block, number>();
const items = new WeakMap<ListItem, number>();

/** Bytes of a block in the request of a card, a little more than exact. What is larger than a card is not counted to its end. */
export function bytesOfBlock(block: Block): number {
  return remembered(blocks, block, measured);
}

function measured(block: Block): number {
  switch (block.kind) {
    case 'paragraph':
    case 'heading':
      return bytesOfText(block);
    case 'quote':
      return sum(block.children, bytesInQuote, 0);
    case 'list':
      return sum(block.items, bytesOfItem, 0);
    case 'code_block':
      return sum(block.lines, bytesOfLine, codeFrameBytes);
    case 'table':
      return sum(block.rows, bytesOfRow, bytesOfHead(block));
    case 'rule':
      return ELEMENT_BYTES;
    case 'picture':
      return ELEMENT_BYTES * 3 + bytesInRequest(block.label) + bytesInRequest(block.key);
  }
}

/** A block as the only one in a quote. */
export function bytesInQuote(child: Block): number {
  return remembered(quoted, child, () => bytesOfText({ kind: 'quote', children: [child] }));
}

/** An item as the only one in a list, with a number of many digits. */
export function bytesOfItem(item: ListItem): number {
  return remembered(items, item, () =>
    bytesOfText({ kind: 'list', start: NUMBER_OF_MANY_DIGITS, items: [item] }),
  );
}

const NUMBER_OF_MANY_DIGITS = 99_999;

function bytesOfText(block: Block): number {
  return ELEMENT_BYTES + BREAK_BYTES * 2 + bytesInRequest(cardMarkdown(block));
}

function remembered<T extends object>(
  known: WeakMap<T, number>,
  item: T,
  measure: (item: T) => number,
): number {
  const bytes = known.get(item) ?? measure(item);
  known.set(item, bytes);
  return bytes;
}

function sum<T>(all: readonly T[], bytesOf: (item: T) => number, first: number): number {
  let bytes = first;
  for (const item of all) {
    if (bytes > LIMITS.cardBodyBytesMax) break;
    bytes += bytesOf(item);
  }
  return bytes;
}

/** The fences and the language around code. The fence is as long as the code needs it. */
export const codeFrameBytes = ELEMENT_BYTES + 100;

export function bytesOfLine(line: string): number {
  // What would be a mention gets one more sign, and a fence around this line has to be longer than it.
  const signs = (line.match(/<|&/g) ?? []).length * 3;
  const fence = /^\s*(`{3,})/.exec(line)?.[1]?.length ?? 0;
  return BREAK_BYTES + bytesInRequest(line) + signs + fence * 2;
}

export function bytesOfHead({ head }: Table): number {
  return head.reduce(
    (bytes, cell) => bytes + COLUMN_BYTES + bytesInRequest(lettersOf(cell)),
    ELEMENT_BYTES * 4,
  );
}

export function bytesOfRow(row: readonly (readonly Inline[])[]): number {
  return row.reduce((bytes, cell) => bytes + CELL_BYTES + bytesInRequest(cellMarkdown(cell)), 6);
}
