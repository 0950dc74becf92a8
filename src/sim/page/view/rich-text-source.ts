/** A post as the rich text that a person edits. Each line is tried: it must make the same paragraph again. */
import { isSameJson, type JsonObject } from '../../world/json.ts';
import { listIn, objectsIn, textIn } from './card-texts.ts';
import type { Named } from './named.ts';
import { FENCE, paragraphsOf, RULE, type Paragraph, type RichText } from './rich-text.ts';

/** `named`: who can be mentioned. Undefined for a post with something that can't be written as a rich text. */
export function sourceOf(content: JsonObject, named: readonly Named[]): RichText | undefined {
  const lines: string[] = [];
  for (const paragraph of listIn(content['content']).map(objectsIn)) {
    const line = codeOf(paragraph) ?? lineOf(paragraph, named);
    if (line === undefined) return undefined;
    lines.push(line);
  }
  return { title: textIn(content, 'title'), words: lines.join('\n') };
}

function codeOf([element, ...others]: Paragraph): string | undefined {
  if (element?.['tag'] !== 'code_block' || others.length > 0) return undefined;
  const text = textIn(element, 'text');
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = '`'.repeat(longest + 1);
  const lines = text === '' ? [] : [text];
  return [fence + textIn(element, 'language'), ...lines, fence].join('\n');
}

/** As a person writes it, or else with every sign that could mean something made plain. */
function lineOf(paragraph: Paragraph, others: readonly Named[]): string | undefined {
  const mentioned = paragraph
    .filter(({ tag }) => tag === 'at')
    .map((element) => ({ id: textIn(element, 'user_id'), name: nameIn(element) }));
  // A received post has other ids for the same names; the first one of two is found.
  const named = [...mentioned, ...others];
  const isSame = (line: string) =>
    !FENCE.test(line) &&
    isSameJson(
      paragraphsOf(line, named).map((made) => made.map(comparable)),
      [paragraph.map(comparable)],
    );
  return [WITH_SIGNS, WITH_TAGS]
    .map((form) => paragraph.map((element) => written(element, form)).join(''))
    .find(isSame);
}

interface Form {
  /** Before and after a text in this style. */
  readonly styles: Readonly<Record<string, readonly [string, string]>>;
  readonly words: (text: string) => string;
  readonly link: (href: string, text: string) => string;
}

const WITH_SIGNS: Form = {
  styles: {
    bold: ['**', '**'],
    italic: ['*', '*'],
    lineThrough: ['~~', '~~'],
    underline: ['<u>', '</u>'],
  },
  words: (text) => text,
  link: (href, text) => (href === text ? href : `[${text}](${href})`),
};

const WITH_TAGS: Form = {
  styles: {
    bold: ['<b>', '</b>'],
    italic: ['<i>', '</i>'],
    lineThrough: ['<s>', '</s>'],
    underline: ['<u>', '</u>'],
  },
  words: (text) => text.replaceAll(/[!-/:-@[-`{-~]/g, String.raw`\$&`),
  link: (href, text) => `<a href="${href}">${text}</a>`,
};

function written(element: JsonObject, form: Form): string {
  const text = textIn(element, 'text');
  switch (element['tag']) {
    case 'text':
      return styled(element, form, form.words(text));
    case 'a':
      return styled(element, form, form.link(textIn(element, 'href'), form.words(text)));
    case 'at':
      return styled(element, form, `@${nameIn(element)}`);
    case 'emotion':
      return `:${textIn(element, 'emoji_type')}:`;
    case 'img':
      return `![Picture](${textIn(element, 'image_key')})`;
    case 'hr':
      return RULE;
    default:
      return '';
  }
}

function styled(element: JsonObject, { styles }: Form, text: string): string {
  return stylesIn(element).reduce((inside, name) => {
    const [before, after] = styles[name] ?? ['', ''];
    return before + inside + after;
  }, text);
}

function stylesIn(element: JsonObject): readonly string[] {
  return listIn(element['style']).map(String).toSorted();
}

function nameIn(element: JsonObject): string {
  const id = textIn(element, 'user_id');
  return id === 'all' || id === '@_all' ? 'all' : textIn(element, 'user_name');
}

/** What people see of an element: the style may be left out, and everybody has no name. */
function comparable(element: JsonObject): JsonObject {
  if (element['tag'] === 'at')
    return { ...element, user_name: nameIn(element), style: stylesIn(element) };
  return { ...element, style: stylesIn(element) };
}
