/** Makes the form that Lark's message API accepts from the content of a message. */
import type { ContentForm } from '../../bridge/ports.ts';
import { type Content, isMarkdown, type MarkdownContent } from '../../core/content.ts';
import type { ButtonValue } from '../../wire/choice-value.ts';
import { choiceCard } from './choice-card.ts';
import { questionCard } from './question-card.ts';
import { markdownMessage, partsOfAnswer, simplerThan } from './markdown-rows.ts';
import { LARK_TEXT_BYTES_MAX, smallerPiecesOf, shownText, withoutControls } from './text.ts';

/** One message in Lark's form. */
export type Rendered =
  | { readonly kind: 'text'; readonly text: string }
  /** JSON of a card, schema 2.0. */
  | { readonly kind: 'card'; readonly card: string }
  /** JSON of a post. */
  | { readonly kind: 'post'; readonly post: string };

interface LarkContent {
  readonly msg_type: 'text' | 'interactive' | 'post';
  readonly content: string;
}

/** `values`: what the buttons of the content say when they are pressed. */
export function rendered(content: Content, values: readonly ButtonValue[] = []): Rendered {
  switch (content.kind) {
    case 'choice': {
      const card = choiceCard({ ...content, text: withoutControls(content.text) }, values);
      return { kind: 'card', card };
    }
    case 'question':
      return { kind: 'card', card: questionCard(content, values) };
    case 'answer':
      if (isMarkdown(content)) return ofMarkdown(content);
      return { kind: 'text', text: shownText(content.text) };
    case 'notice':
      return { kind: 'text', text: shownText(content.text) };
  }
}

function ofMarkdown(content: MarkdownContent): Rendered {
  const json = markdownMessage(content);
  return content.form === 'card' ? { kind: 'card', card: json } : { kind: 'post', post: json };
}

/** Undefined if it is longer than Lark takes. */
export function toLarkContent(piece: Rendered): LarkContent | undefined {
  if (piece.kind === 'card') return { msg_type: 'interactive', content: piece.card };
  if (piece.kind === 'post') return { msg_type: 'post', content: piece.post };
  if (Buffer.byteLength(piece.text) > LARK_TEXT_BYTES_MAX) return undefined;
  return { msg_type: 'text', content: JSON.stringify({ text: piece.text }) };
}

export const contentForm: ContentForm = {
  partsOf: partsOfAnswer,
  simplerThan,
  smallerPiecesOf,
  shownText,
};
