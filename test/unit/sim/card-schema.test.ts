/** The simulator refuses cards of schema 2.0 for what Lark's documents forbid. */
import { describe, expect, test } from 'vitest';
import { inlineCardProblem } from '../../../src/sim/cards/card-rules.ts';

const OWN_IMAGE = 'img_v3_own';
const codeFor = (card: object) =>
  inlineCardProblem(JSON.stringify(card), (key) => key === OWN_IMAGE)?.code;
const withElements = (...elements: object[]) => ({ schema: '2.0', body: { elements } });

const markdown = (content: string) => ({ tag: 'markdown', content });
const table = (changed: object) => ({
  tag: 'table',
  columns: [{ name: 'a', display_name: 'A', data_type: 'markdown' }],
  rows: [{ a: '1' }],
  ...changed,
});
const alt = { tag: 'plain_text', content: '' };
const TABLE = '| a |\n|---|\n| 1 |\n\n';

describe('a card of schema 2.0 is refused', () => {
  test.each([
    ['an unknown property of the card', { ...withElements(), i18n_elements: {} }, 200621],
    ['elements outside of the body', { schema: '2.0', elements: [] }, 200621],
    ['a body that is no object', { schema: '2.0', body: [] }, 200621],
    ['an element without a tag', withElements({ content: 'x' }), 200621],
    ['a tag of 1.0', withElements({ tag: 'note', elements: [] }), 200861],
    ['a group of buttons of 1.0', withElements({ tag: 'action', actions: [] }), 200861],
    ['an unknown property of an element', withElements({ ...markdown('x'), href: {} }), 200621],
    ['a Markdown text without content', withElements({ tag: 'markdown' }), 200621],
    ['a Markdown text that is too long', withElements(markdown('x'.repeat(100_001))), 200621],
    ['five tables in one Markdown text', withElements(markdown(TABLE.repeat(5))), 11310],
    ['an image of somebody else', withElements({ tag: 'img', img_key: 'img_x', alt }), 200570],
    ['an image without a text', withElements({ tag: 'img', img_key: OWN_IMAGE }), 200621],
    ['an address as an image', withElements(markdown('![x](https://a.example/x.png)')), 200570],
    ['an unknown image in a cell', withElements(table({ rows: [{ a: '![x](img_x)' }] })), 200570],
    ['a table inside of a component', withElements({ tag: 'form', elements: [table({})] }), 200621],
    ['a table without columns', withElements(table({ columns: undefined })), 200621],
    [
      'two columns of one name',
      withElements(table({ columns: [{ name: 'a' }, { name: 'a' }] })),
      200621,
    ],
    [
      'an unknown type of column',
      withElements(table({ columns: [{ name: 'a', data_type: 'x' }] })),
      200621,
    ],
    ['a page of eleven rows', withElements(table({ page_size: 11 })), 200621],
    ['rows that are lists', withElements(table({ rows: [['1']] })), 200621],
    ['a card that is not shared', { ...withElements(), config: { update_multi: false } }, 300302],
  ])('for %s', (_, card, code) => {
    expect(codeFor(card)).toBe(code);
  });
});

describe('a card is taken', () => {
  test.each([
    [
      'with all that an answer needs',
      withElements(markdown(`x\n\n${TABLE.repeat(4)}`), { tag: 'hr' }, table({})),
    ],
    [
      'with an image of the app',
      withElements({ tag: 'img', img_key: OWN_IMAGE, alt }, markdown(`![x](${OWN_IMAGE})`)),
    ],
    [
      'with an image that is only shown as code',
      withElements(markdown('`![x](y)`\n\n```\n![x](y)\n```')),
    ],
    [
      'with components that have no rules here',
      withElements({ tag: 'chart', chart_spec: { x: 1 } }),
    ],
    ['of schema 1.0, whatever it has', { elements: [{ tag: 'note', elements: [] }], more: 1 }],
  ])('%s', (_, card) => {
    expect(codeFor(card)).toBeUndefined();
  });
});
