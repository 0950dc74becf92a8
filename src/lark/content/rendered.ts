/** Makes the form that Lark's message API accepts from the content of a message. */
import type { ContentForm } from '../../bridge/ports.ts';
import type { Content } from '../../core/content.ts';
import type { ButtonValue } from '../../wire/choice-value.ts';
import { choiceCard } from './choice-card.ts';
import {
  LARK_TEXT_BYTES_MAX,
  piecesOf,
  smallerPiecesOf,
  shownText,
  withoutControls,
} from './text.ts';

/** One message in Lark's form. */
export type Rendered =
  | { readonly kind: 'text'; readonly text: string }
  /** JSON of a card, schema 2.0. */
  | { readonly kind: 'card'; readonly card: string };

interface LarkContent {
  readonly msg_type: 'text' | 'interactive';
  readonly content: string;
}

/** `values`: what the buttons of the content say when they are pressed. */
export function rendered(content: Content, values: readonly ButtonValue[] = []): Rendered {
  return content.kind === 'choice'
    ? {
        kind: 'card',
        card: choiceCard({ ...content, text: withoutControls(content.text) }, values),
      }
    : { kind: 'text', text: shownText(content.text) };
}

/** Undefined if it is longer than Lark takes. */
export function toLarkContent(piece: Rendered): LarkContent | undefined {
  if (piece.kind === 'card') return { msg_type: 'interactive', content: piece.card };
  if (Buffer.byteLength(piece.text) > LARK_TEXT_BYTES_MAX) return undefined;
  return { msg_type: 'text', content: JSON.stringify({ text: piece.text }) };
}

export const contentForm: ContentForm = {
  piecesOf: (text) => piecesOf(text),
  smallerPiecesOf,
  shownText,
};
