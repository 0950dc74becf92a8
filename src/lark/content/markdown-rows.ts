/** Answers as the outbox keeps them: each part with the Markdown from which its message is made when it is sent. */
import type { RefusedForm } from '../../bridge/ports.ts';
import type { AnswerContent, MarkdownContent } from '../../core/content.ts';
import { byteLength } from '../../core/cut.ts';
import { answerOf, blocksOf, type AnswerPart } from './answer.ts';
import { cardMarkdown, tableMarkdown } from './card-markdown.ts';
import { cardOf } from './card.ts';
import { nextStep, textOf } from './ladder.ts';
import { LIMITS } from './limits.ts';
import type { Block } from './markdown/tree.ts';
import { plainMarkdown } from './plain-markdown.ts';
import { postOf } from './post.ts';
import { piecesOf } from './text.ts';

/** The bridge does not know yet who is in a chat, and uploads no images: nobody is called, and images are links. */
const NOTHING_KNOWN = { people: [], images: new Map<string, string>() };

/** An answer as parts. A plain one stays a text, and so does one that is too long for cards. */
export function partsOfAnswer(text: string): AnswerContent[] {
  // What is longer is a log and no answer, and to read it would hold up all other chats.
  const isLog = text.length > LIMITS.markdownCharsMax;
  const parts = isLog ? [] : answerOf(text, NOTHING_KNOWN).parts;
  const isMarkdown = parts.length > 0 && parts.every(({ first }) => first === 'card');
  if (!isMarkdown) return piecesOf(text).map((piece) => ({ kind: 'answer', text: piece }));
  return parts.map((part) => {
    if (part.of === 1) return { kind: 'answer', text, form: 'card' };
    const { number, of } = part;
    const source = part.blocks.map(markdownOf).join('\n\n');
    const content = { kind: 'answer', text: source, form: 'card', part: { number, of } } as const;
    // Where Markdown would be read in another way, the part is a text that people can read.
    return saysTheSame(partOf(content), part) ? content : { kind: 'answer', text: textOf(part) };
  });
}

/** The JSON text of the card or the post that shows the content. */
export function markdownMessage(content: MarkdownContent): string {
  const part = partOf(content);
  return content.form === 'card' ? cardOf(part.blocks, part) : postOf(part.blocks, part);
}

/**
 * A refused part in the next form of the ladder. Below the texts are files, which are not uploaded yet. So a text
 * is the last form, and after it comes the notice that the answer can't be shown.
 */
export function simplerThan(content: MarkdownContent, why: RefusedForm): AnswerContent {
  const part = partOf(content);
  const next = nextStep(part, content.form, why);
  if (next?.rung === 'post') return { ...content, form: 'post' };
  return { kind: 'answer', text: textOf(part) };
}

function partOf({ text, part = { number: 1, of: 1 } }: MarkdownContent): AnswerPart {
  return { ...part, blocks: blocksOf(text, NOTHING_KNOWN), first: 'card' };
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
  if (block.kind === 'table') return tableMarkdown(block);
  // A card would have Lark's name of the language.
  if (block.kind === 'code_block') return plainMarkdown([block], 'file');
  return block.kind === 'rule' ? '---' : cardMarkdown(block);
}
