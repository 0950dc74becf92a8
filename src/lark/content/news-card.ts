import type { NewsContent, NewsLevel } from '../../core/content.ts';
import { shortened } from '../../text/cut.ts';
import { LIMITS } from './limits.ts';
import { withoutControls } from './text.ts';

const COLOURS: Readonly<Record<NewsLevel, string>> = {
  info: 'blue',
  warning: 'orange',
  error: 'red',
};

/**
 * The JSON of a card (schema 2.0) that tells what happened elsewhere. All words are plain text, so nothing in them is
 * read as Markdown or calls anybody.
 */
export function newsCard({ level, title, fields }: NewsContent): string {
  const headline = withoutControls(title);
  return JSON.stringify({
    schema: '2.0',
    config: {
      update_multi: true,
      summary: { content: shortened(headline, LIMITS.summaryCharsMax) },
    },
    header: { title: plainText(headline), template: COLOURS[level] },
    body: {
      elements: fields.map(({ label, value }) => ({
        tag: 'div',
        text: plainText(`${withoutControls(label)}\n${withoutControls(value)}`),
      })),
    },
  });
}

function plainText(content: string) {
  return { tag: 'plain_text', content };
}
