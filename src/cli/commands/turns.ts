/** `lark-bridge turns`: the state of each message's turn, and what an operator can do with it. */
import type { Operations } from '../../app/operations.ts';
import { BridgeError } from '../../core/errors.ts';
import { chatId, turnId } from '../../core/ids.ts';
import type { Turn, TurnPhase } from '../../core/turn.ts';
import { reasonOf, spokenText } from '../../observe/traces/trace.ts';
import type { CommandGroup, Invocation, Subcommand } from '../command.ts';
import {
  causeText,
  lastWordsLines,
  lifeView,
  rowColumns,
  timeOf,
  turnView,
  stateSentence,
} from '../journal-views.ts';
import { giveOrder, limitOf, listOptions, textOption, withOperations } from '../operator.ts';
import { columnsOf } from '../table.ts';
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

const id = {
  id: { describe: 'Id of the turn, which is the id of its message (om_…)', offers: 'turn' },
} as const;

const list: Subcommand = {
  usage: 'list',
  describe: 'Show turns, newest first',
  examples: {
    'lark-bridge turns': 'Show the newest turns',
    'lark-bridge turns --phase failed --limit 10': 'Show the newest ten that failed',
  },
  options: {
    phase: {
      choices: PHASES,
      describe: 'Show only turns in this phase',
    },
    ...listOptions,
  },
  run: (invocation) =>
    withOperations(invocation, async ({ journal }) => {
      const { phase, chat } = invocation.options;
      const turns = await journal.turns({
        ...(typeof phase === 'string' && { phases: [phase as TurnPhase] }),
        ...(typeof chat === 'string' && { chatId: chatId(chat) }),
        limit: limitOf(invocation),
      });
      const lines = turns.length === 0 ? 'No such turns.' : columnsOf(turns.map(columns));
      invocation.output.result(lines, {
        turns: turns.map((turn) => turnView(turn, { text: false })),
      });
    }),
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
  usage: 'retry <id>',
  isForOperator: true,
  describe: 'Run a held or failed turn again',
  examples: { 'lark-bridge turns retry om_a1b2': 'Run this one again' },
  positionals: id,
  run: (invocation) =>
    withOperations(invocation, async (operations) => {
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
    }),
};

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
  const named = String(options['id']);
  const life = await journal.life(turnId(named));
  if (life !== undefined) return life;
  throw new BridgeError('failed', `there is no turn ${named}`, {
    next: 'Run `lark-bridge turns list` to see all of them.',
  });
}

function columns({ id: turn, message, receivedAtMs, state }: Turn): string[] {
  const reason = reasonOf(state);
  const cause = state.phase === 'failed' ? causeText(state.cause) : '';
  const phase = reason === undefined ? state.phase : `${state.phase} (${reason}${cause})`;
  return [turn, message.chatId, timeOf(receivedAtMs), phase];
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
