import type { Content } from '../../core/content.ts';
import type { TurnId } from '../../core/ids.ts';
import { choiceValue } from '../../wire/choice-value.ts';

/** The JSON of a card (schema 2.0) with a question and its buttons. */
export function choiceCard(
  { text, buttons }: Extract<Content, { kind: 'choice' }>,
  about: TurnId | undefined,
): string {
  const turn = about === undefined ? {} : { turn: about };
  return JSON.stringify({
    schema: '2.0',
    config: { update_multi: true, summary: { content: text } },
    body: {
      elements: [
        { tag: 'div', text: { tag: 'plain_text', content: text } },
        ...buttons.map((button) => ({
          tag: 'button',
          text: { tag: 'plain_text', content: button.label },
          type: button.style,
          behaviors: [{ type: 'callback', value: choiceValue({ action: button.action, ...turn }) }],
        })),
      ],
    },
  });
}
