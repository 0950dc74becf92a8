/** What an operator can see and order from another process, whether the daemon runs or not. */
import { openStateToRead, runningInstance } from './state.ts';
import type { JournalReader, OrderBook } from '../bridge/ports.ts';
import type { Config } from '../config/load.ts';

export interface Operations {
  readonly journal: JournalReader;
  readonly orders: OrderBook;
  /** True if a daemon can carry out orders now. */
  readonly daemonRuns: () => boolean;
  readonly close: () => void;
}

/** Undefined if no bot has run on the state directory yet. Creates nothing. */
export function openOperations(config: Config): Operations | undefined {
  const state = openStateToRead(config);
  if (state?.work === undefined) {
    state?.db.close();
    return undefined;
  }
  const { db, work } = state;
  return {
    ...work,
    daemonRuns: () => runningInstance(config) !== undefined,
    close: () => db.close(),
  };
}
