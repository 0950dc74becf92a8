/** What an operator can see and order from another process, whether the daemon runs or not. */
import { openStateToRead, runningInstance } from './state.ts';
import { platformMessageId } from '../bridge/outbox/keys.ts';
import type { JournalReader, OrderBook, TurnLife } from '../bridge/ports.ts';
import type { Config } from '../config/load.ts';
import type { ProgramOutput } from '../core/program-output.ts';
import { programOutputOf } from '../store/sqlite/hub/items.ts';

export interface Operations {
  readonly journal: JournalReader;
  readonly orders: OrderBook;
  /** What programs of the embedded hub wrote that gave no answer, by run. */
  readonly programOutputs: (life: TurnLife) => ReadonlyMap<number, ProgramOutput>;
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
  const programOutputs = ({ turn: { message }, runs }: TurnLife) =>
    new Map(
      runs.flatMap(({ run }) => {
        const output = programOutputOf(db, platformMessageId({ message, run }));
        return output === undefined ? [] : [[run, output] as const];
      }),
    );
  return {
    ...work,
    programOutputs,
    daemonRuns: () => runningInstance(config) !== undefined,
    close: () => db.close(),
  };
}
