/** The content of a message of the bridge. `src/lark/content` decides how Lark shows it. */

export type Content =
  /** An agent's text, or a piece of it. */
  | { readonly kind: 'answer'; readonly text: string }
  /** A text of the bridge itself. */
  | { readonly kind: 'notice'; readonly text: string }
  /** A question of the bridge, with a button for each answer. The text says what can be typed instead. */
  | { readonly kind: 'choice'; readonly text: string; readonly buttons: readonly ChoiceButton[] };

/** What a person can decide about a turn that waits for them. */
export type ChoiceAction = 'run' | 'skip' | 'retry';

export interface ChoiceButton {
  readonly label: string;
  readonly action: ChoiceAction;
  readonly style: 'primary' | 'default';
}
