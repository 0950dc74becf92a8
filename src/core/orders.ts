/**
 * What an operator wants done from outside. The daemon alone changes turns and the outbox, so another
 * process leaves an order in the journal, and the daemon carries it out.
 */
import type { OutboxState, TurnPhase } from './turn.ts';

export type OrderKind =
  /** Begins a turn anew. */
  | 'turn_retry'
  /** Ends a turn; what its agent may still answer is not shown. */
  | 'turn_drop'
  /** Sends a dead letter again, under its own key. */
  | 'letter_replay'
  | 'letter_drop';

type Phase = TurnPhase | OutboxState['phase'];

export interface OrderResult {
  /** `refused`: it makes no sense where its subject is. */
  readonly outcome: 'done' | 'refused';
  /** Where its subject is now; undefined if there is none by that name. */
  readonly phase: Phase | undefined;
}

export interface Order {
  readonly id: number;
  readonly kind: OrderKind;
  /** The id of a turn, or the key of a row of the outbox. */
  readonly subject: string;
  readonly placedAtMs: number;
  /** Undefined until it was carried out. */
  readonly result: OrderResult | undefined;
}

/** In which phases of its subject an order can make sense at all; the daemon has the last word. */
export const ORDERS_FIT: Readonly<Record<OrderKind, readonly Phase[]>> = {
  turn_retry: ['held', 'failed', 'overdue'],
  turn_drop: ['waiting', 'sending', 'accepted', 'overdue', 'held', 'command'],
  letter_replay: ['dead'],
  letter_drop: ['dead'],
};

/** The operator's side of the orders. */
export interface OrderBook {
  /** Resolves with the order's number when it is durable. */
  place(kind: OrderKind, subject: string): Promise<number>;
  order(id: number): Promise<Order | undefined>;
}

/** The daemon's side of the orders. */
export interface OrderQueue {
  /** Whether another process has written since the last time this was asked; it costs next to nothing. */
  writtenOutside(): Promise<boolean>;
  /** Orders that have no result yet, oldest first. */
  open(): Promise<readonly Order[]>;
  /** Resolves when durable. */
  end(id: number, result: OrderResult): Promise<void>;
}
