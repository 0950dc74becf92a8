/**
 * What is sent if Lark refuses a part of an answer: card, post, text, a file with the first paragraph, and at last a
 * notice. Each form is tried once, so an answer that everything refuses ends after a few calls. It is pure.
 */
import { headOf } from '../../text/cut.ts';
import type { AnswerPart, Rung } from './answer.ts';
import { cardOf } from './card.ts';
import { firstWordsOf } from './letters.ts';
import { LIMITS } from './limits.ts';
import { withCalls, withoutMentions } from './mentions.ts';
import { plainMarkdown } from './plain-markdown.ts';
import { postOf } from './post.ts';
import { bytesInRequest } from './size.ts';

/** Why a message was refused. What passes, such as a rate limit, is no reason to try another form. */
export type RefusedFor =
  /** Lark does not take this form, or did not say what is wrong. */
  | 'form'
  | 'too_long'
  /** A rule of the company stops what it says. Another form would only go around the rule. */
  | 'forbidden';

export type AnswerMessage =
  /** The JSON text of a card. */
  | { readonly kind: 'card'; readonly card: string }
  /** The JSON text of a post. */
  | { readonly kind: 'post'; readonly post: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'file'; readonly name: string; readonly text: string }
  /** The bridge says that the answer could not be shown, and where the operator finds it. */
  | { readonly kind: 'notice' };

export interface Step {
  readonly rung: Rung;
  readonly messages: readonly AnswerMessage[];
}

/** How much of an answer is said beside its file. */
const FIRST_WORDS_CHARS = 500;

export function firstStep(part: AnswerPart): Step {
  return stepFrom(part, part.first);
}

/** What follows a step of which a message was refused. Undefined after the last one: a notice has nothing below it. */
export function nextStep(part: AnswerPart, refused: Rung, why: RefusedFor): Step | undefined {
  if (refused === 'notice') return undefined;
  return stepFrom(part, why === 'forbidden' ? 'notice' : below(refused, why));
}

function below(rung: Exclude<Rung, 'notice'>, why: 'form' | 'too_long'): Rung {
  switch (rung) {
    case 'card':
      // A post may not be longer than a card.
      return why === 'too_long' ? 'text' : 'post';
    case 'post':
      return 'text';
    case 'text':
      return 'file';
    case 'file':
      return 'notice';
  }
}

/** The step of this form, or of the first one below it that holds the part. */
function stepFrom(part: AnswerPart, rung: Rung): Step {
  switch (rung) {
    case 'card':
      return { rung, messages: [{ kind: 'card', card: cardOf(part.blocks, part) }] };
    case 'post': {
      const post = postOf(part.blocks, part);
      if (bytesInRequest(post) > LIMITS.cardContentBytesMax) return stepFrom(part, 'text');
      return { rung, messages: [{ kind: 'post', post }] };
    }
    case 'text': {
      const text = textOf(part);
      if (bytesInRequest(JSON.stringify({ text })) > LIMITS.textContentBytesMax) {
        return stepFrom(part, 'file');
      }
      return { rung, messages: [{ kind: 'text', text }] };
    }
    case 'file':
      return { rung, messages: fileWithFirstWords(part) };
    case 'notice':
      return { rung, messages: [{ kind: 'notice' }] };
  }
}

/** A part that people can read as it is. */
export function textOf(part: AnswerPart): string {
  return `${numberOf(part)}${withCalls(plainMarkdown(part.blocks, 'text'))}`;
}

/** The first line of a text that is a part of an answer. */
export function numberOf({ number, of }: Pick<AnswerPart, 'number' | 'of'>): string {
  return of > 1 ? `${number}/${of}\n` : '';
}

function fileWithFirstWords(part: AnswerPart): AnswerMessage[] {
  const words = withoutMentions(firstWordsOf(part.blocks)).trim();
  const shown = headOf(words, { chars: FIRST_WORDS_CHARS });
  const text = shown.length < words.length ? `${shown}…` : shown;
  const file: AnswerMessage = {
    kind: 'file',
    name: part.of > 1 ? `answer-${part.number}.md` : 'answer.md',
    text: part.source ?? plainMarkdown(part.blocks, 'file'),
  };
  // A text that was refused is not said again as its own first words.
  const isAll = part.source !== undefined && part.source.trim() === words;
  return text === '' || isAll ? [file] : [{ kind: 'text', text }, file];
}
