import type { TurnId } from './ids.ts';
import type { CallPriority, DeliveryResult, Outgoing } from './ports.ts';
import type { TurnPhase } from './turn.ts';

/** What parts tell about their work as it happens, for metrics and traces. Never throws, and costs next to nothing. */
export interface Observer {
  /** From the arrival of an event until its ack may leave. */
  eventAcked(tookMs: number): void;
  /** A turn that was given to its agent has come to rest; `tookMs` since it was given. */
  turnEnded(turn: TurnId, phase: TurnPhase, tookMs: number): void;
  /** A message of the outbox that was made for this turn is over, sent or not. */
  shown(turn: TurnId): void;
  /** How long a call to Lark was held back before it was made. */
  callStarted(priority: CallPriority, waitedMs: number): void;
  sendEnded(kind: Outgoing['kind'], result: DeliveryResult): void;
}

export const NO_OBSERVER: Observer = {
  eventAcked() {},
  turnEnded() {},
  shown() {},
  callStarted() {},
  sendEnded() {},
};
