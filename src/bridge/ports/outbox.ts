/** What is sent for a turn, as the journal keeps it. */
import type { Content, QuestionContent } from '../../core/content.ts';
import type { ChatId, MessageId, TurnId } from '../../core/ids.ts';

export type OutboxBody =
  /** `tellsOfFailure`: it says that another row could not be shown. If it can't be shown either, nothing replaces it. */
  | {
      readonly kind: 'message';
      readonly content: Content;
      readonly tellsOfFailure?: true;
      /** It stands on a live card or nowhere. */
      readonly onlyOnCard?: true;
      /** The question that it shows. */
      readonly question?: { readonly key: string; readonly expiresAtMs: number };
    }
  /** Shows in the card of a question how it ended. */
  | { readonly kind: 'update'; readonly question: string; readonly content: QuestionContent }
  | { readonly kind: 'react'; readonly emoji: string }
  /** Removes the reaction that the row with this key made. */
  | { readonly kind: 'unreact'; readonly reactKey: string };

/** How a message row is shown. If Lark refuses one placement, the next one of this list is used. */
export type Placement = 'thread' | 'reply' | 'chat';

export type OutboxState =
  | { readonly phase: 'pending'; readonly dueAtMs: number }
  | { readonly phase: 'sent'; readonly larkId: string; readonly atMs: number }
  /** It could not be delivered. The operator can list such rows. */
  | { readonly phase: 'dead'; readonly atMs: number }
  /** Nobody wanted it any more before it was sent. */
  | { readonly phase: 'dropped' };

export interface OutboxRow {
  readonly key: string;
  readonly seq: number;
  /** Rows of one lane are sent one after another, in order. */
  readonly lane: string;
  readonly turn: TurnId | undefined;
  readonly chatId: ChatId;
  readonly replyTo: MessageId | undefined;
  readonly placement: Placement;
  readonly priority: 'answer' | 'notice' | 'reaction';
  readonly body: OutboxBody;
  /** The key of the live card that shows it. Undefined: it is a message of its own. */
  readonly liveCard?: string | undefined;
  readonly createdAtMs: number;
  /** Stored before the first try. After a crash it says which rows may have arrived. */
  readonly triedAtMs: number | undefined;
  /** When an operator ordered it to be sent again. From then on it is tried for as long as a new row. */
  readonly replayedAtMs: number | undefined;
  readonly attempts: number;
  /** Lark's code and our text for the latest failure. */
  readonly lastError: string | undefined;
  readonly state: OutboxState;
}

/** A row that the journal has not stored yet. */
export type OutboxDraft = Omit<
  OutboxRow,
  'seq' | 'triedAtMs' | 'replayedAtMs' | 'attempts' | 'lastError' | 'state'
> & {
  readonly dueAtMs: number;
};
