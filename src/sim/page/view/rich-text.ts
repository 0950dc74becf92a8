/** What a person writes as a rich text, as a post. It has a few signs of Markdown; a line is a paragraph. */
import type { JsonObject } from '../../world/json.ts';
import { textIn } from './card-texts.ts';
import { parseInlines } from './inlines.ts';
import { withNames, type Named } from './named.ts';
import type { Inline, InlineStyle } from './nodes.ts';
import { plainLine } from './plain.ts';

export interface RichText {
  readonly title: string;
  readonly words: string;
}

export type Paragraph = readonly JsonObject[];

export const RULE = '---';
/** The beginning of a block of code, and its language. The same signs end it. */
export const FENCE = /^(`{3,})\s*([^`]*)$/;

const STYLES: Readonly<Record<InlineStyle, string>> = {
  bold: 'bold',
  italic: 'italic',
  underline: 'underline',
  strike: 'lineThrough',
};

/** The content of the post. `named`: who can be mentioned. */
export function postOf({ title, words }: RichText, named: readonly Named[]): JsonObject {
  const content: Paragraph[] = [];
  const lines = words.split('\n');
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    const [, fence, language = ''] = FENCE.exec(line) ?? [];
    const end = fence === undefined ? -1 : lines.indexOf(fence, at + 1);
    if (end < 0) {
      content.push(...paragraphsOf(line, named));
      continue;
    }
    const text = lines.slice(at + 1, end).join('\n');
    content.push([{ tag: 'code_block', language: language.trim(), text }]);
    at = end;
  }
  // Who writes a block leaves an empty line after it.
  while (content.length > 1 && content.at(-1)?.length === 0) content.pop();
  return { title: title.trim(), content };
}

/** Of one line: more than one if there is a picture in it, which has a paragraph of its own. */
export function paragraphsOf(line: string, named: readonly Named[]): readonly Paragraph[] {
  if (line.trim() === RULE) return [[{ tag: 'hr' }]];
  const elements = elementsOf(
    parseInlines(line, () => undefined),
    { named, style: [] },
  );
  const paragraphs: JsonObject[][] = [];
  let paragraph: JsonObject[] = [];
  const end = () => {
    if (paragraph.length > 0) paragraphs.push(paragraph);
    paragraph = [];
  };
  for (const element of elements) {
    if (element['tag'] !== 'img') {
      append(paragraph, element);
      continue;
    }
    end();
    paragraphs.push([element]);
  }
  end();
  return paragraphs.length === 0 ? [[]] : paragraphs;
}

/** Texts of one style beside each other are one. */
function append(paragraph: JsonObject[], element: JsonObject): void {
  const last = paragraph.at(-1);
  const isOne =
    last?.['tag'] === 'text' &&
    element['tag'] === 'text' &&
    String(last['style']) === String(element['style']);
  if (!isOne) paragraph.push(element);
  else last['text'] = textIn(last, 'text') + textIn(element, 'text');
}

interface Around {
  readonly named: readonly Named[];
  readonly style: readonly string[];
}

function elementsOf(inlines: readonly Inline[], around: Around): JsonObject[] {
  return inlines.flatMap((inline) => elementsOfOne(inline, around));
}

function elementsOfOne(inline: Inline, { named, style }: Around): JsonObject[] {
  const plain = (words: string) => ({ tag: 'text', text: words, style });
  const mention = ({ id, name }: Named) => ({ tag: 'at', user_id: id, user_name: name, style });
  switch (inline.kind) {
    case 'text':
      return withNames(inline.text, named).map((piece) =>
        typeof piece === 'string' ? plain(piece) : mention(piece),
      );
    case 'tag':
      return [plain(inline.text)];
    case 'break':
      return [plain(' ')];
    case 'code':
      // Lark's documents know no code inside of a line.
      return [plain(`\`${inline.text}\``)];
    case 'styled':
      return elementsOf(inline.inlines, {
        named,
        style: [...new Set([...style, STYLES[inline.style]])].toSorted(),
      });
    case 'colored':
      return elementsOf(inline.inlines, { named, style });
    case 'link':
      return [{ tag: 'a', href: inline.href, text: plainLine(inline.inlines), style }];
    case 'mention':
      return [mention(inline)];
    case 'emoji':
      return [{ tag: 'emotion', emoji_type: inline.name }];
    case 'image':
      if (inline.key.startsWith('img_')) return [{ tag: 'img', image_key: inline.key }];
      return [plain(`![${inline.alt}](${inline.key})`)];
  }
}
