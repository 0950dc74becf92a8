/** Keeps what agents say that turns have used. The last word of a run is stored with the end of the run. */
import type { TurnId } from '../../core/ids.ts';
import type { Turn } from '../../core/turn.ts';
import type { TurnUsage } from '../../core/turn-update.ts';
import type { UsageStore } from '../ports/usage.ts';
import { isGiven, waitsOrRuns } from './phases.ts';

export class UsageNotes {
  readonly #store: UsageStore | undefined;
  readonly #told = new Map<TurnId, TurnUsage>();

  constructor(store: UsageStore | undefined) {
    this.#store = store;
  }

  take({ id }: Turn, usage: TurnUsage): void {
    this.#told.set(id, usage);
  }

  /** What the run that goes on has used up to now. */
  of({ id }: Pick<Turn, 'id'>): TurnUsage | undefined {
    return this.#told.get(id);
  }

  /** To be called in the commit that changes the turn, which may be made twice. */
  turnMoved({ id, run, state, details }: Turn, atMs: number): void {
    const usage = this.#told.get(id);
    const session = details?.session?.id;
    if (usage === undefined || session === undefined) return;
    if (waitsOrRuns(state.phase) || isGiven(state.phase)) return;
    this.#store?.note({ turn: id, run, session, atMs, usage });
  }

  /** After that commit. */
  turnOver(id: TurnId): void {
    this.#told.delete(id);
  }
}
