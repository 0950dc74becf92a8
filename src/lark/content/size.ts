/** How large something becomes in the body of a request. */
import { cardMarkdown, cellMarkdown } from './card-markdown.ts';
import { lettersOf } from './letters.ts';
import type { Block, Inline, Table } from './markdown/tree.ts';

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

const known = new WeakMap<Block, number>();

/** Bytes of a block in the request of a card, a little more than exact. */
export function bytesOfBlock(block: Block): number {
  const size = known.get(block) ?? measured(block);
  known.set(block, size);
  return size;
}

function measured(block: Block): number {
  switch (block.kind) {
    case 'paragraph':
    case 'heading':
    case 'quote':
    case 'list':
      return ELEMENT_BYTES + BREAK_BYTES * 2 + bytesInRequest(cardMarkdown(block));
    case 'code_block':
      return codeFrameBytes + block.lines.reduce((sum, line) => sum + bytesOfLine(line), 0);
    case 'table':
      return bytesOfHead(block) + block.rows.reduce((sum, row) => sum + bytesOfRow(row), 0);
    case 'rule':
      return ELEMENT_BYTES;
    case 'picture':
      return ELEMENT_BYTES * 3 + bytesInRequest(block.label) + bytesInRequest(block.key);
  }
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
    (sum, cell) => sum + COLUMN_BYTES + bytesInRequest(lettersOf(cell)),
    ELEMENT_BYTES * 4,
  );
}

export function bytesOfRow(row: readonly (readonly Inline[])[]): number {
  return row.reduce((sum, cell) => sum + CELL_BYTES + bytesInRequest(cellMarkdown(cell)), 6);
}
