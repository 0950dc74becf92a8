import type { QuestionContent } from '../../core/content.ts';
import { shortened } from '../../text/cut.ts';
import type { ButtonValue } from '../../wire/choice-value.ts';
import { LIMITS } from './limits.ts';
import { withoutControls } from './text.ts';

/**
 * The JSON of a card (schema 2.0) with a question of an agent. `values`: what the buttons say, in order. All words are
 * plain text, so nothing in them is read as Markdown or calls anybody.
 */
export function questionCard(
  { text, options, note, by }: QuestionContent,
  values: readonly ButtonValue[],
): string {
  const words = withoutControls(text);
  const summary = shortened(
    (words === '' ? note : words).replaceAll(/\s+/g, ' '),
    LIMITS.summaryCharsMax,
  );
  return JSON.stringify({
    schema: '2.0',
    config: { update_multi: true, summary: { content: summary } },
    body: {
      elements: [
        ...(words === '' ? [] : [plainText(words)]),
        ...options.map(({ label, style }, index) => ({
          tag: 'button',
          text: { tag: 'plain_text', content: `${index + 1}. ${withoutControls(label)}` },
          type: style,
          behaviors: [{ type: 'callback', value: values[index] ?? {} }],
        })),
        plainText(withoutControls(note), 'notation'),
        // Lark shows the name, in the language of whoever looks.
        ...(by === undefined ? [] : [{ tag: 'person', user_id: by, size: 'small' }]),
      ],
    },
  });
}

function plainText(content: string, size: 'normal' | 'notation' = 'normal') {
  return { tag: 'div', text: { tag: 'plain_text', content, text_size: size } };
}
