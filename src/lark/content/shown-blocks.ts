/** Turns the blocks of an answer into blocks that Lark can show: each one top-level, and none too large. */
import { headOf } from '../../text/cut.ts';
import { LIMITS } from './limits.ts';
import { hasLetters, lettersOf, weightOf } from './letters.ts';
import type { Block, Inline, List, ListItem, Table } from './markdown/tree.ts';

/**
 * Lark shows code only where it begins in the first column, and tables, rules and pictures are elements of a card.
 * So these stand outside of lists and quotes, which go on after them.
 */
export function shownBlocks(blocks: readonly Block[]): readonly Block[] {
  return blocks.flatMap((block) => liftedOf(block).flatMap(dividedBlock)).filter(isVisible);
}

/** Thousands of line ends would be cards that show nothing. */
function isVisible(block: Block): boolean {
  return (block.kind !== 'paragraph' && block.kind !== 'heading') || hasLetters(block);
}

function liftedOf(block: Block): readonly Block[] {
  switch (block.kind) {
    case 'paragraph':
      return withPictures(block.children, (children) => ({ kind: 'paragraph', children }));
    case 'heading':
      return withPictures(block.children, (children) => ({ ...block, children }));
    case 'quote':
      return liftedFrom(block.children, (children) => [{ kind: 'quote', children }]);
    case 'list':
      return liftedList(block);
    case 'table':
      return isTooLarge(block) ? tableAsList(block).flatMap(liftedOf) : [block];
    case 'code_block':
    case 'rule':
    case 'picture':
      return [block];
  }
}

function liftedFrom(
  blocks: readonly Block[],
  wrapped: (group: readonly Block[]) => readonly Block[],
): Block[] {
  const result: Block[] = [];
  let group: Block[] = [];
  const end = () => {
    if (group.length > 0) result.push(...wrapped(group));
    group = [];
  };
  for (const block of blocks.flatMap(liftedOf)) {
    if (isTopLevel(block)) {
      end();
      result.push(block);
    } else group.push(insideOf(block));
  }
  end();
  return result;
}

function liftedList(list: List): Block[] {
  const result: Block[] = [];
  let items: ListItem[] = [];
  let number = list.start;
  const end = () => {
    const start = number === undefined ? {} : { start: number - items.length };
    if (items.length > 0) result.push({ kind: 'list', ...start, items });
    items = [];
  };
  for (const item of list.items) {
    const blocks = item.children.flatMap(liftedOf);
    const first = blocks.findIndex(isTopLevel);
    const inside = first < 0 ? blocks : blocks.slice(0, first);
    items.push({ ...item, children: inside.map(insideOf) });
    if (number !== undefined) number += 1;
    if (first < 0) continue;
    end();
    // What follows in the same item can't be inside of it any more.
    result.push(...blocks.slice(first));
  }
  end();
  return result;
}

function isTopLevel({ kind }: Block): boolean {
  return kind === 'code_block' || kind === 'table' || kind === 'rule' || kind === 'picture';
}

/** A heading inside a list or a quote is a line in bold letters. */
function insideOf(block: Block): Block {
  if (block.kind !== 'heading') return block;
  return { kind: 'paragraph', children: [{ kind: 'strong', children: block.children }] };
}

/** An image stands on lines of its own. */
function withPictures(
  children: readonly Inline[],
  block: (children: readonly Inline[]) => Block,
): Block[] {
  const result: Block[] = [];
  let rest: Inline[] = [];
  const end = () => {
    if (lettersOf(rest).trim() !== '') result.push(block(rest));
    rest = [];
  };
  for (const child of children.flatMap(picturesOutside)) {
    if (child.kind === 'image') {
      end();
      result.push({ kind: 'picture', key: child.key, label: child.label });
    } else rest.push(child);
  }
  end();
  return result;
}

/** The parts of something in bold letters or of a link, where an image stands between them. */
function picturesOutside(node: Inline): readonly Inline[] {
  if (!('children' in node)) return [node];
  const children = node.children.flatMap(picturesOutside);
  if (!children.some(({ kind }) => kind === 'image')) return [node];
  return children.map((child) => (child.kind === 'image' ? child : { ...node, children: [child] }));
}

