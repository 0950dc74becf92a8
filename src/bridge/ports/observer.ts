import type { TurnId } from '../../core/ids.ts';
import type { TurnPhase } from '../../core/turn.ts';
import type { QuestionState } from './questions.ts';
import type { CallPriority, DeliveryResult, Outgoing } from './delivery.ts';

export type QuestionOutcome = Exclude<QuestionState['phase'], 'open'>;

/** Parts call it while they work, for metrics and traces. It never throws, and costs almost nothing. */
export interface Observer {
  /** `tookMs`: from the arrival of an event until it may be acked. */
  eventAcked(tookMs: number): void;
  /** A turn that was given to its agent is over or held. `tookMs`: since it was given. */
  turnEnded(turn: TurnId, phase: TurnPhase, tookMs: number): void;
  /** A question of an agent has ended, in one of the ways that a question can end. */
  questionEnded(outcome: QuestionOutcome): void;
  /** A message of the outbox for this turn is finished, sent or not. */
  shown(turn: TurnId): void;
  /** `waitedMs`: how long the call to Lark waited before it was made. */
  callStarted(priority: CallPriority, waitedMs: number): void;
  sendEnded(kind: Outgoing['kind'], result: DeliveryResult): void;
}

export const NO_OBSERVER: Observer = {
  eventAcked() {},
  turnEnded() {},
  questionEnded() {},
  shown() {},
  callStarted() {},
  sendEnded() {},
};
