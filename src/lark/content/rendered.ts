/** Makes the form that Lark's message API accepts from the content of a message. */
import type { ContentForm } from '../../bridge/ports/lark.ts';
import {
  type Content,
  type FileContent,
  isMarkdown,
  type MarkdownContent,
} from '../../core/content.ts';
import type { ButtonValue } from '../../wire/choice-value.ts';
import { choiceCard } from './choice-card.ts';
import { newsCard } from './news-card.ts';
import { fileRow, markdownMessage, partsOfAnswer, simplerThan } from './markdown-rows.ts';
import { calledText, mayCall, withoutMentions, withPlaceholders } from './mentions.ts';
import { LARK_TEXT_BYTES_MAX, smallerPiecesOf, withoutControls } from './text.ts';
import { questionCard } from './question-card.ts';

/** One message in Lark's form. */
export type Rendered =
  | { readonly kind: 'text'; readonly text: string }
  /** JSON of a card, schema 2.0. */
  | { readonly kind: 'card'; readonly card: string }
  /** JSON of a post. */
  | { readonly kind: 'post'; readonly post: string }
  /** A file that was uploaded. */
  | { readonly kind: 'file'; readonly as: FileContent['as']; readonly key: string };

interface LarkContent {
  readonly msg_type: 'text' | 'interactive' | 'post' | 'image' | 'file' | 'audio' | 'media';
  readonly content: string;
}

/** `values`: what the buttons of the content say when they are pressed. */
export function rendered(content: Content, values: readonly ButtonValue[] = []): Rendered {
  switch (content.kind) {
    case 'choice':
    case 'menu': {
      const card = choiceCard({ ...content, text: withoutControls(content.text) }, values);
      return { kind: 'card', card };
    }
    case 'question':
      return { kind: 'card', card: questionCard(content, values) };
    case 'news':
      return { kind: 'card', card: newsCard(content) };
    case 'answer':
      if (isMarkdown(content)) return ofMarkdown(content);
      // Controls go first, because they could hide a tag.
      return {
        kind: 'text',
        text: withBelow(
          calledText(withoutControls(content.text), content.people ?? []),
          content.below,
        ),
      };
    case 'file':
      return { kind: 'file', as: content.as, key: content.key ?? '' };
    case 'raw_card':
      return { kind: 'card', card: content.text };
    case 'notice':
      return { kind: 'text', text: withoutMentions(withoutControls(content.text)) };
  }
}

function withBelow(text: string, below: string | undefined): string {
  return below === undefined ? text : `${text}\n\n${withoutMentions(below)}`;
}

/** Names of message types. */
const FILE_TYPES = { image: 'image', file: 'file', audio: 'audio', video: 'media' } as const;

/** A message that is a text, as the history gives it back. */
function shownText(content: Content): string {
  const piece = rendered(content);
  return piece.kind === 'text' ? withPlaceholders(piece.text) : '';
}

function ofMarkdown(content: MarkdownContent): Rendered {
  const json = markdownMessage(content);
  return content.form === 'card' ? { kind: 'card', card: json } : { kind: 'post', post: json };
}

/** Undefined if it is longer than Lark takes. */
export function toLarkContent(piece: Rendered): LarkContent | undefined {
  if (piece.kind === 'card') return { msg_type: 'interactive', content: piece.card };
  if (piece.kind === 'post') return { msg_type: 'post', content: piece.post };
  if (piece.kind === 'file') {
    const name = piece.as === 'image' ? 'image_key' : 'file_key';
    return { msg_type: FILE_TYPES[piece.as], content: JSON.stringify({ [name]: piece.key }) };
  }
  if (Buffer.byteLength(piece.text) > LARK_TEXT_BYTES_MAX) return undefined;
  return { msg_type: 'text', content: JSON.stringify({ text: piece.text }) };
}

export const contentForm: ContentForm = {
  partsOf: partsOfAnswer,
  simplerThan,
  smallerPiecesOf,
  fileRow,
  mayCall,
  shownText,
};
