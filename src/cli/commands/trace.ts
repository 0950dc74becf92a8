/** `lark-bridge trace`: what happened to one message, in order of time. */
import { BridgeError } from '../../core/errors.ts';
import { messageId, turnId } from '../../core/ids.ts';
import { traceOf, type TraceEvent } from '../../observe/traces/trace.ts';
import type { Command } from '../command.ts';
import { rowView, timeOf, turnView, stateSentence } from '../journal-views.ts';
import { textOption, wholeId, withOperations } from '../operator.ts';
import { columnsOf } from '../table.ts';
import type { JournalReader, TurnLife } from '../../bridge/ports/journal-reader.ts';

export const traceCommand: Command = {
  usage: 'trace <message_id>',
  positionals: {
    message_id: {
      describe: "Id of a person's message, or of the bot's reply (om_…)",
      offers: 'turn',
    },
  },
  options: textOption,
  examples: {
    'lark-bridge trace om_a1b2': 'Show when it came, ran and was answered',
    'lark-bridge trace om_a1b2 --text': 'The same with what was said',
  },
  run: (invocation) =>
    withOperations(invocation, async ({ journal, programOutputs }) => {
      const text = invocation.options['text'] === true;
      const life = await lifeOf(String(invocation.options['message_id']), journal);
      const events = traceOf(life, { text, outputs: programOutputs(life) });
      const { turn, out } = life;
      invocation.output.result(
        [
          `${turn.id} in ${turn.message.chatId}. ${stateSentence(life)}`,
          columnsOf(events.map(columns)),
        ].join('\n'),
        {
          turn: turnView(turn, { text }),
          events: events.map(eventView),
          outbox: out.map((row) => rowView(row, { text })),
        },
      );
    }),
};

async function lifeOf(named: string, journal: JournalReader): Promise<TurnLife> {
  const reply = await journal.turnOfReply(messageId(named));
  const asked = reply ?? turnId(await wholeId(journal, named, 'turn'));
  const life = await journal.life(asked);
  if (life !== undefined) return life;
  throw new BridgeError('failed', `no message ${named} is known here`, {
    next: 'Take an id from `lark-bridge turns list`. Ids of replies are kept for a day: find an older reply by the message that it answers.',
  });
}

function eventView({ atMs, afterMs, event, facts }: TraceEvent) {
  return { at: timeOf(atMs), after_ms: afterMs, event, ...facts };
}

function columns({ atMs, afterMs, event, facts }: TraceEvent): string[] {
  const words = Object.entries(facts).map(([name, value]) => `${name}=${wordOf(value)}`);
  return [timeOf(atMs), afterMs === undefined ? '' : durationOf(afterMs), event, words.join(' ')];
}

function wordOf(value: string | number): string {
  return typeof value === 'string' && /[\s"]/.test(value) ? JSON.stringify(value) : String(value);
}

function durationOf(ms: number): string {
  const sign = ms < 0 ? '' : '+';
  return Math.abs(ms) < 10_000 ? `${sign}${ms} ms` : `${sign}${(ms / 1000).toFixed(1)} s`;
}
