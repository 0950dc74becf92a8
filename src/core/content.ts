/** The content of a message of the bridge. `src/lark/content` decides how Lark shows it. */
import type { OpenId } from './ids.ts';
import type { QuestionOption } from './turn-update.ts';

export type Content =
  | AnswerContent
  /** A text of the bridge itself. */
  | { readonly kind: 'notice'; readonly text: string }
  /** A question of the bridge, with a button for each answer. The text says what can be typed instead. */
  | { readonly kind: 'choice'; readonly text: string; readonly buttons: readonly ChoiceButton[] }
  | QuestionContent;

/** A question of an agent. Once it is over it has no options. */
export interface QuestionContent {
  readonly kind: 'question';
  readonly text: string;
  readonly options: readonly QuestionOption[];
  /** What the bridge says about it: how to answer, or how it ended. */
  readonly note: string;
  /** Who has answered. */
  readonly by?: OpenId;
  /** All of it as a text, where there can be no card. */
  readonly plain: string;
}

/** An agent's text, or a part of it. */
export interface AnswerContent {
  readonly kind: 'answer';
  readonly text: string;
  /** Set where the text is Markdown: the form in which it is shown. Without it the text is shown as it is. */
  readonly form?: MarkdownForm;
  /** Where a longer answer has several: which one it is, from 1 on. */
  readonly part?: { readonly number: number; readonly of: number };
}

export type MarkdownForm = 'card' | 'post';

export type MarkdownContent = AnswerContent & { readonly form: MarkdownForm };

export function isMarkdown(content: Content): content is MarkdownContent {
  return content.kind === 'answer' && content.form !== undefined;
}

/** What a person can decide about a turn that waits for them. */
export type ChoiceAction = 'run' | 'skip' | 'retry';

export interface ChoiceButton {
  readonly label: string;
  readonly action: ChoiceAction;
  readonly style: 'primary' | 'default';
}
