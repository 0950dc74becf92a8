/** `turns retry` for many turns at once. */
import type { Operations } from '../app/operations.ts';
import { ORDERS_FIT } from '../bridge/ports/orders.ts';
import type { TurnQuery } from '../bridge/ports/journal-reader.ts';
import { BridgeError } from '../core/errors.ts';
import type { Turn } from '../core/turn.ts';
import type { Invocation } from './command.ts';

/** Orders every turn that is meant and can start again. Ends with 1 if the daemon refuses one. */
export async function retryTurns(
  { output, signal }: Invocation,
  operations: Operations,
  query: TurnQuery,
): Promise<void> {
  const { journal, orders, daemonRuns } = operations;
  const meant = (await journal.turns(query)).toReversed();
  const ready = meant.filter(canStartAgain);
  const left = meant.length - ready.length;
  const ids = await Promise.all(ready.map(({ id }) => orders.place('turn_retry', id)));
  const placed = ready.map(({ id }, at) => ({ turn: id, order: ids[at] ?? 0 }));
  const ends =
    placed.length > 0 && daemonRuns() ? await endsOf(placed, operations, signal) : undefined;
  const done = ends?.filter(({ outcome }) => outcome === 'done').length ?? 0;
  const refused = ends?.filter(({ outcome }) => outcome === 'refused').length ?? 0;
  output.result(textOf({ all: placed.length, left, done, refused, isLater: ends === undefined }), {
    ordered: placed.length,
    left_out: left,
    orders: ends ?? placed.map((one) => ({ ...one, outcome: 'at_next_start' })),
  });
  if (refused > 0) {
    throw new BridgeError('failed', `${refused} of ${placed.length} turns could not start again`, {
      next: 'They have changed meanwhile: see `lark-bridge turns list`.',
    });
  }
}

/** Without its text a message can't be given to an agent. */
function canStartAgain({ state, message }: Turn): boolean {
  return message.parts.length > 0 && ORDERS_FIT.turn_retry.some((phase) => phase === state.phase);
}

interface Placed {
  readonly turn: string;
  readonly order: number;
}

/** The daemon carries orders out one after another, so all of them are over when the last one is. */
async function endsOf(
  placed: readonly Placed[],
  { orders, orderResult }: Operations,
  signal: AbortSignal,
) {
  await orderResult(placed.at(-1)?.order ?? 0, signal);
  return Promise.all(
    placed.map(async (one) => {
      const result = (await orders.order(one.order))?.result;
      return { ...one, outcome: result?.outcome ?? 'waiting' };
    }),
  );
}

interface Counts {
  readonly all: number;
  readonly left: number;
  readonly done: number;
  readonly refused: number;
  /** No daemon runs now. */
  readonly isLater: boolean;
}

function textOf({ all, left, done, refused, isLater }: Counts): string {
  const without = left === 0 ? '' : ` ${left} can't: their text is no longer kept, or they run.`;
  if (all === 0) return `No turn to start again.${without}`;
  if (isLater) {
    return `The daemon is not running: ${turns(all)} will start again at its next start.${without}`;
  }
  const waiting = all - done - refused;
  const rest = waiting === 0 ? '' : ` ${turns(waiting)} will follow as soon as the daemon can.`;
  return `${turns(done)} started again.${rest}${without}`;
}

function turns(count: number): string {
  return count === 1 ? '1 turn' : `${count} turns`;
}
