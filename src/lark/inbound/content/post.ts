import { asObject, type Json } from '../../../core/json-object.ts';
import type { Part, Resource } from '../../../core/message.ts';
import { listOf, textOf } from '../fields.ts';
import { isBot, nameOf, namesInText, type Naming } from './mentions.ts';
import { codeBlock, link, styled } from './markup.ts';
import { type ReadContent, resourceOf, textPart } from './read-content.ts';
import { oneLine } from './words.ts';

/** A message has at most 150 KB. What is beyond this is no post of a person. */
const ELEMENTS_MAX = 10_000;

/** A rich text as Markdown that means the same, with its pictures and videos in their places. */
export const readPost: ReadContent = (content, naming) => {
  const body = bodyOf(content);
  if (body === undefined) return undefined;
  const writer = new PostWriter(naming);
  const title = oneLine(textOf(body['title']));
  if (title !== '') writer.paragraph([{ tag: 'text', text: `# ${title}` }]);
  for (const paragraph of paragraphsOf(body)) writer.paragraph(paragraph);
  return writer.parts();
};

/** A received post has no language around it, but a sent one does. */
function bodyOf(content: Json): Json | undefined {
  if (Array.isArray(content['content'])) return content;
  return Object.values(content)
    .map(asObject)
    .find((body) => Array.isArray(body?.['content']));
}

function paragraphsOf({ content }: Json): Json[][] {
  let left = ELEMENTS_MAX;
  const paragraphs: unknown[] = Array.isArray(content) ? content.slice(0, ELEMENTS_MAX) : [];
  return paragraphs.map((paragraph) => {
    const elements = listOf(paragraph).slice(0, Math.max(0, left));
    left -= elements.length;
    return elements;
  });
}

/** A piece of a paragraph in one style. */
interface Run {
  readonly text: string;
  readonly styles: readonly string[];
}

class PostWriter {
  readonly #naming: Naming;
  readonly #parts: Part[] = [];
  /** Lines that are complete, and the runs of the line that is being written. */
  #lines: string[] = [];
  #runs: Run[] = [];
  /** The bot's mention was removed just before, so one space after it goes too. */
  #skipsSpace = false;
  /** A resource stands on lines of its own, so a line that only ends it is not there. */
  #isAfterResource = false;

  constructor(naming: Naming) {
    this.#naming = naming;
  }

  paragraph(elements: readonly Json[]): void {
    for (const element of elements) this.#element(element);
    this.#endLine();
    this.#skipsSpace = false;
  }

  parts(): Part[] {
    this.#endText();
    return this.#parts.length === 0 ? [textPart('')] : this.#parts;
  }

  #element(element: Json): void {
    const text = textOf(element['text']);
    const styles = stylesOf(element);
    switch (element['tag']) {
      case 'a':
        return this.#say(link(text, textOf(element['href'])), styles);
      case 'at':
        return this.#mention(element, styles);
      case 'img':
        return this.#resource('image', element['image_key']);
      case 'media':
        return this.#resource('video', element['file_key']);
      case 'emotion':
        return this.#say(`:${oneLine(textOf(element['emoji_type']))}:`, []);
      case 'hr':
        // Without an empty line before it, it would make a heading of the text above.
        return this.#block(['', '---', '']);
      case 'code_block':
        return this.#block([codeBlock(text, textOf(element['language']))]);
      default:
        return this.#say(namesInText(text, this.#naming), styles);
    }
  }

  #say(text: string, styles: readonly string[]): void {
    const said = this.#skipsSpace && text.startsWith(' ') ? text.slice(1) : text;
    if (text !== '') this.#skipsSpace = false;
    const last = this.#runs.at(-1);
    if (last !== undefined && sameStyles(last.styles, styles)) {
      this.#runs[this.#runs.length - 1] = { text: last.text + said, styles };
    } else this.#runs.push({ text: said, styles });
  }

  #mention(element: Json, styles: readonly string[]): void {
    const id = textOf(element['user_id']);
    if (isBot(id, this.#naming)) this.#skipsSpace = true;
    else this.#say(nameOf(id, this.#naming, textOf(element['user_name'])), styles);
  }

  #resource(kind: Resource['kind'], key: unknown): void {
    const resource = resourceOf(kind, { key });
    if (resource === undefined) return this.#say(`[${kind}]`, []);
    if (this.#runs.length > 0) this.#endLine();
    this.#endText();
    this.#parts.push({ kind: 'resource', resource });
    this.#isAfterResource = true;
  }

  #block(lines: readonly string[]): void {
    if (this.#runs.length > 0) this.#endLine();
    this.#lines.push(...lines);
    this.#isAfterResource = true;
  }

  #endLine(): void {
    const line = this.#runs.map(({ text, styles }) => styled(text, styles)).join('');
    if (line !== '' || !this.#isAfterResource) this.#lines.push(line);
    this.#runs = [];
    this.#isAfterResource = false;
  }

  #endText(): void {
    const text = this.#lines.join('\n');
    if (text.trim() !== '') this.#parts.push(textPart(text));
    this.#lines = [];
  }
}

function stylesOf({ style }: Json): string[] {
  return Array.isArray(style) ? style.filter((one) => typeof one === 'string').toSorted() : [];
}

function sameStyles(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((style, at) => style === other[at]);
}
