import type { Content } from '../../core/content.ts';
import type { ButtonValue } from '../../wire/choice-value.ts';

/** The JSON of a card (schema 2.0) with a question or a menu, and its buttons. `values`: what the buttons say, in order. */
export function choiceCard(
  { text, buttons }: Extract<Content, { kind: 'choice' | 'menu' }>,
  values: readonly ButtonValue[],
): string {
  return JSON.stringify({
    schema: '2.0',
    config: { update_multi: true, summary: { content: text } },
    body: {
      elements: [
        { tag: 'div', text: { tag: 'plain_text', content: text } },
        ...buttons.map((button, index) => ({
          tag: 'button',
          text: { tag: 'plain_text', content: button.label },
          type: button.style,
          behaviors: [{ type: 'callback', value: values[index] ?? {} }],
        })),
      ],
    },
  });
}
