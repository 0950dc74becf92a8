/** What the buttons of a row send back when somebody presses them. */
import { personOf, type Turn } from '../../core/turn.ts';
import { ALWAYS_OPTION, type ButtonValue, type ChoiceValues } from '../../wire/choice-value.ts';
import type { OutboxRow } from '../ports/outbox.ts';
import { wantedSinceMs } from './rows.ts';

/** Undefined if the row has no buttons. `asked`: the turn of the row. */
export function buttonValuesOf(
  row: OutboxRow,
  asked: Turn | undefined,
  choices: ChoiceValues,
): readonly ButtonValue[] | undefined {
  const { body, key, chatId: chat, replyTo, placement, turn } = row;
  if (body.kind !== 'message') return undefined;
  const under = placement === 'chat' ? undefined : replyTo;
  if (body.content.kind === 'question' && body.question !== undefined) {
    const { key: question, expiresAtMs: untilMs } = body.question;
    const made = { chat, sinceMs: row.createdAtMs, untilMs };
    // The question of an agent is for everybody who may answer it.
    const choice = { action: 'answer', row: key, under, turn, question } as const;
    const { options, always } = body.content;
    const numbers = options.map((_option, at) => String(at));
    return [...numbers, ...(always === undefined ? [] : [ALWAYS_OPTION])].map((option) =>
      choices.valueOf({ ...choice, option }, made),
    );
  }
  const made = { chat, sinceMs: wantedSinceMs(row) };
  if (body.content.kind === 'menu') {
    return body.content.buttons.map(({ action, argument }) =>
      choices.valueOf({ action, row: key, under, argument }, made),
    );
  }
  if (body.content.kind !== 'choice') return undefined;
  // A question about one turn is for the person whose turn it is.
  const person = asked && personOf(asked);
  return body.content.buttons.map(({ action, about }) =>
    choices.valueOf({ action, row: key, under, turn, person, about }, made),
  );
}
