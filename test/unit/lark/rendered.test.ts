/** What Lark shows of content that the bridge describes by its meaning. */
import { describe, expect, test } from 'vitest';
import { rendered, toLarkContent } from '../../../src/lark/content/rendered.ts';
import { piecesOf, smallerPiecesOf } from '../../../src/lark/content/text.ts';

describe('a text', () => {
  test('CG-OUT-02: an answer can not mention everybody', () => {
    const text = 'hey <at user_id="all">all</at> and a<b';
    const piece = rendered({ kind: 'answer', text });
    const shown = piece.kind === 'text' ? piece.text : '';
    expect(shown).not.toMatch(/<\/?at[\s>]/);
    expect(shown.replaceAll('\u200B', '')).toBe(text);
  });

  test.each([
    '<at/user_id="all">all</at>',
    '<at\u0000 user_id="all">',
    '<\u0007at user_id="all">',
    '<a\u001B[0mt user_id="all">',
    '<at\u00A0user_id="all">',
    '<AT"user_id=all>',
    '</at/>',
    '<at',
  ])('F29: %j mentions nobody', (text) => {
    const piece = rendered({ kind: 'answer', text: `hey ${text}` }, undefined);
    expect(piece.kind === 'text' ? piece.text : '').not.toMatch(/<\/?at(?![a-z0-9])/i);
  });

  test('F29: a word that only begins like a mention stays as it is', () => {
    const text = '<attr> <atom/> a<b <@at>';
    expect(rendered({ kind: 'answer', text }, undefined)).toEqual({ kind: 'text', text });
  });

  test('F29: no control character goes out, in an answer or in a question', () => {
    const all = Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code)).join('x');
    const text = `a\u001B]0;title\u0007b\u001B[31mc\r\nd\re\u0085f${all}`;
    for (const content of [
      { kind: 'answer', text },
      { kind: 'choice', text, buttons: [] },
    ] as const) {
      const piece = rendered(content, undefined);
      const shown =
        piece.kind !== 'card'
          ? piece.kind === 'text'
            ? piece.text
            : ''
          : (JSON.parse(piece.card) as { config: { summary: { content: string } } }).config.summary
              .content;
      expect(shown).not.toMatch(/(?![\n\t])\p{Cc}/u);
      expect(shown).toContain('abc');
    }
  });

  test.each([
    { kind: 'answer', text: 'a\uD83D b' },
    { kind: 'answer', text: 'a\uD83D **b**', form: 'card' },
    { kind: 'answer', text: 'a\uD83D **b**', form: 'post' },
    { kind: 'notice', text: 'a\uD83D b' },
    { kind: 'menu', text: 'a\uD83D b', buttons: [] },
    { kind: 'choice', text: 'a\uD83D b', buttons: [] },
    { kind: 'news', level: 'info', title: 'a\uD83D b', fields: [], text: '' },
    { kind: 'question', text: 'a\uD83D b', options: [], note: '', plain: '' },
  ] as const)('half of a character is no part of what goes out: $kind $form', (content) => {
    const sent = JSON.parse(toLarkContent(rendered(content, []))?.content ?? '') as unknown;
    const json = JSON.stringify(sent);
    expect(json).toContain('a\uFFFD ');
    expect(json).not.toContain(String.raw`\ud83d`);
  });

  test('that is long is cut at line ends, without loss and without a cut character', () => {
    const text = `${'é😀漢'.repeat(50)}\n`.repeat(40);
    const pieces = piecesOf(text, 1_000);
    expect(pieces.join('')).toBe(text);
    for (const piece of pieces) {
      expect(Buffer.byteLength(piece)).toBeLessThanOrEqual(1_000);
      expect(piece).not.toMatch(/^[\uDC00-\uDFFF]|[\uD800-\uDBFF]$/);
    }
  });

  test('is never cut inside a character of several code points', () => {
    const family = '👨‍👩‍👧';
    const pieces = piecesOf(family.repeat(50), 100);
    expect(pieces.filter((piece) => piece.replaceAll(family, '') !== '')).toEqual([]);
  });

  test('that was refused as too long is cut into smaller pieces, unless it is small', () => {
    const text = 'line one\nline two\nline three\n'.repeat(2_000);
    expect(smallerPiecesOf(text)?.join('')).toBe(text);
    expect(smallerPiecesOf('short')).toBeUndefined();
  });
});

test('a question has a button for each answer, with its value', () => {
  const buttons = [
    { label: 'Run again', action: 'retry', style: 'primary' },
    { label: 'Skip', action: 'skip', style: 'default' },
  ] as const;
  const values = [{ lark_bridge_choice: 'retry' }, { lark_bridge_choice: 'skip' }];
  const piece = rendered({ kind: 'choice', text: 'Run it again?', buttons }, values);
  const { config, body } = JSON.parse(piece.kind === 'card' ? piece.card : '{}') as {
    config: { summary: { content: string } };
    body: { elements: { behaviors?: { value: Record<string, unknown> }[] }[] };
  };
  expect(config.summary.content).toBe('Run it again?');
  const shown = body.elements.flatMap(({ behaviors }) => behaviors ?? []);
  expect(shown.map(({ value }) => value)).toEqual(values);
});

describe('CG-OUT-01: news', () => {
  const news = { kind: 'news', title: 'An <at id=all></at>', text: '' } as const;

  test.each([
    ['info', 'blue'],
    ['warning', 'orange'],
    ['error', 'red'],
  ] as const)('of the level %s have a %s headline', (level, template) => {
    const piece = rendered({ ...news, level, fields: [] });
    const card = JSON.parse(piece.kind === 'card' ? piece.card : '') as { header: object };
    expect(card.header).toMatchObject({ template, title: { tag: 'plain_text' } });
  });

  test('CG-OUT-02: have only plain text, without controls', () => {
    const fields = [{ label: 'Chat\u0007', value: '**<at id=all></at>**\u001B[31m' }];
    const piece = rendered({ ...news, level: 'info', fields });
    const card = piece.kind === 'card' ? piece.card : '';
    expect([...card.matchAll(/"tag":"(\w+)"/g)].map(([, tag]) => tag)).toEqual([
      'plain_text',
      'div',
      'plain_text',
    ]);
    expect(JSON.parse(card)).toMatchObject({
      body: { elements: [{ text: { content: 'Chat\n**<at id=all></at>**' } }] },
    });
  });
});
