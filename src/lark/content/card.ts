/** Makes a card (schema 2.0) of blocks. */
import { headOf } from '../../text/cut.ts';
import { isBlank } from '../../text/visible.ts';
import { cardMarkdown, cellMarkdown } from './card-markdown.ts';
import { firstWordsOf, lettersOf } from './letters.ts';
import { LIMITS } from './limits.ts';
import type { Block, Table } from './markdown/tree.ts';
import { withoutMentions } from './mentions.ts';

/** Which part of an answer a message shows. */
export interface PartNumber {
  readonly number: number;
  readonly of: number;
}

/** A line of the bridge below what is shown. */
export interface Below {
  readonly below?: string | undefined;
}

type CardElement = Readonly<Record<string, unknown>>;

/** The JSON text of a card. */
export function cardOf(blocks: readonly Block[], { below, ...part }: PartNumber & Below): string {
  const elements = elementsOf(blocks);
  if (below !== undefined) elements.push(greyLine(below));
  if (part.of > 1) {
    elements.push({ tag: 'markdown', content: `${part.number}/${part.of}`, text_size: 'notation' });
  }
  return JSON.stringify({
    schema: '2.0',
    config: { update_multi: true, summary: { content: summaryOf(blocks, part) } },
    body: { elements },
  });
}

/** Small and grey. */
export function greyLine(content: string): CardElement {
  const text = { tag: 'plain_text', content: withoutMentions(content), text_size: 'notation' };
  return { tag: 'div', text: { ...text, text_color: 'grey' } };
}

/** Texts that stand side by side are one element. */
export function isText({ kind }: Block): boolean {
  return kind === 'paragraph' || kind === 'heading' || kind === 'quote' || kind === 'list';
}

/** How many of Lark's elements a block takes. */
export function elementCount(block: Block): number {
  // The text that a picture shows where it can't be drawn is an element too.
  return block.kind === 'picture' ? 2 : 1;
}

/** Elements of a card. Blocks that are texts become one element, so that many short ones fit. */
function elementsOf(blocks: readonly Block[]): CardElement[] {
  const elements: CardElement[] = [];
  let texts: string[] = [];
  const end = () => {
    if (texts.length > 0) elements.push({ tag: 'markdown', content: texts.join('\n\n') });
    texts = [];
  };
  for (const block of blocks) {
    const element = ownElement(block);
    if (element === undefined) {
      const text = cardMarkdown(block);
      if (!isBlank(text)) texts.push(text);
    } else {
      end();
      elements.push(element);
    }
  }
  end();
  return elements;
}

function ownElement(block: Block): CardElement | undefined {
  switch (block.kind) {
    case 'rule':
      return { tag: 'hr' };
    case 'picture':
      return {
        tag: 'img',
        img_key: block.key,
        alt: { tag: 'plain_text', content: withoutMentions(block.label) },
      };
    case 'table':
      return tableElement(block);
    case 'code_block':
      return { tag: 'markdown', content: cardMarkdown(block) };
    case 'paragraph':
    case 'heading':
    case 'quote':
    case 'list':
      return undefined;
  }
}

function tableElement({ align, head, rows }: Table): CardElement {
  return {
    tag: 'table',
    page_size: LIMITS.tableRowsAPage,
    row_height: 'auto',
    row_max_height: '999px',
    columns: head.map((cell, at) => ({
      name: columnName(at),
      display_name: withoutMentions(lettersOf(cell)).replaceAll('\n', ' '),
      data_type: 'markdown',
      horizontal_align: align[at] ?? 'left',
      vertical_align: 'top',
    })),
    rows: rows.map((row) =>
      Object.fromEntries(
        row.slice(0, head.length).map((cell, at) => [columnName(at), cellMarkdown(cell)]),
      ),
    ),
  };
}

function columnName(at: number): string {
  return `c${at + 1}`;
}

/** The line that the list of chats shows. */
function summaryOf(blocks: readonly Block[], { number, of }: PartNumber): string {
  const words = withoutMentions(firstWordsOf(blocks)).replaceAll(/\s+/g, ' ').trim();
  const shown = headOf(words, { chars: LIMITS.summaryCharsMax });
  return of > 1 ? `(${number}/${of}) ${shown}` : shown;
}
