/** An answer as parts, of which each is shown by one message. The same text and the same chat give the same parts. */
import type { Person } from '../../core/content.ts';
import { hasLetters, lettersOf } from './letters.ts';
import { LIMITS } from './limits.ts';
import { parseAnswer } from './markdown/parse.ts';
import type { Block, Inline } from './markdown/tree.ts';
import { Mentions } from './mentions.ts';
import { isPlain, isShort } from './plain.ts';
import { shownBlocks } from './shown-blocks.ts';
import { partsOf } from './split.ts';

export interface AnswerContext {
  /** Who is in the chat, as far as it is known. Nobody else can be called. */
  readonly people: readonly Person[];
  /** Keys of the images that were uploaded for this answer, by the paths that the agent may use for them. */
  readonly images: ReadonlyMap<string, string>;
}

/** The forms in which a part can be shown, from the best one to the last one. */
export type Rung = 'card' | 'post' | 'text' | 'file' | 'notice';

export interface AnswerPart {
  readonly number: number;
  readonly of: number;
  readonly blocks: readonly Block[];
  /** The form that is tried first. */
  readonly first: Rung;
  /** What the agent wrote, where this is the only part. */
  readonly source?: string;
}

export function blocksOf(text: string, { people, images }: AnswerContext): readonly Block[] {
  return shownBlocks(parseAnswer(text, { mentions: new Mentions(people), images }));
}

export function answerOf(text: string, context: AnswerContext) {
  return { parts: partsFor(text, blocksOf(text, context)) };
}

/** Keys of the images that blocks show. They are not shown again after the answer. */
export function imagesIn(blocks: readonly Block[]): ReadonlySet<string> {
  return new Set(blocks.flatMap(keysIn));
}

function partsFor(source: string, blocks: readonly Block[]): readonly AnswerPart[] {
  // A bubble with an empty form in it would look broken. What was written says more.
  if (!blocks.some(hasLetters)) return [];
  const whole = { number: 1, of: 1, blocks, source };
  if (isPlain(source) || isShownAsWritten(source, blocks)) return [{ ...whole, first: 'text' }];
  const parts = partsOf(blocks);
  if (parts === undefined || parts.length > LIMITS.partsMax) return [{ ...whole, first: 'file' }];
  if (parts.length === 1) return [{ ...whole, first: 'card' }];
  return parts.map((some, at) => ({
    number: at + 1,
    of: parts.length,
    blocks: some,
    first: 'card',
  }));
}

/**
 * Signs such as brackets may mean nothing where they stand: then a short answer needs no card either, and a text
 * keeps its spaces.
 */
function isShownAsWritten(source: string, blocks: readonly Block[]): boolean {
  if (!isShort(source)) return false;
  const texts = blocks.map((block) =>
    block.kind === 'paragraph' && block.children.every(isWords)
      ? lettersOf(block.children)
      : undefined,
  );
  if (texts.includes(undefined)) return false;
  return texts.join('').replaceAll(/\s/g, '') === source.replaceAll(/\s/g, '');
}

function isWords({ kind }: Inline): boolean {
  return kind === 'text' || kind === 'break';
}

function keysIn(block: Block): readonly string[] {
  if (block.kind === 'picture') return [block.key];
  if (block.kind !== 'table') return [];
  return [block.head, ...block.rows].flatMap((row) =>
    row.flatMap((cell) => cell.flatMap(keysInside)),
  );
}

function keysInside(node: Inline): readonly string[] {
  if (node.kind === 'image') return [node.key];
  return 'children' in node ? node.children.flatMap(keysInside) : [];
}
