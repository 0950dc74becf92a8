/** `lark-bridge turns`: the state of each message's turn, and what an operator can do with it. */
import type { Operations } from '../../app/operations.ts';
import { BridgeError } from '../../core/errors.ts';
import { turnId } from '../../core/ids.ts';
import type { TurnPhase } from '../../core/turn.ts';
import { spokenText } from '../../observe/traces/trace.ts';
import type { CommandGroup, Invocation, Options, Subcommand } from '../command.ts';
import { lastWordsLines, lifeView, rowColumns, timeOf, stateSentence } from '../journal-views.ts';
import {
  giveOrder,
  limitOf,
  listOptions,
  textOption,
  wholeId,
  withOperations,
} from '../operator.ts';
import { columnsOf } from '../table.ts';
import { followTurns, listTurns, turnQueryOf } from '../turn-list.ts';
import { retryTurns } from '../turn-retries.ts';
import type { TurnLife } from '../../bridge/ports/journal-reader.ts';

const PHASES = Object.keys({
  waiting: true,
  sending: true,
  accepted: true,
  overdue: true,
  held: true,
  kept: true,
  command: true,
  answered: true,
  failed: true,
  dropped: true,
} satisfies Record<TurnPhase, true>);

/** A longer list is one that nobody wants to run again as a whole. */
const RETRIES_MAX = 1_000;

const id = {
  id: { describe: 'Id of the turn, which is the id of its message (om_…)', offers: 'turn' },
} as const;

const which = {
  phase: {
    choices: PHASES,
    describe: 'Only turns in this phase',
  },
  failed: { type: 'boolean', describe: 'Only turns that failed' },
  since: { describe: 'Only turns that came since then: 30m, 2h, 7d, 2026-01-31' },
  chat: { describe: 'Only those of this chat (oc_…)', offers: 'chat' },
} as const satisfies Options;

const list: Subcommand = {
  usage: 'list',
  describe: 'Show turns, newest first',
  examples: {
    'lark-bridge turns': 'Show the newest turns',
    'lark-bridge turns --failed --limit 10': 'Show the newest ten that failed',
    'lark-bridge turns --follow': 'Show turns as they change',
  },
  options: {
    ...which,
    limit: listOptions.limit,
    follow: {
      type: 'boolean',
      alias: 'f',
      describe: 'Also show turns as they change, until Ctrl-C',
    },
  },
  run: (invocation) => {
    const query = turnQueryOf(invocation, limitOf(invocation));
    const show = invocation.options['follow'] === true ? followTurns : listTurns;
    return withOperations(invocation, (operations) => show(invocation, operations, query));
  },
};

const show: Subcommand = {
  usage: 'show <id>',
  describe: 'Show one turn: where it waits, its runs, and what was sent for it',
  examples: { 'lark-bridge turns show om_a1b2 --text': 'Show it with its texts' },
  positionals: id,
  options: textOption,
  run: (invocation) =>
    withOperations(invocation, async ({ journal }) => {
      const text = invocation.options['text'] === true;
      const life = await lifeOf(invocation, journal);
      invocation.output.result(linesOf(life, text).join('\n'), lifeView(life, { text }));
    }),
};

const retry: Subcommand = {
  usage: 'retry [id]',
  isForOperator: true,
  describe: 'Run a held or failed turn again, or all that --phase, --since and --chat name',
  examples: {
    'lark-bridge turns retry om_a1b2': 'Run this one again',
    'lark-bridge turns retry --failed --since 2h':
      'Run all again that failed in the last two hours',
  },
  positionals: id,
  options: which,
  run: (invocation) => {
    const query = turnQueryOf(invocation, RETRIES_MAX);
    if (isOne(invocation)) return retryOne(invocation);
    return withOperations(invocation, (operations) => retryTurns(invocation, operations, query));
  },
};

/** True if an id is given, false if options name many turns. Throws `usage` for both and for neither. */
function isOne({ options }: Invocation): boolean {
  const hasId = options['id'] !== undefined;
  const names = ['phase', 'failed', 'since', 'chat'].some((name) => options[name] !== undefined);
  if (hasId !== names) return hasId;
  throw new BridgeError(
    'usage',
    hasId ? 'an id and options that name many turns exclude each other' : 'no turn is named',
    {
      next: 'Give the id of one turn, or name many: `lark-bridge turns retry --failed --since 2h`.',
    },
  );
}

function retryOne(invocation: Invocation): Promise<void> {
  return withOperations(invocation, async (operations) => {
    const { turn } = await lifeOf(invocation, operations.journal);
    if (turn.message.parts.length === 0) {
      throw new BridgeError('failed', `the text of the turn ${turn.id} is no longer kept`, {
        next: 'Ask the person to send the message again.',
      });
    }
    await giveOrder(invocation, operations, {
      kind: 'turn_retry',
      subject: turn.id,
      phase: turn.state.phase,
      done: `The turn ${turn.id} starts again.`,
    });
  });
}

const drop: Subcommand = {
  usage: 'drop <id>',
  isForOperator: true,
  describe: 'End an open turn; an answer that still comes is not shown',
  examples: { 'lark-bridge turns drop om_a1b2': 'Give this one up' },
  positionals: id,
  run: (invocation) =>
    withOperations(invocation, async (operations) => {
      const { turn } = await lifeOf(invocation, operations.journal);
      await giveOrder(invocation, operations, {
        kind: 'turn_drop',
        subject: turn.id,
        phase: turn.state.phase,
        done: `The turn ${turn.id} is dropped.`,
      });
    }),
};

export const turnsCommand: CommandGroup = {
  commands: [list, show, retry, drop],
  standard: list,
};

async function lifeOf({ options }: Invocation, journal: Operations['journal']): Promise<TurnLife> {
  const named = await wholeId(journal, String(options['id']), 'turn');
  const life = await journal.life(turnId(named));
  if (life !== undefined) return life;
  throw new BridgeError('failed', `there is no turn ${named}`, {
    next: 'Run `lark-bridge turns list` to see all of them.',
  });
}

function linesOf(life: TurnLife, text: boolean): string[] {
  const { turn, out } = life;
  const { message, state, receivedAtMs, run, askedBy } = turn;
  const asker = askedBy === undefined ? '' : `, which ${askedBy} asked for`;
  return [
    `${turn.id}: ${state.phase}, run ${run}${asker}`,
    `Chat ${message.chatId}, from ${message.senderOpenId}, received ${timeOf(receivedAtMs)}`,
    stateSentence(life),
    ...lastWordsLines(life),
    ...(text ? [`Text: ${JSON.stringify(spokenText(message))}`] : []),
    ...(out.length === 0 ? ['Nothing was sent for it.'] : ['Sent or to be sent for it:']),
    ...(out.length === 0 ? [] : [columnsOf(out.map(rowColumns))]),
  ];
}
