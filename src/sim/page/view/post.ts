/** A rich text (post) as blocks. */
import { isJsonObject, type JsonObject } from '../../world/json.ts';
import { listIn, objectsIn, plain, textIn, textsIn } from './card-texts.ts';
import { parseMarkdown } from './markdown.ts';
import { text, textBlock, type Block, type Inline, type InlineStyle } from './nodes.ts';
import { safeUrl, type NameOf } from './scan.ts';

const STYLES: Readonly<Record<string, InlineStyle>> = {
  bold: 'bold',
  italic: 'italic',
  underline: 'underline',
  lineThrough: 'strike',
};

interface PostReader {
  readonly nameOf: NameOf;
  /** Puts names in the place of the placeholders in a text. */
  readonly withMentions: (words: string) => readonly Inline[];
}

/** `content` is that of the message: with or without a language around it. */
export function postBlocks(content: JsonObject, reader: PostReader): readonly Block[] {
  const isBare = Array.isArray(content['content']);
  const post = isBare ? content : (Object.values(content).find(isJsonObject) ?? {});
  const title = textIn(post, 'title');
  const head = title === '' ? [] : [textBlock([text(title)], { level: 3 })];
  const paragraphs = listIn(post['content']).filter((one) => Array.isArray(one));
  return [...head, ...paragraphs.flatMap((one) => paragraphBlocks(objectsIn(one), reader))];
}

/** Pieces of a line stand beside each other, and what is a block of its own between them. */
function paragraphBlocks(elements: readonly JsonObject[], reader: PostReader): readonly Block[] {
  if (elements.length === 0) return [textBlock([])];
  const blocks: Block[] = [];
  let line: Inline[] = [];
  const endLine = () => {
    if (line.length > 0) blocks.push(textBlock(line));
    line = [];
  };
  for (const element of elements) {
    const inlines = inlinesOf(element, reader);
    if (inlines !== undefined) {
      line.push(...inlines);
      continue;
    }
    endLine();
    blocks.push(...blockOf(element, reader));
  }
  endLine();
  return blocks;
}

/** Undefined if the element is a block. */
function inlinesOf(element: JsonObject, reader: PostReader): readonly Inline[] | undefined {
  switch (element['tag']) {
    case 'text':
      return styled(element, reader.withMentions(textIn(element, 'text')));
    case 'a': {
      const inlines = styled(element, plain(textIn(element, 'text') || textIn(element, 'href')));
      const href = safeUrl(textIn(element, 'href'));
      return href === undefined ? inlines : [{ kind: 'link', href, inlines }];
    }
    case 'at': {
      const id = textIn(element, 'user_id');
      const name = textIn(element, 'user_name') || reader.nameOf(id) || id;
      const isAll = id === '@_all' || id === 'all';
      return styled(element, [{ kind: 'mention', id, name: isAll ? 'all' : name }]);
    }
    case 'emotion':
      return [{ kind: 'emoji', name: textIn(element, 'emoji_type') }];
    default:
      return undefined;
  }
}

function styled(element: JsonObject, inlines: readonly Inline[]): readonly Inline[] {
  let found = inlines;
  for (const name of listIn(element['style'])) {
    const style = typeof name === 'string' ? STYLES[name] : undefined;
    if (style !== undefined) found = [{ kind: 'styled', style, inlines: found }];
  }
  return found;
}

function blockOf(element: JsonObject, reader: PostReader): readonly Block[] {
  switch (element['tag']) {
    case 'img':
      return [{ kind: 'image', key: textIn(element, 'image_key'), alt: '', title: '' }];
    case 'media':
      return [
        {
          kind: 'attachment',
          what: 'video',
          key: textIn(element, 'file_key'),
          imageKey: textIn(element, 'image_key'),
          name: textIn(element, 'file_name'),
          durationMs: undefined,
        },
      ];
    case 'hr':
      return [{ kind: 'rule' }];
    case 'code_block':
      return [
        { kind: 'code', language: textIn(element, 'language'), text: textIn(element, 'text') },
      ];
    case 'md':
      return parseMarkdown(textIn(element, 'text'), reader.nameOf);
    default:
      return [{ kind: 'other', tag: textIn(element, 'tag'), texts: textsIn(element) }];
  }
}
