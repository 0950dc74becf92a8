import type { AnswerFile, ChoiceButton, MenuButton } from '../../core/content.ts';
import type { Text } from '../../core/language.ts';

/** What a step of a turn shows. The outbox makes a row with a key for each, in the language of whose turn it is. */
export type Show =
  /**
   * Without a name it is the answer. With a name it is another text of the agent about the turn. `Text`: the bridge
   * says something beside the agent's words.
   */
  | {
      readonly what: 'answer';
      readonly name?: string;
      readonly text: string | Text;
      readonly files?: readonly AnswerFile[];
    }
  | { readonly what: 'notice'; readonly name: string; readonly text: Text }
  /** A notice with buttons. */
  | {
      readonly what: 'choice';
      readonly name: string;
      readonly text: Text;
      readonly buttons: readonly ShownButton[];
    }
  /** A notice with commands that can be pressed. */
  | {
      readonly what: 'menu';
      readonly name: string;
      readonly text: Text;
      readonly buttons: readonly ShownMenuButton[];
    }
  /** The reaction on the person's message that says that it was received, and the removal of that reaction. */
  | { readonly what: 'receipt'; readonly dueAtMs: number }
  | { readonly what: 'receipt_off' };

export type ShownButton = Omit<ChoiceButton, 'label'> & { readonly label: Text };

export type ShownMenuButton = Omit<MenuButton, 'label'> & { readonly label: Text };
