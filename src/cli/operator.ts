/** What the operator's commands share: access to the journal, and orders for the daemon. */
import type { Operations } from '../app/operations.ts';
import { BridgeError } from '../core/errors.ts';
import type { Invocation, Options } from './command.ts';
import { ORDERS_FIT, type WorkOrderKind } from '../bridge/ports/orders.ts';

const ROWS_DEFAULT = 50;
const ROWS_MAX = 10_000;

export const textOption = {
  text: { type: 'boolean', describe: 'Also show what people and agents wrote' },
} as const satisfies Options;

export const listOptions = {
  chat: { describe: 'Show only those of this chat (oc_…)', offers: 'chat' },
  limit: {
    type: 'number',
    range: { min: 1, max: ROWS_MAX },
    default: ROWS_DEFAULT,
    describe: 'Show at most this many',
  },
} as const satisfies Options;

export function limitOf({ options }: Invocation): number {
  return Number(options['limit']);
}

/** Opens the journal of the state directory for `work`, whether the daemon runs or not. */
export async function withOperations(
  invocation: Invocation,
  work: (operations: Operations) => Promise<void>,
): Promise<void> {
  const config = await invocation.loadConfig([]);
  const { openOperations } = await import('../app/operations.ts');
  const operations = openOperations(config);
  if (operations === undefined) {
    throw new BridgeError('failed', `no bot has run on ${config.stateDir} yet`, {
      next: 'Name the right folder with --state-dir, or start the bot with `lark-bridge run`.',
    });
  }
  try {
    await work(operations);
  } finally {
    operations.close();
  }
}

/**
 * The id that begins so, because a terminal shows only the beginning of ids. Throws `usage` if there are several. One
 * that nobody has stays as it is.
 */
export async function wholeId(
  journal: Operations['journal'],
  typed: string,
  of: 'turn' | 'row',
): Promise<string> {
  const beginning = typed.replace(/…$/, '');
  const [one, other] = await journal.idsLike(beginning, of);
  if (one === undefined || one === beginning) return typed;
  if (other === undefined) return one;
  throw new BridgeError('usage', `several ids begin with ${beginning}`, {
    next: 'Give more of it. `--json`, or a pipe, shows whole ids.',
  });
}

interface Order {
  readonly kind: WorkOrderKind;
  /** The id of a turn or the key of a row. */
  readonly subject: string;
  /** Its phase now. An order that does not fit is refused at once. */
  readonly phase: string;
  /** Shown when it is done. */
  readonly done: string;
}

/** Leaves an order for the daemon, and shows the result. */
export async function giveOrder(
  { output, signal }: Invocation,
  { orders, orderResult, daemonRuns }: Operations,
  order: Order,
): Promise<void> {
  const { kind, subject } = order;
  if (!ORDERS_FIT[kind].some((phase) => phase === order.phase)) throw refusal(order, order.phase);
  const id = await orders.place(kind, subject);
  const view = { order: id, kind, subject };
  if (!daemonRuns()) {
    output.result(`The daemon is not running: this is done at its next start (order ${id}).`, {
      ...view,
      outcome: 'at_next_start',
    });
    return;
  }
  const result = await orderResult(id, signal);
  if (result === undefined) {
    throw new BridgeError('timed_out', `the daemon has not carried out order ${id} yet`, {
      next: 'The order is kept. The daemon carries it out as soon as it can: see `lark-bridge status`.',
    });
  }
  if (result.outcome === 'refused') throw refusal(order, result.phase);
  output.result(order.done, { ...view, ...result });
}

function refusal({ kind, subject }: Order, phase: string | undefined): BridgeError {
  const what = kind === 'turn_retry' || kind === 'turn_drop' ? 'turn' : 'letter';
  const thing = `the ${what} ${subject}`;
  if (phase === undefined) {
    return new BridgeError('failed', `${thing} no longer exists`);
  }
  return new BridgeError('failed', `${thing} is ${phase}: ${REASONS[kind]}`, {
    next: NEXT[what](subject),
  });
}

const REASONS: Readonly<Record<WorkOrderKind, string>> = {
  turn_retry: 'only a turn that is held or failed, and whose text is still kept, can start again',
  turn_drop:
    "this turn can't be dropped: its answer may still come, and would be shown to another turn",
  letter_replay: 'only a dead letter can be sent again',
  letter_drop: 'only a dead letter can be dropped',
  send: 'it can not be sent',
};

const NEXT = {
  turn: (id: string) => `See it with \`lark-bridge turns show ${id}\`.`,
  letter: (key: string) => `See it with \`lark-bridge dead-letters show ${key}\`.`,
};
