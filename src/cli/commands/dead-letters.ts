/** `lark-bridge dead-letters`: messages that Lark did not accept, and how to send them again. */
import type { Operations } from '../../app/operations.ts';
import { BridgeError } from '../../core/errors.ts';
import { chatId } from '../../core/ids.ts';
import type { OutboxRow } from '../../bridge/ports/outbox.ts';
import { kindOf, shownText } from '../../observe/traces/trace.ts';
import type { CommandGroup, Invocation, Subcommand } from '../command.ts';
import { rowView, timeOf } from '../journal-views.ts';
import {
  giveOrder,
  limitOf,
  listOptions,
  textOption,
  wholeId,
  withOperations,
} from '../operator.ts';
import { shortSpan } from '../spans.ts';
import { columnsOf, tableOf } from '../table.ts';

const LETTER_COLUMNS = [
  { head: 'KEY', narrowest: 15 },
  { head: 'CHAT', narrowest: 9 },
  { head: 'AGE' },
  { head: 'KIND' },
  { head: 'WHY', narrowest: 12 },
];
const LATE_COLUMNS = [{ head: 'ID' }, { head: 'TURN', narrowest: 14 }, { head: 'AGE' }];

const key = {
  key: { describe: 'Key of the message, from the list (out_…)', offers: 'dead_letter' },
} as const;

const list: Subcommand = {
  usage: 'list',
  describe: 'Show what could not be delivered, newest first',
  examples: { 'lark-bridge dead-letters list': 'Show what the chats have not got' },
  options: listOptions,
  run: (invocation) =>
    withOperations(invocation, async ({ journal }) => {
      const { chat } = invocation.options;
      const letters = await journal.deadLetters({
        ...(typeof chat === 'string' && { chatId: chatId(chat) }),
        limit: limitOf(invocation),
      });
      const { output } = invocation;
      const table = tableOf(LETTER_COLUMNS, letters.map(columns), output.width);
      output.result(letters.length === 0 ? 'No dead letters.' : table, {
        dead_letters: letters.map((row) => rowView(row, { text: false })),
      });
    }),
};

const show: Subcommand = {
  usage: 'show <key>',
  describe: 'Show one message, and why Lark refused it',
  examples: { 'lark-bridge dead-letters show out_a1b2 --text': 'Show it with its text' },
  positionals: key,
  options: textOption,
  run: (invocation) =>
    withOperations(invocation, async ({ journal }) => {
      const text = invocation.options['text'] === true;
      const row = await letterOf(invocation, journal);
      const view = rowView(row, { text });
      const lines = Object.entries(view).flatMap(([name, value]) =>
        value === undefined || name === 'text' ? [] : [[`${name}:`, String(value)]],
      );
      const content = text ? `\n\n${shownText(row) ?? ''}` : '';
      invocation.output.result(columnsOf(lines) + content, view);
    }),
};

const replay: Subcommand = {
  usage: 'replay <key>',
  isForOperator: true,
  describe: 'Send a message again; if Lark already has it, it is not shown twice',
  examples: { 'lark-bridge dead-letters replay out_a1b2': 'Send this one again' },
  positionals: key,
  run: (invocation) =>
    withOperations(invocation, async (operations) => {
      const row = await letterOf(invocation, operations.journal);
      await giveOrder(invocation, operations, {
        kind: 'letter_replay',
        subject: row.key,
        phase: row.state.phase,
        done: `The letter ${row.key} is being sent again.`,
      });
    }),
};

const drop: Subcommand = {
  usage: 'drop <key>',
  isForOperator: true,
  describe: 'Remove a message from the list, without sending it',
  examples: { 'lark-bridge dead-letters drop out_a1b2': 'Give this one up' },
  positionals: key,
  run: (invocation) =>
    withOperations(invocation, async (operations) => {
      const row = await letterOf(invocation, operations.journal);
      await giveOrder(invocation, operations, {
        kind: 'letter_drop',
        subject: row.key,
        phase: row.state.phase,
        done: `The letter ${row.key} is dropped.`,
      });
    }),
};

const late: Subcommand = {
  usage: 'late',
  describe: 'Show answers that came too late, or without a question, and were not shown in a chat',
  examples: { 'lark-bridge dead-letters late --text': 'Show them with their texts' },
  options: { limit: listOptions.limit, ...textOption },
  run: (invocation) =>
    withOperations(invocation, async ({ journal }) => {
      const answers = await journal.quarantined(limitOf(invocation));
      const withText = invocation.options['text'] === true;
      const views = answers.map(({ id, turn, atMs, text }) => ({
        id,
        turn,
        at: timeOf(atMs),
        ...(withText && { text }),
      }));
      const rows = answers.map(({ id, turn, atMs, text }) => [
        id,
        turn ?? '-',
        shortSpan(Date.now() - atMs),
        ...(withText ? [text] : []),
      ]);
      const columnsOfLate = withText ? [...LATE_COLUMNS, { head: 'TEXT' }] : LATE_COLUMNS;
      const { output } = invocation;
      const table = tableOf(columnsOfLate, rows, output.width);
      output.result(rows.length === 0 ? 'No late answers.' : table, { late_answers: views });
    }),
};

export const deadLettersCommand: CommandGroup = {
  commands: [list, show, replay, drop, late],
  standard: list,
};

async function letterOf(
  { options }: Invocation,
  journal: Operations['journal'],
): Promise<OutboxRow> {
  const named = await wholeId(journal, String(options['key']), 'row');
  const row = await journal.out(named);
  if (row !== undefined) return row;
  throw new BridgeError('failed', `there is no letter ${named}`, {
    next: 'Run `lark-bridge dead-letters list` to see all of them.',
  });
}

function columns(row: OutboxRow): string[] {
  const { state, chatId: chat, lastError } = row;
  const atMs = state.phase === 'dead' ? state.atMs : row.createdAtMs;
  return [row.key, chat, shortSpan(Date.now() - atMs), kindOf(row), lastError ?? ''];
}
