/**
 * Reads Markdown and cards with a parser that the program does not use. Lark's documents say that cards follow
 * CommonMark, so this is what people see of them.
 */
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';

interface Node {
  readonly type: string;
  readonly value?: string;
  readonly alt?: string | null;
  readonly url?: string;
  readonly children?: readonly Node[];
}

interface CardElement {
  readonly tag: string;
  readonly content?: string;
  readonly text_size?: string;
  readonly alt?: { readonly content: string };
  readonly columns?: readonly { readonly name: string; readonly display_name: string }[];
  readonly rows?: readonly Readonly<Record<string, string>>[];
}

/** What can be read, in order. */
export interface Shown {
  readonly text: string;
  readonly codeLines: readonly string[];
}

/** With tables and all else that GitHub's Markdown has. */
export function shownOfMarkdown(markdown: string): Shown {
  return collected(
    fromMarkdown(markdown, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] }) as Node,
  );
}

export function elementsIn(card: string): readonly CardElement[] {
  return (JSON.parse(card) as { body: { elements: CardElement[] } }).body.elements;
}

/** The numbers of parts are not of the answer. */
export function shownOfCard(card: string): Shown {
  const all = elementsIn(card)
    .filter(({ text_size: size }) => size !== 'notation')
    .map((element): Shown => {
      switch (element.tag) {
        case 'markdown':
          return shownOfMarkdown(element.content ?? '');
        case 'img':
          return { text: element.alt?.content ?? '', codeLines: [] };
        case 'table': {
          const columns = element.columns ?? [];
          const cells = (element.rows ?? []).flatMap((row) =>
            columns.map(({ name }) => shownOfMarkdown(row[name] ?? '').text),
          );
          return {
            text: [...columns.map((column) => column.display_name), ...cells].join('\n'),
            codeLines: [],
          };
        }
        default:
          return { text: '', codeLines: [] };
      }
    });
  return {
    text: all.map(({ text }) => text).join('\n'),
    codeLines: all.flatMap(({ codeLines }) => codeLines),
  };
}

/** Words and numbers. The sign that breaks up mentions is left out. */
export function wordsOf(text: string): readonly string[] {
  return text.replaceAll('\u200B', '').match(/[\p{L}\p{N}]+/gu) ?? [];
}

function collected(root: Node): Shown {
  const texts: string[] = [];
  const codeLines: string[] = [];
  const visit = (node: Node) => {
    if (node.type === 'code') codeLines.push(...(node.value ?? '').split('\n'));
    // A line break is no word, and a tag of a mention is shown as a name that only Lark knows.
    if (node.value !== undefined)
      texts.push(node.value.replaceAll(/<br\s*\/?>|<at id=\w+><\/at>|<\/at>/gi, '\n'));
    if (node.type === 'image') texts.push(node.alt ?? '');
    for (const child of node.children ?? []) visit(child);
    // Words of one block never run into those of the next one.
    if (BLOCKS.has(node.type)) texts.push('\n');
  };
  visit(root);
  return { text: texts.join(''), codeLines };
}

const BLOCKS: ReadonlySet<string> = new Set([
  'paragraph',
  'heading',
  'code',
  'html',
  'tableCell',
  'break',
  'image',
]);
