import { isJsonObject, type JsonObject } from '../world/json.ts';
import { MENTION_ALL_KEY, type MentionList } from './mentions.ts';

type Element = Readonly<JsonObject>;

/** A rich text as in events and the history: without locale and `md`, with placeholders for mentions. */
export interface ReceivedPost {
  readonly title: string;
  readonly content: readonly (readonly Element[])[];
}

const TAGS: ReadonlySet<unknown> = new Set([
  'text',
  'a',
  'at',
  'img',
  'media',
  'emotion',
  'hr',
  'code_block',
  'md',
]);

/** Converts a sent rich text to the received form. A string is the problem with it. */
export function receivedPost(sent: Element, mentions: MentionList): ReceivedPost | string {
  const post = sent['zh_cn'] ?? sent['en_us'] ?? Object.values(sent)[0];
  if (!isJsonObject(post)) return 'post has no locale';
  const { title = '', content } = post;
  if (typeof title !== 'string') return 'title is not a string';
  if (!isParagraphs(content)) return 'content of post is not a list of paragraphs';
  const unknown = content.flat().find((element) => !TAGS.has(element['tag']));
  if (unknown !== undefined) return `unknown tag ${String(unknown['tag'])}`;
  return {
    title,
    content: content.flatMap((paragraph) => receivedParagraphs(paragraph, mentions)),
  };
}

/** What people read in a received rich text. */
export function postText(post: ReceivedPost): string {
  const lines = post.content.map((paragraph) => paragraph.map(elementText).join(''));
  return (post.title === '' ? lines : [post.title, ...lines]).join('\n');
}

function receivedParagraphs(paragraph: readonly Element[], mentions: MentionList): Element[][] {
  const [first] = paragraph;
  if (first?.['tag'] === 'md') return markdownParagraphs(textIn(first, 'text'), mentions);
  return [
    paragraph.map((element) =>
      element['tag'] === 'at' ? receivedAt(element, mentions) : { ...element },
    ),
  ];
}

function receivedAt(element: Element, mentions: MentionList): Element {
  const id = textIn(element, 'user_id');
  const key = mentions.keyFor(id) ?? id;
  const name = mentions.all.find((mention) => mention.key === key)?.name ?? '';
  return { tag: 'at', user_id: key, user_name: name, style: [] };
}

/** A rough copy of the platform's conversion of Markdown: fenced blocks become code, the rest lines of text. */
function markdownParagraphs(text: string, mentions: MentionList): Element[][] {
  const paragraphs: Element[][] = [];
  for (const [at, block] of text.split(/^```/m).entries()) {
    if (at % 2 === 1) {
      const [language = '', ...lines] = block.split('\n');
      const code = lines.join('\n').replace(/\n$/, '');
      paragraphs.push([{ tag: 'code_block', language: language.trim(), text: code }]);
      continue;
    }
    for (const line of trimBreaks(block).split('\n')) {
      if (line === '' && block.trim() === '') continue;
      paragraphs.push([{ tag: 'text', text: mentions.replaceTags(line), style: [] }]);
    }
  }
  return paragraphs;
}

function trimBreaks(text: string): string {
  return text.replace(/^\n/, '').replace(/\n$/, '');
}

function elementText(element: Element): string {
  switch (element['tag']) {
    case 'at':
      return textIn(element, 'user_id') === MENTION_ALL_KEY
        ? '@all'
        : `@${textIn(element, 'user_name')}`;
    case 'img':
      return `[image ${textIn(element, 'image_key')}]`;
    case 'media':
      return `[media ${textIn(element, 'file_key')}]`;
    case 'emotion':
      return `:${textIn(element, 'emoji_type')}:`;
    case 'hr':
      return '---';
    default:
      return textIn(element, 'text');
  }
}

function textIn(element: Element, name: string): string {
  const value = element[name];
  return typeof value === 'string' ? value : '';
}

function isParagraphs(value: unknown): value is readonly (readonly Element[])[] {
  return (
    Array.isArray(value) &&
    value.every((paragraph) => Array.isArray(paragraph) && paragraph.every(isJsonObject))
  );
}
