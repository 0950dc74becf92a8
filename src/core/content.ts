/** The content of a message of the bridge. `src/lark/content` decides how Lark shows it. */

export type Content =
  | AnswerContent
  /** A text of the bridge itself. */
  | { readonly kind: 'notice'; readonly text: string }
  /** A question of the bridge, with a button for each answer. The text says what can be typed instead. */
  | { readonly kind: 'choice'; readonly text: string; readonly buttons: readonly ChoiceButton[] }
  /** A text of the bridge with commands that can be pressed instead of typed. */
  | { readonly kind: 'menu'; readonly text: string; readonly buttons: readonly MenuButton[] };

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

export function hasButtons({ kind }: Content): boolean {
  return kind === 'choice' || kind === 'menu';
}

/** What a person can decide about a turn that waits for them. */
export type ChoiceAction = 'run' | 'skip' | 'retry';

export interface ChoiceButton {
  readonly label: string;
  readonly action: ChoiceAction;
  readonly style: 'primary' | 'default';
}

/** What people can tell the bridge itself, by a typed word or a button. `src/bridge/commands/table.ts` says more. */
export type CommandName =
  | ChoiceAction
  | ('help' | 'status' | 'whoami' | 'new' | 'stop' | 'queue' | 'lang')
  | ('allow' | 'block' | 'revoke' | 'reconnect' | 'doctor');

/** It does what the command does that the person who presses could type. */
export type MenuButton = Omit<ChoiceButton, 'action'> & { readonly action: CommandName };
