/** Answers as the outbox keeps them: each part with the Markdown from which its message is made when it is sent. */
import type { RefusedForm } from '../../bridge/ports/lark.ts';
import type {
  AnswerContent,
  AnswerFile,
  FileContent,
  MarkdownContent,
  ShownImage,
} from '../../core/content.ts';
import { byteLength } from '../../text/cut.ts';
import { answerOf, blocksOf, imagesIn, type AnswerContext, type AnswerPart } from './answer.ts';
import { cardMarkdown, tableMarkdown } from './card-markdown.ts';
import { cardOf } from './card.ts';
import { firstStep, nextStep, numberOf, textOf, type AnswerMessage, type Step } from './ladder.ts';
import { LIMITS } from './limits.ts';
import type { Block } from './markdown/tree.ts';
import { plainMarkdown } from './plain-markdown.ts';
import { postOf } from './post.ts';
import { LARK_TEXT_BYTES_MAX, piecesOf } from './text.ts';

/** The line with the number of a part. */
const NUMBER_BYTES_MAX = 32;

type Rows = (AnswerContent | FileContent)[];

/** An answer as parts. A plain one stays a text, and so does a log. `files`: what came with it. */
export function partsOfAnswer(text: string, files: readonly AnswerFile[] = []): Rows {
  // What is longer is a log and no answer, and to read it would hold up all other chats.
  const isLog = text.length > LIMITS.markdownCharsMax;
  const images = files.filter(({ kind }) => kind === 'image').map((file) => ({ file }));
  const parts = isLog ? [] : answerOf(text, contextOf({ images })).parts;
  const [first] = parts;
  if (first?.first === 'file') {
    return rowsOf(firstStep(first), { isFirstForm: true });
  }
  const isMarkdown = parts.length > 0 && parts.every((part) => part.first === 'card');
  if (!isMarkdown) return textsOf(text);
  return parts.map((part): AnswerContent => {
    const shown = imagesOf(part, images);
    if (part.of === 1) return { kind: 'answer', text, form: 'card', ...shown };
    const { number, of } = part;
    const source = part.blocks.map(markdownOf).join('\n\n');
    const content = {
      kind: 'answer',
      text: source,
      form: 'card',
      part: { number, of },
      ...shown,
    } as const;
    // Where Markdown would be read in another way, the part is a text that people can read.
    return saysTheSame(partOf(content), part)
      ? content
      : { kind: 'answer', text: textOf(part), part: content.part };
  });
}

/** What is too long for one message has numbered parts, as cards have. */
function textsOf(text: string): Rows {
  const [first = '', ...more] = piecesOf(text, LARK_TEXT_BYTES_MAX - NUMBER_BYTES_MAX);
  if (more.length === 0) return first === '' ? [] : [{ kind: 'answer', text: first }];
  const pieces = [first, ...more];
  return pieces.map((piece, at) => {
    const part = { number: at + 1, of: pieces.length };
    return { kind: 'answer', text: `${numberOf(part)}${piece}`, part };
  });
}

/** The JSON text of the card or the post that shows the content. */
export function markdownMessage(content: MarkdownContent): string {
  const part = { ...partOf(content), below: content.below };
  return content.form === 'card' ? cardOf(part.blocks, part) : postOf(part.blocks, part);
}

/** What is sent in place of a refused part, by the ladder. Empty if only a notice is left. */
export function simplerThan(refused: AnswerContent, why: RefusedForm): Rows {
  if (refused.is !== undefined) return [];
  const { form = 'text' } = refused;
  const part = form === 'text' ? textPart(refused) : partOf(refused);
  const next = nextStep(part, form, why);
  if (next === undefined || next.rung === 'notice') return [];
  if (next.rung === 'post') return [{ ...refused, form: 'post' }];
  // What a card would show in place follows the simpler form.
  const images = (form === 'text' ? [] : (refused.images ?? [])).map(({ file }) => fileRow(file));
  return [...rowsOf(next, kept(refused)), ...images];
}

/** A file that came with an answer, as a message. */
export function fileRow({ kind, name, path }: AnswerFile): FileContent {
  return { kind: 'file', as: kind, name, path, text: name };
}

