/** What the page shows of a message, as a tree: nothing of it is lost, and nothing in it is markup for a browser. */
import { expect, test } from 'vitest';
import { answerOf } from '../../../src/lark/content/answer.ts';
import { firstStep } from '../../../src/lark/content/ladder.ts';
import { cardView } from '../../../src/sim/page/view/card.ts';
import { parseInlines } from '../../../src/sim/page/view/inlines.ts';
import { parseMarkdown } from '../../../src/sim/page/view/markdown.ts';
import { bodyOf, lineOf } from '../../../src/sim/page/view/message.ts';
import type { Block, FieldBlock } from '../../../src/sim/page/view/nodes.ts';
import { plainBlocks, plainCard } from '../../../src/sim/page/view/plain.ts';
import type { MessageSeen } from '../../../src/sim/page/view/wire.ts';
import { isJsonObject, type JsonObject } from '../../../src/sim/world/json.ts';
import { createRandom } from '../../../src/sim/world/random.ts';
import { generated } from '../lark/content/generator.ts';
import { madeCard } from './page-cards.ts';

/** `SEED=7` runs one alone, `SEEDS=2000` more than usual. */
const FIRST = Number(process.env['SEED'] ?? 1);
const COUNT = Number(process.env['SEEDS'] ?? (process.env['SEED'] === undefined ? 60 : 1));
const SEEDS = Array.from({ length: COUNT }, (_, at) => FIRST + at);

const NOBODY = { nameOf: () => undefined, members: [] };
const words = (shown: string): readonly string[] => shown.match(/w\d+x/g) ?? [];

test('every text of a card is visible, whatever components it has', () => {
  for (const seed of SEEDS) {
    const made = madeCard(seed);
    const shown = new Set(words(plainCard(cardView(made.card, NOBODY))));
    expect(
      made.words.filter((word) => !shown.has(word)),
      `SEED=${seed}`,
    ).toEqual([]);
  }
});

test('a card with values of wrong types is drawn too, as far as it can be', () => {
  for (const seed of SEEDS) {
    const random = createRandom(seed, 'damage');
    const wrong = [null, 7, '', 'x', true, [], {}, [null], [[{}]], { tag: 7 }, { content: [] }];
    const damaged = (value: unknown): unknown => {
      if (random() < 0.06) return wrong[Math.floor(random() * wrong.length)];
      if (Array.isArray(value)) return value.map(damaged);
      if (!isJsonObject(value)) return value;
      return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, damaged(one)]));
    };
    const card = damaged(madeCard(seed).card);
    expect(
      () => plainCard(cardView(isJsonObject(card) ? card : {}, NOBODY)),
      `SEED=${seed}`,
    ).not.toThrow();
  }
});

test('every word of an answer of the bridge is visible, in order', () => {
  // These are long.
  for (const seed of SEEDS.slice(0, Math.ceil(COUNT / 5))) {
    const { markdown, words: written, heads } = generated(seed);
    const { parts } = answerOf(markdown, { people: [], images: new Map<string, string>() });
    const shown = parts
      .flatMap((part) => firstStep(part).messages)
      .map((message) =>
        message.kind === 'card'
          ? plainCard(cardView(JSON.parse(message.card) as JsonObject, NOBODY))
          : JSON.stringify(message),
      );
    const found = words(shown.join('\n'));
    const again = found.filter((word, at) => found.indexOf(word) < at);
    expect(
      again.filter((word) => !heads.has(word)),
      `SEED=${seed}`,
    ).toEqual([]);
    expect([...new Set(found)], `SEED=${seed}`).toEqual(written);
  }
});

test('every text of a post is visible', () => {
  const content = {
    title: 'w0x',
    content: [
      [
        { tag: 'text', text: 'w1x @_user_1 ', style: ['bold', 'lineThrough'] },
        { tag: 'a', text: 'w2x', href: 'https://example.com' },
        { tag: 'at', user_id: '@_user_1', user_name: 'w3x' },
        { tag: 'emotion', emoji_type: 'OK' },
      ],
      [{ tag: 'code_block', language: 'w4x', text: 'w5x\n  w6x' }],
      [{ tag: 'md', text: '- w7x\n- **w8x**' }],
      [{ tag: 'shiny_new_thing', text: 'w9x' }],
      [{ tag: 'img', image_key: 'img_1' }, { tag: 'hr' }],
    ],
  };
  const body = bodyOf(seenMessage('post', content), NOBODY);
  const shown = body.kind === 'blocks' ? plainBlocks(body.blocks) : '';
  expect(words(shown)).toEqual(Array.from({ length: 10 }, (_, at) => `w${at}x`));
  expect(shown).toContain('@Tom');
  // The same with a language around it, as some send it.
  expect(lineOf(seenMessage('post', { zh_cn: content }), NOBODY)).toContain('w1x');
});

