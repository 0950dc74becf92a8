/** Whom a text of an agent calls: nobody but one person of the chat who is meant. */
import { describe, expect, test } from 'vitest';
import { contentForm, rendered } from '../../../src/lark/content/rendered.ts';

const MEI = { openId: 'ou_mei', name: 'Mei' };
const people = [MEI, { openId: 'ou_s1', name: 'Sam' }, { openId: 'ou_s2', name: 'Sam' }];
const textOf = (text: string, known: typeof people | 'unknown' = people) => {
  const piece = rendered({ kind: 'answer', text, ...(known !== 'unknown' && { people: known }) });
  return piece.kind === 'text' ? piece.text : '';
};

describe('a plain answer', () => {
  test('calls the one person of the chat with that name, or with that id', () => {
    expect(textOf('@Mei, look')).toBe('<at user_id="ou_mei">Mei</at>, look');
    expect(textOf('<at id=ou_mei></at> look')).toBe('<at user_id="ou_mei">Mei</at> look');
    expect(textOf('<at user_id="ou_mei">M</at> look')).toBe('<at user_id="ou_mei">Mei</at> look');
  });

  test.each([
    ['@Sam is two people', '@Sam is two people'],
    ['@Nobody', '@Nobody'],
    ['a@Mei', 'a@Mei'],
    ['@all @everyone @所有人', '@all @everyone @所有人'],
    ['<at user_id="all">all</at>', '<\u200Bat user_id="all">all<\u200B/at>'],
    ['<at id=ou_other></at>', '<\u200Bat id=ou_other><\u200B/at>'],
    ['&lt;at id=all>', '&lt;\u200Bat id=all>'],
    ['\uE000ou_mei\uE000x\uE000', '\uFFFDou_mei\uFFFDx\uFFFD'],
  ])('%s calls nobody', (text, shown) => {
    expect(textOf(text)).toBe(shown);
  });

  test('calls nobody as long as it is not known who is there', () => {
    expect(textOf('<at id=ou_mei></at> @Mei', 'unknown')).toBe(
      '<\u200Bat id=ou_mei><\u200B/at> @Mei',
    );
  });

  test('a name with signs of a tag can not end the tag', () => {
    const odd = [{ openId: 'ou_x', name: '"><at user_id="all">' }];
    expect(textOf(`@${odd[0]?.name ?? ''}`, odd)).not.toMatch(/<at user_id="all">/);
  });
});

test('a card and a post call the same person', () => {
  for (const form of ['card', 'post'] as const) {
    const piece = rendered({ kind: 'answer', text: '**@Mei** and @Sam', form, people });
    expect(JSON.stringify(piece)).toContain('ou_mei');
    expect(JSON.stringify(piece)).not.toContain('ou_s');
  }
});

test('a text that a card became still calls, and its file does not', () => {
  const card = { kind: 'answer', text: '**bold** @Mei', form: 'post', people } as const;
  const [text] = contentForm.simplerThan(card, 'form');
  expect(text && rendered(text)).toEqual({
    kind: 'text',
    text: '**bold** <at user_id="ou_mei">Mei</at>',
  });
  const file = text?.kind === 'answer' ? contentForm.simplerThan(text, 'form').at(-1) : undefined;
  expect(file).toMatchObject({ kind: 'file', text: '**bold** @Mei' });
});
