import type { QuestionContent, ShownCode } from '../../core/content.ts';
import { shortened } from '../../text/cut.ts';
import type { ButtonValue } from '../../wire/choice-value.ts';
import { cardMarkdown } from './card-markdown.ts';
import { LIMITS } from './limits.ts';
import { withoutMentions } from './mentions.ts';
import { withoutControls } from './text.ts';

/**
 * The JSON of a card (schema 2.0) with a question of an agent. `values`: what the buttons say, in order. All words are
 * plain text or code, so nothing in them is read as Markdown or calls anybody.
 */
export function questionCard(
  { heading, text, would = [], options, always, note, by }: QuestionContent,
  values: readonly ButtonValue[],
): string {
  const words = withoutControls(text);
  const summary = shortened(
    (words === '' ? note : words).replaceAll(/\s+/g, ' '),
    LIMITS.summaryCharsMax,
  );
  const buttons = [
    ...options.map(({ label, style }) => ({ label, style })),
    ...(always === undefined ? [] : [{ label: always, style: 'default' }]),
  ];
  return JSON.stringify({
    schema: '2.0',
    config: { update_multi: true, summary: { content: summary } },
    body: {
      elements: [
        ...(heading === undefined ? [] : [plainText(heading, 'notation')]),
        ...(words === '' ? [] : [plainText(words)]),
        ...would.flatMap(codeElements),
        ...buttons.map(({ label, style }, index) => ({
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

function codeElements({ title, code, language }: ShownCode) {
  const lines = withoutControls(code).split('\n');
  return [
    plainText(withoutControls(title), 'notation'),
    { tag: 'markdown', content: cardMarkdown({ kind: 'code_block', language, lines }) },
  ];
}

function plainText(content: string, size: 'normal' | 'notation' = 'normal') {
  return {
    tag: 'div',
    text: { tag: 'plain_text', content: withoutMentions(content), text_size: size },
  };
}
