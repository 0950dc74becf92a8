/** What people see in a chat, as it is now. */
import type { MarkdownForm } from '../../src/core/content.ts';
import type { ChatId, MessageId } from '../../src/core/ids.ts';
import type { Rendered } from '../../src/lark/content/rendered.ts';

export interface Shown {
  readonly id: MessageId;
  readonly chatId: ChatId;
  readonly replyTo: MessageId | undefined;
  readonly inThread: boolean;
  readonly text: string;
  /** Undefined for a text. */
  readonly form: MarkdownForm | undefined;
  /** What the buttons of a card say when they are pressed. */
  readonly buttons: readonly Readonly<Record<string, string>>[];
  /** All words of it, as it is now. */
  readonly words: string;
  /** When it became what it is. */
  readonly atMs: number;
  /** Of a card that shows a turn at work. */
  readonly live?: LiveFacts;
}

export interface LiveFacts {
  readonly isEnded: boolean;
  /** What its agent had said, as it last stood there before the end. */
  readonly said: string;
  readonly saidAtMs: number;
}

export type Looks = Pick<Shown, 'text' | 'words' | 'buttons' | 'form'>;

interface Element {
  readonly text?: { readonly content: string };
  readonly content?: string;
  readonly behaviors?: readonly { readonly value: Readonly<Record<string, string>> }[];
}

export function looksOf(content: Rendered): Looks {
  if (content.kind === 'text') {
    return { text: content.text, words: content.text, buttons: [], form: undefined };
  }
  if (content.kind === 'file') throw new Error('no agent of the model has files');
  if (content.kind === 'card') return looksOfCard(content.card);
  const post = JSON.parse(content.post) as { zh_cn: { content: { text: string }[][] } };
  const texts = post.zh_cn.content.flat().map(({ text }) => text);
  return { text: texts[0] ?? '', words: texts.join('\n'), buttons: [], form: 'post' };
}

/** `json`: schema 2.0. */
export function looksOfCard(json: string): Looks {
  const card = JSON.parse(json) as {
    config: { summary: { content: string } };
    body: { elements: readonly Element[] };
  };
  const { elements } = card.body;
  return {
    text: card.config.summary.content,
    words: elements.map(({ text, content }) => text?.content ?? content ?? '').join('\n'),
    buttons: elements.flatMap(({ behaviors = [] }) => behaviors.map(({ value }) => value)),
    form: 'card',
  };
}
