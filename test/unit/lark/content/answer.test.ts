/** What becomes of single things in an answer. */
import { describe, expect, test } from 'vitest';
import {
  answerOf,
  blocksOf,
  imagesIn,
  type AnswerContext,
} from '../../../../src/lark/content/answer.ts';
import { firstStep, nextStep } from '../../../../src/lark/content/ladder.ts';
import { linkAddress } from '../../../../src/lark/content/links.ts';
import { withoutMentions } from '../../../../src/lark/content/mentions.ts';
import { isPlain } from '../../../../src/lark/content/plain.ts';
import { elementsIn } from './reader.ts';

const NOTHING: AnswerContext = { people: [], images: new Map() };
const PEOPLE = [
  { openId: 'ou_mia', name: 'Mia Chen' },
  { openId: 'ou_lin', name: '小林' },
  { openId: 'ou_sam1', name: 'Sam' },
  { openId: 'ou_sam2', name: 'Sam' },
  { openId: 'ou_all', name: 'All' },
  { openId: 'all', name: 'Everybody' },
  { openId: 'ou_bad', name: '<at id=all>\n' },
];

function cardsOf(text: string, context: AnswerContext = NOTHING) {
  return answerOf(text, context).parts.flatMap((part) =>
    firstStep(part).messages.map((message) =>
      elementsIn(message.kind === 'card' ? message.card : ''),
    ),
  );
}

const contentsOf = (text: string, context: AnswerContext = NOTHING) =>
  cardsOf(text, context)
    .flat()
    .map(({ tag, content }) => content ?? tag);

describe('a plain answer', () => {
  test.each(['Done.', 'a\nb\nc', '好的，已完成。', 'It is 5 < 6? No: 5.'.replace('<', 'of')])(
    'is %j',
    (text) => {
      expect(isPlain(text)).toBe(true);
      const [part] = answerOf(text, NOTHING).parts;
      expect(part && firstStep(part)).toEqual({ rung: 'text', messages: [{ kind: 'text', text }] });
    },
  );

  test.each([
    'a **b**',
    '`a`',
    '# a',
    'a\n\n- b',
    '1. a',
    '> a',
    '    a',
    'a &amp; b',
    '[a](b)',
    '<b>',
    'a | b',
    '$$a$$',
    'a\n---',
    'x'.repeat(1_001),
    'a\n'.repeat(11),
  ])('is not %j', (text) => {
    expect(isPlain(text)).toBe(false);
  });

  test('that has nothing to see has no message', () => {
    expect(answerOf('  \n\n', NOTHING).parts).toEqual([]);
  });
});

