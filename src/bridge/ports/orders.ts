/**
 * What an operator orders from another process. Only the daemon changes turns and the outbox, so another
 * process leaves an order in the journal, and the daemon carries it out.
 */
import type { TurnPhase } from '../../core/turn.ts';
import type { OutboxState } from './outbox.ts';
import type { GroupState, PersonState } from './access.ts';

export type OrderKind = WorkOrderKind | AccessOrderKind;

export type WorkOrderKind =
  /** Starts a new run of a turn. */
  | 'turn_retry'
  /** Ends a turn. A late answer of its agent is not shown. */
  | 'turn_drop'
  /** Sends a dead letter again, under its own key. */
  | 'letter_replay'
  | 'letter_drop'
  /** Sends a message that answers nothing. Its subject is the JSON text of a `SendOrder`. */
  | 'send';

export type AccessOrderKind =
  /** Lets a person in, whose code the operator typed (`pair`) or whose open id (`allow`). */
  'person_pair' | 'person_allow' | 'person_revoke' | 'chat_allow' | 'chat_deny';

type Phase = TurnPhase | OutboxState['phase'] | PersonState | GroupState;

export interface OrderResult {
  /** `refused`: it is not possible in the phase of its subject. */
  readonly outcome: 'done' | 'refused';
  /** The phase of its subject now. Undefined if the subject does not exist. */
  readonly phase: Phase | undefined;
}

export interface Order {
  readonly id: number;
  readonly kind: OrderKind;
  /** The id of a turn, the key of a row of the outbox, an open id, or the id of a chat. */
  readonly subject: string;
  readonly placedAtMs: number;
  /** Undefined until it was carried out. */
  readonly result: OrderResult | undefined;
}

/** In which phases of its subject an order is possible. The daemon has the final decision. */
export const ORDERS_FIT: Readonly<Record<WorkOrderKind, readonly Phase[]>> = {
  turn_retry: ['held', 'failed', 'overdue'],
  turn_drop: ['waiting', 'sending', 'accepted', 'overdue', 'held', 'kept', 'command'],
  letter_replay: ['dead'],
  letter_drop: ['dead'],
  send: [],
};

/** The operator's side of the orders. */
export interface OrderBook {
  /** Resolves with the order's number when the order is on disk. */
  place(kind: OrderKind, subject: string): Promise<number>;
  order(id: number): Promise<Order | undefined>;
}

/** The daemon's side of the orders. */
export interface OrderQueue {
  /** True if another process has written since the last call. It costs almost nothing. */
  writtenOutside(): Promise<boolean>;
  /** Orders that have no result yet, oldest first. */
  open(): Promise<readonly Order[]>;
  /** Resolves when the result is on disk. */
  end(id: number, result: OrderResult): Promise<void>;
}
