/** What the components of a card have in common: where they stand, and the texts in them. */
import type { CardButton } from '../../cards/card-buttons.ts';
import { isJsonObject, type JsonObject } from '../../world/json.ts';
import { parseMarkdown } from './markdown.ts';
import { text, textBlock, type Align, type Block, type Inline, type TextBlock } from './nodes.ts';
import type { NameOf } from './scan.ts';

/** Where a component stands. */
export interface Place {
  readonly nameOf: NameOf;
  readonly members: readonly { readonly openId: string; readonly name: string }[];
  /** The button that a component is, as the app is told of it. */
  readonly buttonOf: (node: JsonObject) => CardButton | undefined;
  readonly isInForm: boolean;
  readonly depth: number;
  /** The way to it from the body. It is the same at each drawing. */
  readonly path: string;
  readonly draw: (elements: unknown, place: Place) => readonly Block[];
}

/** Under these keys is data of the developer, or what changes only the look. */
const NO_TEXT_KEYS: ReadonlySet<string> = new Set([
  'tag',
  'config',
  'behaviors',
  'value',
  'icon',
  'ud_icon',
  'confirm',
  'style',
]);
/** Strings under these keys are shown. */
const TEXT_KEYS: ReadonlySet<string> = new Set(['content', 'text', 'title', 'label', 'name']);

export function textIn(node: JsonObject, key: string): string {
  const value = node[key];
  return typeof value === 'string' ? value : '';
}

export function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function objectsIn(value: unknown): readonly JsonObject[] {
  return listIn(value).filter(isJsonObject);
}

/** The words of a text element such as `{tag: 'plain_text', content: '…'}`. */
export function contentOf(value: unknown): string {
  if (!isJsonObject(value)) return '';
  const { content } = value;
  if (typeof content === 'string') return content;
  const translated = isJsonObject(value['i18n_content'])
    ? Object.values(value['i18n_content'])[0]
    : isJsonObject(value['i18n'])
      ? Object.values(value['i18n'])[0]
      : undefined;
  return typeof translated === 'string' ? translated : '';
}

/** A text element, or the component `markdown`. */
export function blocksOfText(
  node: JsonObject,
  { nameOf }: Pick<Place, 'nameOf'>,
): readonly Block[] {
  const words = contentOf(node) || contentOf(node['text']) || textIn(node, 'text');
  if (words === '') return [];
  const look = lookOf(node);
  if (node['tag'] === 'text_tag') {
    return [textBlock([{ kind: 'tag', color: textIn(node, 'color') || 'neutral', text: words }])];
  }
  if (node['tag'] === 'plain_text' || node['tag'] === 'text')
    return [textBlock(plain(words), look)];
  return parseMarkdown(words, nameOf).map((block) =>
    block.kind === 'text' && block.level === 0 ? { ...block, ...look } : block,
  );
}

/** A text without markup, with its line breaks. */
export function plain(words: string): readonly Inline[] {
  return words
    .split('\n')
    .flatMap((line, at): Inline[] => (at === 0 ? [text(line)] : [{ kind: 'break' }, text(line)]))
    .filter((inline) => inline.kind !== 'text' || inline.text !== '');
}

function lookOf(node: JsonObject): Partial<Pick<TextBlock, 'size' | 'align'>> {
  const size = textIn(node, 'text_size');
  const isLarge = size.startsWith('heading') || /^x+-?large/.test(size);
  return {
    size: size === 'notation' ? 'small' : isLarge ? 'large' : 'normal',
    align: alignOf(node['text_align']),
  };
}

export function alignOf(value: unknown): Align {
  return value === 'center' || value === 'right' ? value : 'left';
}

/** All words in a component that the page can't draw. It looks at no more than a card can have. */
export function textsIn(node: JsonObject): string[] {
  const found: string[] = [];
  const open: unknown[] = [node];
  for (let value = open.shift(); value !== undefined; value = open.shift()) {
    if (Array.isArray(value)) open.unshift(...(value as unknown[]));
    if (!isJsonObject(value)) continue;
    for (const [key, child] of Object.entries(value)) {
      if (NO_TEXT_KEYS.has(key)) continue;
      if (typeof child === 'string' && TEXT_KEYS.has(key)) found.push(child);
      if (typeof child === 'object' && child !== null) open.push(child);
    }
  }
  return found;
}
