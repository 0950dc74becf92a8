/** The content of a message of the bridge. `src/lark/content` decides how Lark shows it. */
import type { OpenId } from './ids.ts';

export type Content =
  | AnswerContent
  /** A text of the bridge itself. */
  | { readonly kind: 'notice'; readonly text: string }
  /** A question of the bridge, with a button for each answer. The text says what can be typed instead. */
  | { readonly kind: 'choice'; readonly text: string; readonly buttons: readonly ChoiceButton[] };

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

/** What the owner can decide about a person. */
export type AccessAction = 'allow' | 'block';

export interface ChoiceButton {
  readonly label: string;
  readonly action: ChoiceAction | AccessAction;
  /** Whom the decision is about, if it is not about a turn. */
  readonly about?: OpenId;
  readonly style: 'primary' | 'default';
}