test('an empty line of a post stays one', () => {
  const line = (text: string) => [{ tag: 'text', text }];
  const body = bodyOf(seenMessage('post', { content: [line('a'), [], line('b')] }), NOBODY);
  expect(body).toMatchObject({
    blocks: [
      { inlines: [{ text: 'a' }] },
      { kind: 'text', inlines: [] },
      { inlines: [{ text: 'b' }] },
    ],
  });
});

test('each type of message that Lark has shows what it is about', () => {
  const seen = (type: string, content: JsonObject) => lineOf(seenMessage(type, content), NOBODY);
  expect(seen('text', { text: '@_user_1 hi @_all' })).toBe('@Tom hi @all');
  expect(seen('file', { file_key: 'k', file_name: 'a.pdf' })).toBe('a.pdf');
  expect(seen('location', { name: 'Main street 1' })).toContain('Main street 1');
  expect(seen('vote', { topic: 'Lunch', options: ['Noodles'] })).toContain('Noodles');
  expect(seen('system', { template: '{a} came', a: ['Mia', 'Tom'] })).toBe('Mia, Tom came');
  const todo = { summary: { title: '', content: [[{ tag: 'text', text: 'Water' }]] } };
  expect(seen('todo', todo)).toContain('Water');
  expect(seen('no_such_type', { a: { title: 'new' } })).toBe('new');
  expect(lineOf({ ...seenMessage('text', {}), content: undefined }, NOBODY)).toContain('recalled');
});

test('only http, https and mailto open something', () => {
  const kinds = (source: string) => parseInlines(source, () => undefined).map(({ kind }) => kind);
  expect(kinds('[a](https://example.com)')).toEqual(['link']);
  expect(kinds('[a](mailto:a@example.com)')).toEqual(['link']);
  expect(kinds('[a](javascript:alert(1))')).not.toContain('link');
  expect(kinds("<a href='data:text/html,x'>a</a>")).toEqual(['text']);
  const card = {
    elements: [{ tag: 'button', text: { content: 'a' }, url: 'javascript:alert(1)' }],
  };
  expect(cardView(card, NOBODY).blocks).toMatchObject([{ press: { url: undefined } }]);
});

test('the number of a button is that of the control API, also beside other buttons', () => {
  const button = (label: string) => ({
    tag: 'button',
    text: { tag: 'plain_text', content: label },
    value: { label },
  });
  const card = {
    elements: [
      { tag: 'div', extra: button('first'), text: { tag: 'plain_text', content: 'a' } },
      { tag: 'column_set', columns: [{ tag: 'column', elements: [button('second')] }] },
      { tag: 'action', actions: [button('third')] },
    ],
  };
  const found: string[] = [];
  const collect = (blocks: readonly Block[]) => {
    for (const block of blocks) {
      if (block.kind === 'button') found.push(`${block.press.index} ${block.label}`);
      if (block.kind === 'columns') for (const column of block.columns) collect(column.blocks);
    }
  };
  collect(cardView(card, NOBODY).blocks);
  expect(found).toEqual(['0 first', '1 second', '2 third']);
});

test('a select of people without options offers the members of the chat', () => {
  const card = { elements: [{ tag: 'select_person', name: 'who' }] };
  const members = [{ openId: 'ou_1', name: 'Mia' }];
  const [field] = cardView(card, { ...NOBODY, members }).blocks as FieldBlock[];
  expect(field?.options).toEqual([{ value: 'ou_1', label: 'Mia' }]);
});

test.each([
  ['signs that close nothing', '*a **b __c ~~d `e [f ![g <at '.repeat(4_000)],
  ['deep quotes', `${'> '.repeat(20_000)}a`],
  ['a deep list', Array.from({ length: 1_000 }, (_, at) => `${' '.repeat(at)}- a`).join('\n')],
  ['deep markup', `${'**a *b '.repeat(500)}${' c* d**'.repeat(500)}`],
  ['a fence without an end', `\`\`\`\n${'a\n'.repeat(50_000)}`],
])('hostile Markdown is read in bounded time: %s', (_, source) => {
  expect(plainBlocks(parseMarkdown(source, () => undefined))).toContain('a');
});

function seenMessage(type: string, content: JsonObject): MessageSeen {
  return {
    messageId: 'om_1',
    from: { kind: 'user', id: 'ou_1', name: 'Mia' },
    type,
    content,
    mentions: [{ key: '@_user_1', openId: 'ou_2', name: 'Tom' }],
    replyTo: undefined,
    threadId: undefined,
    isInThread: false,
    reactions: [],
    isRecalled: false,
    isEdited: false,
    isPinned: false,
    isPrivate: false,
    atMs: 0,
    readBy: [],
    readers: 0,
    files: {},
    parts: [],
  };
}
