/** Makes a post of blocks. Its `md` elements know less Markdown than cards do. */
import { isBlank } from '../../text/visible.ts';
import type { Below, PartNumber } from './card.ts';
import type { Block } from './markdown/tree.ts';
import { withCalls } from './mentions.ts';
import { plainMarkdown } from './plain-markdown.ts';

type PostElement = Readonly<Record<string, unknown>>;

/** The JSON text of a post. */
export function postOf(
  blocks: readonly Block[],
  { number, of, below }: PartNumber & Below,
): string {
  const paragraphs: PostElement[] = [];
  let texts: Block[] = [];
  const end = () => {
    const text = withCalls(plainMarkdown(texts, 'post'));
    // `md` stands alone in its paragraph.
    if (!isBlank(text)) paragraphs.push({ tag: 'md', text });
    texts = [];
  };
  for (const block of blocks) {
    if (block.kind !== 'picture' && block.kind !== 'rule') {
      texts.push(block);
      continue;
    }
    end();
    paragraphs.push(block.kind === 'rule' ? { tag: 'hr' } : { tag: 'img', image_key: block.key });
  }
  end();
  if (below !== undefined) paragraphs.push({ tag: 'text', text: below });
  if (of > 1) paragraphs.push({ tag: 'text', text: `${number}/${of}` });
  return JSON.stringify({ zh_cn: { title: '', content: paragraphs.map((element) => [element]) } });
}
