/** What an operator can see and order from another process, whether the daemon runs or not. */
import { openStateToRead, runningInstance } from './state-to-read.ts';
import { platformMessageId } from '../bridge/outbox/keys.ts';
import type { AccessBook } from '../bridge/ports/access-book.ts';
import type { JournalReader, TurnLife } from '../bridge/ports/journal-reader.ts';
import type { OrderBook, OrderResult } from '../bridge/ports/orders.ts';
import type { Config } from '../config/load.ts';
import type { TurnId } from '../core/ids.ts';
import type { ProgramOutput } from '../core/program-output.ts';
import type { Turn } from '../core/turn.ts';
import type { Db } from '../store/sqlite/db.ts';
import { agentsOfMessages, programOutputOf } from '../store/sqlite/hub/items.ts';
import { systemClock as clock } from '../time/clock.ts';
import { limitAt, pause } from '../time/wait.ts';
import { parsePairingCode } from '../wire/pairing-code.ts';

/** How long a command waits until the daemon has carried out its order, and how often it asks. */
const ORDER_WAIT_MS = 5_000;
const ORDER_ASK_EVERY_MS = 50;

/** How soon a change shows that somebody follows. It costs a look at one page of the database. */
const LOOK_EVERY_MS = 200;

export interface Operations {
  readonly journal: JournalReader;
  readonly orders: OrderBook;
  readonly access: Pick<AccessBook, 'known' | 'people' | 'groups' | 'personOf'>;
  /** A pairing code in the form in which it was given out. Undefined: it is none. */
  readonly codeOf: (typed: string) => string | undefined;
  /** What programs of the embedded hub wrote that gave no answer, by run. */
  readonly programOutputs: (life: TurnLife) => ReadonlyMap<number, ProgramOutput>;
  /** The agents of the embedded hub that have the current runs, by turn. */
  readonly agentsOf: (turns: readonly Turn[]) => ReadonlyMap<TurnId, string>;
  /** Resolves to true when another process has written, and to false when `signal` aborts. */
  readonly untilWritten: (signal: AbortSignal) => Promise<boolean>;
  /** What came of an order; undefined if the daemon has not carried it out in time. */
  readonly orderResult: (id: number, signal: AbortSignal) => Promise<OrderResult | undefined>;
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
  const agentsOf = (turns: readonly Turn[]) => {
    const ids = turns.map((turn) => platformMessageId(turn));
    const names = agentsOfMessages(db, ids);
    return new Map(
      turns.flatMap(({ id }, at) => {
        const name = names.get(ids[at] ?? '');
        return name === undefined ? [] : [[id, name] as const];
      }),
    );
  };
  return {
    ...work,
    codeOf: parsePairingCode,
    programOutputs,
    agentsOf,
    untilWritten: writtenBy(db),
    orderResult: (id, signal) => resultOf(work.orders, id, signal),
    daemonRuns: () => runningInstance(config) !== undefined,
    close: () => db.close(),
  };
}

/** From now on, so that nothing is missed between two calls. */
function writtenBy(db: Db): Operations['untilWritten'] {
  let seen = db.outsideVersion();
  return async (signal) => {
    while (!signal.aborted) {
      const version = db.outsideVersion();
      if (version !== seen) {
        seen = version;
        return true;
      }
      await pause(clock, signal, LOOK_EVERY_MS);
    }
    return false;
  };
}

async function resultOf(
  orders: OrderBook,
  id: number,
  signal: AbortSignal,
): Promise<OrderResult | undefined> {
  const limit = limitAt(clock, signal, clock.nowMs() + ORDER_WAIT_MS);
  try {
    let result: OrderResult | undefined;
    while (result === undefined && !limit.signal.aborted) {
      await pause(clock, limit.signal, ORDER_ASK_EVERY_MS);
      result = (await orders.order(id))?.result;
    }
    return result;
  } finally {
    limit.cancel();
  }
}
