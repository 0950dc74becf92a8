/** The letters of an answer without its form. */
import { isBlank } from '../../text/visible.ts';
import type { Block, Inline } from './markdown/tree.ts';

/** What a person reads of it. */
export function lettersOf(children: readonly Inline[]): string {
  return children.map(lettersOfNode).join('');
}

function lettersOfNode(node: Inline): string {
  switch (node.kind) {
    case 'text':
    case 'code':
      return node.text;
    case 'strong':
    case 'emphasis':
    case 'strike':
    case 'link':
      return lettersOf(node.children);
    case 'image':
      return `[${node.label}]`;
    case 'mention':
      return `@${node.person.name}`;
    case 'break':
      return '\n';
  }
}

/** False for what has only a form, such as a rule, a heading without words or a table of empty cells. */
export function hasLetters(block: Block): boolean {
  switch (block.kind) {
    case 'paragraph':
    case 'heading':
      return isSeen(block.children);
    case 'quote':
      return block.children.some(hasLetters);
    case 'list':
      return block.items.some(({ children }) => children.some(hasLetters));
    case 'table':
      return [block.head, ...block.rows].some((row) => row.some(isSeen));
    case 'code_block':
      return block.lines.some((line) => !isBlank(line));
    case 'picture':
      return true;
    case 'rule':
      return false;
  }
}

function isSeen(children: readonly Inline[]): boolean {
  return !isBlank(lettersOf(children));
}

/** Signs that a node needs beside its letters: of its form, its address, its key. */
const FORM_CHARS = 6;
const MENTION_CHARS = 50;

/** How long a text becomes in Markdown, before signs in it are escaped. */
export function weightOf(children: readonly Inline[]): number {
  return children.reduce((sum, node) => sum + weightOfNode(node), 0);
}

function weightOfNode(node: Inline): number {
  switch (node.kind) {
    case 'text':
      return node.text.length;
    case 'code':
      return node.text.length + FORM_CHARS;
    case 'link':
      return weightOf(node.children) + node.address.length + FORM_CHARS;
    case 'strong':
    case 'emphasis':
    case 'strike':
      return weightOf(node.children) + FORM_CHARS;
    case 'image':
      return node.label.length + node.key.length + FORM_CHARS;
    case 'mention':
      return MENTION_CHARS;
    case 'break':
      return FORM_CHARS;
  }
}

/** The first words of an answer. Code and tables say little without the rest, but they are better than nothing. */
export function firstWordsOf(blocks: readonly Block[]): string {
  for (const block of blocks) {
    const words = wordsOf(block).trim();
    if (words !== '') return words;
  }
  return '';
}

function wordsOf(block: Block): string {
  switch (block.kind) {
    case 'paragraph':
    case 'heading':
      return lettersOf(block.children);
    case 'quote':
      return firstWordsOf(block.children);
    case 'list':
      return firstWordsOf(block.items.flatMap(({ children }) => children));
    case 'table':
      return block.head.map(lettersOf).join(' | ');
    case 'code_block':
      return block.lines.find((line) => line.trim() !== '') ?? '';
    case 'picture':
      return block.label;
    case 'rule':
      return '';
  }
}
