/** Orders about who may talk to the bot. The daemon carries them out, at once or at its next start. */
import type { Operations } from '../app/operations.ts';
import type { AccessOrderKind } from '../bridge/ports/orders.ts';
import { BridgeError } from '../core/errors.ts';
import type { Invocation } from './command.ts';

interface AccessOrder {
  readonly kind: AccessOrderKind;
  /** An open id, or the id of a group. */
  readonly subject: string;
  /** Shown when it is done. */
  readonly done: string | (() => Promise<string>);
}

export async function giveAccessOrder(
  { output, signal }: Invocation,
  { orders, orderResult, daemonRuns }: Operations,
  { kind, subject, done }: AccessOrder,
): Promise<void> {
  const id = await orders.place(kind, subject);
  const view = { order: id, kind, subject };
  if (!daemonRuns()) {
    const later = `The daemon is not running: this is done at its next start (order ${id}).`;
    return output.result(later, { ...view, outcome: 'at_next_start' });
  }
  const result = await orderResult(id, signal);
  if (result === undefined) {
    throw new BridgeError('timed_out', `the daemon has not carried out order ${id} yet`, {
      next: 'The order is kept. The daemon carries it out as soon as it can: see `lark-bridge status`.',
    });
  }
  if (result.outcome === 'refused') {
    throw new BridgeError(
      'failed',
      `${subject} is the owner of the bot, who always may talk to it`,
      {
        next: 'Another owner is whoever scans the code of `lark-bridge connect --force`.',
      },
    );
  }
  const text = typeof done === 'string' ? done : await done();
  output.result(text, { ...view, ...result });
}
