/** A person who presses a button of a card, as its author made it. */
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import type { SimUser } from '../../../src/sim/world/model.ts';
import type { PressOutcome } from '../../../src/sim/control/press.ts';

interface Button {
  readonly tag: string;
  readonly behaviors?: readonly { readonly type: string; readonly value: Record<string, string> }[];
}

export function pressButtonOf(
  cloud: LarkCloud,
  messageId: string,
  from: SimUser,
): Promise<PressOutcome> {
  const card = JSON.parse(cloud.findMessage(messageId).content) as {
    body: { elements: readonly Button[] };
  };
  const button = card.body.elements.find(({ tag }) => tag === 'button');
  const value = button?.behaviors?.find(({ type }) => type === 'callback')?.value;
  if (value === undefined) throw new Error('the card has no button');
  return cloud.pressButton({ messageId, from, value });
}
