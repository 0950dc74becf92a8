import type { AnswerFile } from '../../core/content.ts';

/** What an operator wants to be sent. */
export interface SendOrder {
  /** Makes the keys of its rows. */
  readonly id: string;
  /** The id of a chat, the open id of a person, or an email address. */
  readonly to: string;
  /** In Markdown. */
  readonly text?: string;
  /** JSON of a card. */
  readonly card?: string;
  readonly files: readonly AnswerFile[];
}
