/**
 * How a sentence of the bridge becomes a part of what is shown. Every sentence exists in English and in Chinese.
 * Nobody can choose a language yet, so people are shown both.
 */
import type { ChoiceButton } from '../../core/content.ts';
import type { Show } from '../../core/turn.ts';

/** One text in each language. */
export interface Text {
  readonly en: string;
  readonly zh: string;
}

export function notice(name: string, text: Text) {
  return { what: 'notice', name, text: inBoth(text) } as const satisfies Show;
}

export function choice(name: string, text: Text, buttons: readonly ChoiceButton[]) {
  return { what: 'choice', name, text: inBoth(text), buttons } as const satisfies Show;
}

export function button(
  action: ChoiceButton['action'],
  style: ChoiceButton['style'],
  { en, zh }: Text,
) {
  return { label: `${en} ${zh}`, action, style } as const satisfies ChoiceButton;
}

export function inBoth({ en, zh }: Text): string {
  return `${en}\n${zh}`;
}
