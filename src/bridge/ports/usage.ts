/** What turns have used. */
import type { TurnId } from '../../core/ids.ts';
import type { TurnUsage } from '../../core/turn-update.ts';

export interface UsageStore {
  /** To be called in the commit that ends the run of the turn. */
  note(of: {
    readonly turn: TurnId;
    readonly run: number;
    readonly session: string;
    readonly atMs: number;
    readonly usage: TurnUsage;
  }): void;
}
