/** What Lark shows of content that the bridge describes by its meaning. */
import { describe, expect, test } from 'vitest';
import { rendered } from '../../../src/lark/content/rendered.ts';
import { piecesOf, smallerPiecesOf } from '../../../src/lark/content/text.ts';

describe('a text', () => {
  test('CG-OUT-02: an answer can not mention everybody', () => {
    const text = 'hey <at user_id="all">all</at> and a<b';
    const piece = rendered({ kind: 'answer', text });
    const shown = piece.kind === 'text' ? piece.text : '';
    expect(shown).not.toMatch(/<\/?at[\s>]/);
    expect(shown.replaceAll('\u200B', '')).toBe(text);
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
