/** What can happen to a turn, and what a step of it writes. */
import type { ChoiceAction } from '../../core/content.ts';
import type { OpenId, WorkspaceId } from '../../core/ids.ts';
import type { TurnState } from '../../core/turn.ts';
import type { Show } from '../outbox/show.ts';
import type { TurnDetails } from '../../core/turn-details.ts';
import type { SendResult, TurnAnswer, TurnQuestion, WaitResult } from '../ports/target.ts';
import type { Chosen } from '../ports/sessions.ts';
import type { Withdrawal } from '../ports/changes.ts';

export interface TurnRules {
  readonly turnTimeoutMs: number;
  /** The hub takes a repeated message id for the same turn. */
  readonly deduplicates: boolean;
  /** How long files without words wait for words. */
  readonly burstWaitMs?: number;
}

export type TurnEvent =
  /** `limitMs`: how long it may take, if that is another time than usual. */
  | {
      readonly kind: 'started';
      readonly target: WorkspaceId;
      readonly details?: TurnDetails;
      readonly limitMs?: number;
    }
  /** The agent or the folder that was chosen for it does not exist any more, or may not be used. */
  | { readonly kind: 'choice_gone'; readonly gone: Chosen }
  | { readonly kind: 'sent'; readonly result: SendResult; readonly random: number }
  | { readonly kind: 'waited'; readonly result: WaitResult }
  | { readonly kind: 'timed_out' }
  /** An earlier process worked on it. This process takes over. */
  | { readonly kind: 'restarted' }
  | { readonly kind: 'recalled'; readonly by?: string | undefined }
  | { readonly kind: 'chosen'; readonly action: ChoiceAction; readonly by: OpenId | 'operator' }
  /** `correlates`: answers name their turn, so a late answer can't be shown as the answer to another turn. */
  | { readonly kind: 'dropped_by_operator'; readonly correlates: boolean }
  /** Somebody who may do so ends it while it waits or the agent works on it. What was said so far stays. */
  | { readonly kind: 'stopped'; readonly by: OpenId }
  /** An answer or question that names no turn, but can only be about this one. */
  | {
      readonly kind: 'received';
      readonly id: string;
      readonly from: WorkspaceId;
      readonly said: TurnAnswer | TurnQuestion;
    }
  /** An answer or question with the token of this turn. */
  | {
      readonly kind: 'named';
      readonly id: string;
      readonly from: WorkspaceId;
      readonly said: TurnAnswer | TurnQuestion;
    }
  /** After its time was over, an answer came that may be its own. Or no answer came, and the bridge stops waiting. */
  | { readonly kind: 'late_answer' }
  | { readonly kind: 'gave_up_waiting' }
  /** A person's command to the bridge was carried out, or a waiting message turned out to ask nothing. */
  | { readonly kind: 'carried_out'; readonly show: readonly Show[] };

export interface TurnStep {
  readonly state: TurnState;
  readonly run?: number;
  /** Only if there is a new run. */
  readonly askedBy?: OpenId | undefined;
  readonly show: readonly Show[];
  readonly withdrawn?: Withdrawal;
  /** Only if there is a new run. */
  readonly isChosenAnew?: true;
}