describe('CG-OUT-02: mentions', () => {
  const inEveryForm = (text: string) =>
    answerOf(text, { ...NOTHING, people: PEOPLE }).parts.flatMap((part) =>
      [firstStep(part), nextStep(part, 'card', 'form'), nextStep(part, 'post', 'form')].map(
        (step) => JSON.stringify(step?.messages),
      ),
    );

  test.each([
    '<at id=all></at> x',
    '<at user_id="all">all</at> x',
    '<AT ID=all/> x',
    '&lt;at id=all&gt; **x**',
    '&#60;at id=all>',
    '&#x3c;at id=all> x',
    '&amp;lt;at id=all&gt;',
    '`<at id=all>`',
    '```\n<at id=all></at>\n```',
    '<at/id=all> x',
    '[<at id=all>](https://a.example)',
    '| <at id=all> |\n|---|\n| <at id=all> |',
    '# <at id=all>',
    '@all **x**',
    '@All **x**',
    '@所有人 **x**',
    '<at id=ou_nobody></at> x',
    '@Sam **x**',
    '<at user_id="ou_all">x</at>',
    '\uE000ou_mia\uE000x\uE000 **y**',
    '<\u0000at id=all> x',
    '<[at id=all>](https://a.example)',
    '![<at id=all>](https://a.example/x.png)',
  ])('%j calls nobody', (text) => {
    for (const message of inEveryForm(text)) {
      expect(message).not.toMatch(/(?:<|&(?:lt|#60|#x3c);?)\s*\/?at[\s>/=]/i);
    }
  });

  test.each([
    ['@Mia Chen please **look**', 'ou_mia'],
    ['**@小林**请确认', 'ou_lin'],
    ['<at id=ou_mia></at> x', 'ou_mia'],
    ['<at user_id="ou_lin">L.</at> x', 'ou_lin'],
  ])('%j calls the one person of the chat who is meant', (text, openId) => {
    const [card, post, plain] = inEveryForm(text);
    expect(card).toContain(`<at id=${openId}></at>`);
    expect(post).toContain(`<at user_id=\\\\\\"${openId}\\\\\\">`);
    expect(plain).toContain(`<at user_id=\\"${openId}\\">`);
  });

  test('a name is no mention inside an address or a longer name', () => {
    const text = inEveryForm('x@Mia Chen, @Mia Chenowa and @小林 **x**').join('\n');
    expect(text).not.toContain('ou_mia');
  });

  test('what only looks like a tag stays as it is', () => {
    expect(withoutMentions('<attribute> a<b <att> <bat>')).toBe('<attribute> a<b <att> <bat>');
  });
});

describe('links', () => {
  test.each([
    ['https://a.example/b_(c)', 'https://a.example/b_%28c%29'],
    ['HTTP://a.example', 'HTTP://a.example'],
    ['mailto:a@b.example', 'mailto:a@b.example'],
    ['https://a.example/?a&copy;=1', 'https://a.example/?a%26copy;=1'],
    ['https://a.example/a b', 'https://a.example/a%20b'],
    ['https://a.example/"<>', 'https://a.example/%22%3C%3E'],
  ])('%s leads to %s', (address, shown) => {
    expect(linkAddress(address)).toBe(shown);
  });

  test.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'lark://x',
    '//a.example',
    '/a',
    'a.md',
    '',
    'https:',
    'https:///a',
    ' java\nscript:x',
    `https://a.example/${'x'.repeat(2_000)}`,
  ])('%j is none', (address) => {
    expect(linkAddress(address)).toBeUndefined();
  });

  test('with another scheme they become text', () => {
    expect(contentsOf('[x](javascript:alert(1)) and [y](./a.md)')).toEqual([
      'x (javascript:alert(1)) and y (./a.md)',
    ]);
  });
});

describe('images', () => {
  const images = new Map([['out/a.png', 'img_1']]);

  test('of the output folder are shown in place, all others are links', () => {
    const text = 'Before ![A](./out/a.png) after ![b](https://b.example/b.png) ![c](c.png)';
    expect(contentsOf(text, { people: [], images })).toEqual([
      'Before ',
      'img',
      'after [b](https://b.example/b.png) c (c.png)',
    ]);
    expect([...imagesIn(blocksOf(text, { people: [], images }))]).toEqual(['img_1']);
  });
});

test('a footnote keeps all that it says, below the answer', () => {
  const text = 'Word[^a] and[^b].\n\n[^a]: - one\n  - two\n[^b]: said\n  # more\n\nEnd';
  expect(contentsOf(text)).toEqual([
    'Word&#91;a&#93; and&#91;b&#93;.\n\nEnd\n\n&#91;a&#93; \n\n- one\n- two\n\n&#91;b&#93; said\n\n# more',
  ]);
});

test('cells beyond the columns of a table are kept', () => {
  const [elements] = cardsOf('head\n|-|\n| 1 | 2 | 3 |');
  expect(elements?.[0]?.rows).toEqual([{ c1: '1 &#124; 2 &#124; 3' }]);
});

describe('an answer that is longer than a card', () => {
  test('has numbered parts, and each part of code has its fence and its language', () => {
    const code = Array.from({ length: 2_000 }, (_, at) => `line ${at} of the "code"`);
    const cards = cardsOf(`# Code\n\n\`\`\`python\n${code.join('\n')}\n\`\`\`\n\nEnd`);
    expect(cards.length).toBeGreaterThan(2);
    const numbers = cards.map((elements) => elements.at(-1)?.content);
    expect(numbers).toEqual(cards.map((_, at) => `${at + 1}/${cards.length}`));
    const blocks = cards.flat().filter(({ content }) => content?.startsWith('```') === true);
    expect(blocks.every(({ content = '' }) => /^```python\n[^]*\n```$/.test(content))).toBe(true);
    expect(blocks.flatMap(({ content = '' }) => content.split('\n').slice(1, -1))).toEqual(code);
  });

  test('is divided before a heading, not after it', () => {
    const section = `\n\n## Section\n\n${'Words of a section. '.repeat(140)}`;
    const cards = cardsOf(section.repeat(20));
    expect(cards.length).toBeGreaterThan(1);
    for (const elements of cards.slice(0, -1))
      expect(elements.at(-2)?.content).not.toMatch(/## Section$/);
  });

  test('has at most five tables in a part', () => {
    const table = '| a | b |\n|---|---|\n| 1 | 2 |\n\n';
    const tables = cardsOf(table.repeat(12)).map(
      (elements) => elements.filter(({ tag }) => tag === 'table').length,
    );
    expect(tables).toEqual([5, 5, 2]);
  });
});
