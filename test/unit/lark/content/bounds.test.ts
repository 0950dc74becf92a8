/** Texts that are made to cost much: they end, and what is beyond the bounds is shown as plain text. */
import { describe, expect, test } from 'vitest';
import { answerOf } from '../../../../src/lark/content/answer.ts';
import { firstStep } from '../../../../src/lark/content/ladder.ts';
import { inlineCardProblem } from '../../../../src/sim/cards/card-rules.ts';
import { shownOfCard } from './reader.ts';

const MB = 1024 * 1024;
const NOTHING = { people: [], images: new Map<string, string>() };
const lines = (count: number, line: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => line(at)).join('\n');

const BOMBS: Readonly<Record<string, string>> = {
  'quotes 1,000 deep': `${'>'.repeat(1_000)} x`,
  'quotes 1,000 deep, line by line': lines(1_000, (at) => `${'> '.repeat(at)}x`),
  'lists 1,000 deep': lines(1_000, (at) => `${'  '.repeat(at)}- x`),
  'lists 1,000 deep in one line': `${'- '.repeat(1_000)}x`,
  'emphasis 1,000 deep': `${'*a '.repeat(1_000)}x${' b*'.repeat(1_000)}`,
  'links 1,000 deep': `${'['.repeat(1_000)}x${'](u)'.repeat(1_000)}`,
  'a table of 5,000 lines': `|a|b|c|\n|-|-|-|\n${'|1|2|3|\n'.repeat(5_000)}`,
  'a table of 5,000 columns': `${'|a'.repeat(5_000)}|\n${'|-'.repeat(5_000)}|\n${'|1'.repeat(5_000)}|`,
  '100,000 links': '[a](http://b.example/d) '.repeat(100_000),
  '100,000 links on lines': '[a](http://b.example/d)\n\n'.repeat(100_000),
  'a fence that does not end': `\`\`\`js\n${'const a = 1;\n'.repeat(MB / 13)}`,
  '50,000 fences': '```\n```\n'.repeat(50_000),
  '1 MB of *': '*'.repeat(MB),
  '1 MB of stars and spaces': '* '.repeat(MB / 2),
  '1 MB of [': '['.repeat(MB),
  '1 MB of >': '>'.repeat(MB),
  '1 MB of lines with >': '>\n'.repeat(MB / 2),
  '1 MB of backticks': '`'.repeat(MB),
  '1 MB of underscores between letters': '_a'.repeat(MB / 2),
  '1 MB of openings that no closing ends': '**a_*'.repeat(MB / 5),
  '1 MB of addresses': 'a.'.repeat(MB / 2),
  '1 MB of list items': '- a\n'.repeat(MB / 4),
  '1 MB of definitions': '[a]: b\n'.repeat(MB / 7),
  '1 MB of empty lines': '\n'.repeat(MB),
  '1 MB of half characters': '\uD800'.repeat(MB / 3),
  '1 MB of NUL': '\0'.repeat(MB),
  '1 MB of dollar signs on lines': '$$\n'.repeat(MB / 3),
};

describe.each(Object.keys(BOMBS))('%s', (name) => {
  test('ends with messages that Lark takes', () => {
    const { parts } = answerOf(BOMBS[name] ?? '', NOTHING);
    const messages = parts.flatMap((part) => firstStep(part).messages);
    for (const message of messages) {
      if (message.kind !== 'card') continue;
      expect(inlineCardProblem(message.card, () => false)).toBeUndefined();
      expect(Buffer.byteLength(JSON.stringify(message.card))).toBeLessThanOrEqual(29 * 1024);
    }
  });
});

test('what is beyond the bounds is shown as plain text', () => {
  const deep = answerOf(`${'> '.repeat(1_000)}deep **words**`, NOTHING);
  const [message] = deep.parts.flatMap((part) => firstStep(part).messages);
  expect(shownOfCard(message?.kind === 'card' ? message.card : '').text).toContain(
    'deep **words**',
  );
});

test('a text on which the parser itself fails is shown as it is', () => {
  const text = '---[^1]-=&lt;\\[\n<br>$$[--></at><!--*|\n\n- *[!\n    \n1. a*[at \\]\n    >-\n.';
  const [message] = answerOf(text, NOTHING).parts.flatMap((part) => firstStep(part).messages);
  // Nothing of it could be read as Markdown, so it needs no card.
  expect(message?.kind === 'text' ? message.text : '').toContain('a*[at');
});

test('after it Markdown is read again', () => {
  const { parts } = answerOf(`${'*a '.repeat(1_000)}\n\n**bold** words`, NOTHING);
  const card = JSON.stringify(parts.map((part) => firstStep(part).messages));
  expect(card).toContain('**bold** words');
});
