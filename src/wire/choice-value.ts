/** The value of a card's button. Lark sends it back when somebody presses the button. */
import type { Choice } from '../core/content.ts';
import { turnId } from '../core/ids.ts';

/** Every button of ours has this mark. Without it the press is on another program's card. */
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