function isTooLarge({ head, rows }: Table): boolean {
  return (
    head.length > LIMITS.tableColumnsMax ||
    [head, ...rows].some((row) =>
      row.some(
        (cell) =>
          lettersOf(cell).length > LIMITS.tableCellCharsMax ||
          weightOf(cell) > LIMITS.tableCellWeightMax,
      ),
    )
  );
}

/** The names of the columns on one line, and then one item for each row, which repeats the names. */
function tableAsList({ head, rows }: Table): Block[] {
  const names = head.flatMap((cell, at) => [...(at === 0 ? [] : [textOf(' | ')]), ...cell]);
  const items = rows.map((row): ListItem => {
    const lines = row.flatMap((cell, at): Inline[] => {
      if (cell.length === 0) return [];
      const name = head[at] ?? [];
      return [
        { kind: 'break' },
        ...(name.length === 0 ? [] : [{ kind: 'strong' as const, children: name }, textOf(': ')]),
        ...cell,
      ];
    });
    return { children: [{ kind: 'paragraph', children: lines.slice(1) }] };
  });
  const title: Block[] =
    names.length === 0
      ? []
      : [{ kind: 'paragraph', children: [{ kind: 'strong', children: names }] }];
  return items.length === 0 ? title : [...title, { kind: 'list', items }];
}

function textOf(words: string): Inline {
  return { kind: 'text', text: words };
}

/** Long paragraphs become several, wherever they stand. */
function dividedBlock(block: Block): readonly Block[] {
  switch (block.kind) {
    case 'paragraph':
      return dividedInline(block.children).map((children) => ({ kind: 'paragraph', children }));
    case 'heading':
      return dividedInline(block.children).map((children) => ({ ...block, children }));
    case 'quote':
      return [{ ...block, children: block.children.flatMap(dividedBlock) }];
    case 'list':
      return [
        {
          ...block,
          items: block.items.map((item) => ({
            ...item,
            children: item.children.flatMap(dividedBlock),
          })),
        },
      ];
    case 'code_block':
    case 'table':
    case 'rule':
    case 'picture':
      return [block];
  }
}

function dividedInline(children: readonly Inline[]): (readonly Inline[])[] {
  if (weightOf(children) <= LIMITS.paragraphCharsMax) return [children];
  const groups: Inline[][] = [[]];
  let left: number = LIMITS.paragraphCharsMax;
  for (const piece of children.flatMap(piecesOf)) {
    const chars = weightOf([piece]);
    if (chars > left && groups.at(-1)?.length !== 0) {
      groups.push([]);
      left = LIMITS.paragraphCharsMax;
    }
    groups.at(-1)?.push(piece);
    left -= chars;
  }
  return groups;
}

/** A node in parts of which each fits into a paragraph. */
function piecesOf(node: Inline): Inline[] {
  switch (node.kind) {
    case 'text':
      return textPieces(node.text).map((text) => ({ kind: 'text', text }));
    case 'code':
      return textPieces(node.text).map((text) => ({ kind: 'code', text }));
    case 'strong':
    case 'emphasis':
    case 'strike':
    case 'link':
      return dividedInline(node.children).map((children) => ({ ...node, children }));
    case 'image':
    case 'mention':
    case 'break':
      return [node];
  }
}

/** Short enough that a paragraph is not much smaller than it may be. */
const TEXT_PIECE_CHARS = LIMITS.paragraphCharsMax / 4;

function textPieces(text: string): string[] {
  const pieces: string[] = [];
  let rest = text;
  while (rest.length > TEXT_PIECE_CHARS) {
    const head = headOf(rest.slice(0, TEXT_PIECE_CHARS * 2), { chars: TEXT_PIECE_CHARS });
    const end = Math.max(
      ...['\n', '. ', '。', ' '].map((sign) => head.lastIndexOf(sign) + sign.length),
    );
    const piece = end > head.length / 2 ? head.slice(0, end) : head;
    pieces.push(piece);
    rest = rest.slice(piece.length);
  }
  return [...pieces, rest];
}
