/** The words of a tree, for previews and for tests. */
import type { Block, CardView, FieldBlock, Inline } from './nodes.ts';

/** What a person reads in a line. */
export function plainLine(inlines: readonly Inline[]): string {
  return inlines.map(inlineText).join('');
}

/** What a person reads in these blocks, one line for each piece. */
export function plainBlocks(blocks: readonly Block[]): string {
  return blocks
    .map(blockText)
    .filter((text) => text !== '')
    .join('\n');
}

export function plainCard({ header, blocks }: CardView): string {
  const head = header === undefined ? [] : [header.title, header.subtitle, header.tags];
  return [...head.map(plainLine), plainBlocks(blocks)].filter((text) => text !== '').join('\n');
}

function inlineText(inline: Inline): string {
  switch (inline.kind) {
    case 'text':
    case 'code':
    case 'tag':
      return inline.text;
    case 'break':
      return '\n';
    case 'styled':
    case 'colored':
    case 'link':
      return plainLine(inline.inlines);
    case 'mention':
      return `@${inline.name}`;
    case 'emoji':
      return `:${inline.name}:`;
    case 'image':
      return inline.alt;
  }
}

function blockText(block: Block): string {
  switch (block.kind) {
    case 'text':
      return plainLine(block.inlines);
    case 'code':
      return [block.language, block.text].filter((text) => text !== '').join('\n');
    case 'quote':
    case 'form':
    case 'note':
    case 'group':
    case 'container':
      return plainBlocks(block.blocks);
    case 'list':
      return block.items.map(({ blocks }) => plainBlocks(blocks)).join('\n');
    case 'table':
      return [block.head, ...block.rows]
        .map((cells) => cells.map(({ blocks }) => plainBlocks(blocks)).join(' | '))
        .join('\n');
    case 'columns':
      return block.columns.map(({ blocks }) => plainBlocks(blocks)).join('\n');
    case 'panel':
      return `${plainBlocks(block.title)}\n${plainBlocks(block.blocks)}`;
    case 'rule':
      return '';
    case 'image':
      return [block.title, block.alt].filter((text) => text !== '').join('\n');
    case 'button':
      return block.label;
    case 'field':
      return fieldText(block);
    case 'attachment':
      return block.name;
    case 'other':
      return block.texts.join('\n');
  }
}

function fieldText({ label, placeholder, initial, options }: FieldBlock): string {
  const filled = typeof initial === 'string' ? [initial] : [];
  return [label, placeholder, ...filled, ...options.map((option) => option.label)]
    .filter((text) => text !== '')
    .join('\n');
}
