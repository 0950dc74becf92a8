import type { TurnId } from '../core/ids.ts';
import type { Turn } from '../core/turn.ts';

/** After so many turns in a row without an answer the slot rests until none of them is waited for. */
const TIMEOUTS_IN_A_ROW_MAX = 2;

export type Owner =
  | { readonly kind: 'in_flight'; readonly turn: TurnId }
  /** A turn whose time was over: the answer may be its own, so it is nobody else's. */
  | { readonly kind: 'late'; readonly turn: TurnId }
  | { readonly kind: 'nobody' };

/**
 * Whose an answer is that names no turn. One turn at a time is with the target; but after a turn's time
 * was over, the next answer may still be its own. Such an answer is never shown as that of another turn.
 */
export class SingleSlot {
  #inFlight: TurnId | undefined;
  /** Turns whose time is over and whose answer may still come, oldest first. */
  readonly #overdue = new Set<TurnId>();
  #timeoutsInARow = 0;

  /** To be told of every change of a turn, and of the open ones at the start. */
  note({ id, state }: Turn): void {
    const wasInFlight = this.#inFlight === id;
    if (wasInFlight) this.#inFlight = undefined;
    // An answer can be faster than the receipt for the question.
    const asked = state.phase === 'sending';
    if (asked || (state.phase === 'accepted' && state.ticket === undefined)) this.#inFlight = id;
    if (state.phase === 'overdue' && state.ticket === undefined) {
      this.#overdue.add(id);
      if (wasInFlight) this.#timeoutsInARow += 1;
    } else this.#overdue.delete(id);
    if (state.phase === 'answered' && wasInFlight) this.#timeoutsInARow = 0;
    if (this.#overdue.size === 0 && this.#timeoutsInARow >= TIMEOUTS_IN_A_ROW_MAX) {
      this.#timeoutsInARow = 0;
    }
  }

  /** False while it rests. */
  get mayStart(): boolean {
    return this.#overdue.size === 0 || this.#timeoutsInARow < TIMEOUTS_IN_A_ROW_MAX;
  }

  owner(): Owner {
    const [oldest] = this.#overdue;
    if (oldest !== undefined) return { kind: 'late', turn: oldest };
    return this.#inFlight === undefined
      ? { kind: 'nobody' }
      : { kind: 'in_flight', turn: this.#inFlight };
  }
}
