/** Divides an answer into parts of which each fits into one card. */
import { elementCount, isText } from './card.ts';
import { LIMITS } from './limits.ts';
import type { Block, Code, List, Quote, Table } from './markdown/tree.ts';
import {
  bytesInQuote,
  bytesOfBlock,
  bytesOfHead,
  bytesOfItem,
  bytesOfLine,
  bytesOfRow,
  codeFrameBytes,
} from './size.ts';

/** The frame of a card, its summary and the number of the part. */
const FRAME_BYTES = 900;
const BYTES_MAX = LIMITS.cardContentBytesMax - FRAME_BYTES;

/** A block that does not fit is moved to the next part if this one is at least so full. Otherwise it is divided. */
const FULL_ENOUGH_BYTES = BYTES_MAX / 2;

/** The beginning of a block, as much as fits, and the rest. */
interface Cut {
  readonly head: readonly Block[];
  readonly rest: readonly Block[];
}

/**
 * The blocks in parts. Borders between blocks are preferred, a heading stays with what follows it, and code is cut
 * between lines only. Undefined if a line of code or a row is too long for a card.
 */
export function partsOf(blocks: readonly Block[]): (readonly Block[])[] | undefined {
  const parts: Block[][] = [];
  let part = new Part();
  // A stack: what is left of a divided block is next.
  const open = blocks.toReversed();
  for (let block = open.pop(); block !== undefined; block = open.pop()) {
    if (part.takes(block)) continue;
    const { head, rest } = part.isToBeFilledWith(block)
      ? cut(block, part.bytesLeft)
      : { head: [], rest: [block] };
    open.push(...rest.toReversed());
    part.add(head);
    if (part.isEmpty) {
      if (rest[0] === block) return undefined;
      continue;
    }
    const heading = part.takeLastHeading();
    if (heading !== undefined) open.push(heading);
    parts.push(part.blocks);
    part = new Part();
  }
  return part.isEmpty ? parts : [...parts, part.blocks];
}

class Part {
  readonly blocks: Block[] = [];
  bytes = 0;
  #elements = 0;
  #tables = 0;

  get isEmpty(): boolean {
    return this.blocks.length === 0;
  }

  get bytesLeft(): number {
    return BYTES_MAX - this.bytes;
  }

  /** Whether a part of a block that does not fit as a whole is to be shown here. */
  isToBeFilledWith(block: Block): boolean {
    if (this.isEmpty) return true;
    const hasRoom =
      this.#elements + 2 <= LIMITS.cardElementsUsed && this.#tables < LIMITS.cardTablesMax;
    return hasRoom && (this.bytes < FULL_ENOUGH_BYTES || bytesOfBlock(block) > BYTES_MAX);
  }

  takes(block: Block): boolean {
    const fits =
      bytesOfBlock(block) <= this.bytesLeft &&
      this.#elements + this.#elementsFor(block) <= LIMITS.cardElementsUsed &&
      this.#tables + tableCount(block) <= LIMITS.cardTablesMax;
    if (fits) this.add([block]);
    return fits;
  }

  add(blocks: readonly Block[]): void {
    for (const block of blocks) {
      this.#elements += this.#elementsFor(block);
      this.#tables += tableCount(block);
      this.bytes += bytesOfBlock(block);
      this.blocks.push(block);
    }
  }

  #elementsFor(block: Block): number {
    const last = this.blocks.at(-1);
    return last !== undefined && isText(last) && isText(block) ? 0 : elementCount(block);
  }

  /** A heading at the end belongs to what follows. Alone it stays, so that the work goes on. */
  takeLastHeading(): Block | undefined {
    const isLast = this.blocks.length > 1 && this.blocks.at(-1)?.kind === 'heading';
    return isLast ? this.blocks.pop() : undefined;
  }
}

function tableCount({ kind }: Block): number {
  return kind === 'table' ? 1 : 0;
}

function cut(block: Block, bytesMax: number): Cut {
  switch (block.kind) {
    case 'code_block':
      return cutCode(block, bytesMax);
    case 'table':
      return cutTable(block, bytesMax);
    case 'list':
      return cutList(block, bytesMax);
    case 'quote':
      return cutQuote(block, bytesMax);
    case 'paragraph':
    case 'heading':
    case 'rule':
    case 'picture':
      return { head: [], rest: [block] };
  }
}

function cutCode(block: Code, bytesMax: number): Cut {
  const count = countThatFits(block.lines, bytesOfLine, bytesMax - codeFrameBytes);
  return cutAt(block.lines, count, (lines) => ({ ...block, lines }), block);
}

function cutTable(block: Table, bytesMax: number): Cut {
  const count = countThatFits(block.rows, bytesOfRow, bytesMax - bytesOfHead(block));
  return cutAt(block.rows, count, (rows) => ({ ...block, rows }), block);
}

function cutList(block: List, bytesMax: number): Cut {
  const from = (items: List['items'], at: number): List => ({
    ...block,
    ...(block.start === undefined ? {} : { start: block.start + at }),
    items,
  });
  const count = countThatFits(block.items, bytesOfItem, bytesMax);
  if (count > 0) {
    return {
      head: [from(block.items.slice(0, count), 0)],
      rest: count < block.items.length ? [from(block.items.slice(count), count)] : [],
    };
  }
  const [first, ...others] = block.items;
  if (first === undefined || bytesOfItem(first) <= BYTES_MAX) return { head: [], rest: [block] };
  // One item is too large for a card: what is inside of it stands outside.
  const [opening, ...inside] = first.children;
  const rest = others.length === 0 ? [] : [from(others, 1)];
  if (opening === undefined) return { head: [], rest: [block] };
  const item = inside.length === 0 ? opening : from([{ ...first, children: [opening] }], 0);
  return { head: [], rest: [item, ...inside, ...rest] };
}

function cutQuote(block: Quote, bytesMax: number): Cut {
  const quote = (children: readonly Block[]): Quote => ({ ...block, children });
  const count = countThatFits(block.children, bytesInQuote, bytesMax);
  if (count > 0) return cutAt(block.children, count, quote, block);
  const [first, ...others] = block.children;
  if (first === undefined || bytesInQuote(first) <= BYTES_MAX) {
    return { head: [], rest: [block] };
  }
  // Too large for a card: it stands outside of the quote, where it can be divided.
  return { head: [], rest: [first, ...(others.length === 0 ? [] : [quote(others)])] };
}

function cutAt<T>(
  items: readonly T[],
  count: number,
  block: (some: readonly T[]) => Block,
  whole: Block,
): Cut {
  if (count === 0) return { head: [], rest: [whole] };
  const rest = items.slice(count);
  return { head: [block(items.slice(0, count))], rest: rest.length === 0 ? [] : [block(rest)] };
}

function countThatFits<T>(
  items: readonly T[],
  bytesOf: (item: T) => number,
  bytesMax: number,
): number {
  let bytes = 0;
  for (const [count, item] of items.entries()) {
    bytes += bytesOf(item);
    if (bytes > bytesMax) return count;
  }
  return items.length;
}