/** What a text keeps of the Markdown from which it is made. */
function kept({ text, form, source, part, people, below }: AnswerContent): More {
  const written = form === undefined ? source : text;
  return {
    ...(written !== undefined && part === undefined && { source: written }),
    ...(part !== undefined && { part }),
    ...(people !== undefined && { people }),
    ...(below !== undefined && { below }),
  };
}

interface More extends Partial<Pick<AnswerContent, 'source' | 'part' | 'people' | 'below'>> {
  readonly isFirstForm?: true;
}

function rowsOf({ rung, messages }: Step, { isFirstForm, ...more }: More): Rows {
  return messages.map((message): AnswerContent | FileContent => {
    if (message.kind === 'file') {
      return { ...ownFile(message), ...(isFirstForm && { isFirstForm }) };
    }
    const text = message.kind === 'text' ? message.text : '';
    return rung === 'text'
      ? { kind: 'answer', text, ...more }
      : { kind: 'answer', text, is: 'excerpt' };
  });
}

function ownFile({ name, text }: Extract<AnswerMessage, { kind: 'file' }>): FileContent {
  return { kind: 'file', as: 'file', name, text };
}

/** A text was made to be read as it is. Its first lines say what the file is about. */
function textPart({ text, part, source }: AnswerContent): AnswerPart {
  const { number, of } = part ?? { number: 1, of: 1 };
  const unnumbered = text.slice(part === undefined ? 0 : numberOf(part).length);
  const words = unnumbered.trim();
  const [paragraph = ''] = words.split(/\n\s*\n/, 1);
  const blocks = [
    { kind: 'paragraph', children: [{ kind: 'text', text: paragraph }] },
  ] as const satisfies Block[];
  return { number, of, blocks, source: source ?? unnumbered, first: 'text' };
}

function partOf({ part = { number: 1, of: 1 }, ...content }: AnswerContent): AnswerPart {
  const { text } = content;
  const blocks = blocksOf(text, contextOf(content));
  return { ...part, blocks, first: 'card', ...(part.of === 1 && { source: text }) };
}

/** Nobody is called who is not known to be in the chat. */
function contextOf({
  images = [],
  people = [],
}: Pick<AnswerContent, 'images' | 'people'>): AnswerContext {
  const keys = images.flatMap((image) =>
    pathsOf(image.file).map((path) => [path, image.key ?? refOf(image.file)] as const),
  );
  return { people, images: new Map(keys) };
}

/** How an agent may write where an image is, and how a part does. */
function pathsOf(file: AnswerFile): readonly string[] {
  const written = file.from.split('/').at(-1) ?? '';
  return [
    refOf(file),
    file.name,
    written,
    file.from,
    `file://${file.from}`,
    `$LARK_OUTPUT_DIR/${written}`,
  ];
}

/** Stands for the key of an image until it is uploaded. Each file of an answer has a name of its own on the disk. */
function refOf({ path }: AnswerFile): string {
  return `output:${path.split('/').at(-1) ?? ''}`;
}

function imagesOf({ blocks }: AnswerPart, images: readonly ShownImage[]) {
  if (images.length === 0) return {};
  const shown = imagesIn(blocks);
  const used = images.filter(({ file }) => shown.has(refOf(file)));
  return used.length === 0 ? {} : { images: used };
}

/** Beside the words only empty lines and what is not shown may differ. */
function saysTheSame(read: AnswerPart, part: AnswerPart): boolean {
  const fits = byteLength(JSON.stringify(cardOf(read.blocks, read))) <= LIMITS.cardContentBytesMax;
  return fits && wordsOf(read) === wordsOf(part);
}

function wordsOf({ blocks }: AnswerPart): string {
  return plainMarkdown(blocks, 'text').replaceAll(/[\s\u200B]+/g, '');
}

function markdownOf(block: Block): string {
  switch (block.kind) {
    case 'table':
      return tableMarkdown(block);
    case 'code_block':
      // A card would have Lark's name of the language.
      return plainMarkdown([block], 'file');
    case 'rule':
      return '---';
    case 'picture': {
      const { key, label } = block;
      return cardMarkdown({ kind: 'paragraph', children: [{ kind: 'image', key, label }] });
    }
    case 'paragraph':
    case 'heading':
    case 'quote':
    case 'list':
      return cardMarkdown(block);
  }
}
