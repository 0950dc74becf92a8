/** What a button of a card holds, and what Lark hands back when somebody presses it. */
import type { Choice } from '../core/content.ts';
import { turnId } from '../core/ids.ts';

/** Buttons carry this mark, so that a press on another program's card is not taken for ours. */
const CHOICE_MARK = 'lark_bridge_choice';

export function choiceValue({ action, turn }: Choice): Record<string, string> {
  return { [CHOICE_MARK]: action, ...(turn === undefined ? {} : { turn }) };
}

export function parseChoiceValue(value: Readonly<Record<string, unknown>>): Choice | undefined {
  const action = value[CHOICE_MARK];
  if (action !== 'run' && action !== 'skip' && action !== 'retry') return undefined;
  const { turn } = value as { turn?: unknown };
  return typeof turn === 'string' ? { action, turn: turnId(turn) } : { action };
}
