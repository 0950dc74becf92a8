import { describe, expect, test } from 'vitest';
import { byteLength, headOf, shortened, tailOf } from '../../../src/text/cut.ts';

const FAMILY = '👨‍👩‍👧';
const FLAG = '🇨🇳';
const ACCENT = 'e\u0301';

/** A text of nothing but the same character, so that a part of it shows at once if one was halved. */
const onlyOf = (character: string) => ({
  text: character.repeat(20),
  isWhole: (part: string) => part.replaceAll(character, '') === '',
});

describe.each([
  ['a family of three', FAMILY],
  ['a flag', FLAG],
  ['a letter with an accent of its own', ACCENT],
  ['a line end of two characters', '\r\n'],
  ['an emoji', '😀'],
  ['a Chinese character', '漢'],
])('no cut halves %s', (_name, character) => {
  const { text, isWhole } = onlyOf(character);

  test('at the end, by characters and by bytes', () => {
    for (let max = character.length; max <= text.length; max += 1) {
      const head = headOf(text, { chars: max });
      expect(isWhole(head)).toBe(true);
      expect(head.length).toBeLessThanOrEqual(max);
      expect(head.length).toBeGreaterThan(max - character.length);
    }
    for (let max = byteLength(character); max <= byteLength(text); max += 1) {
      const head = headOf(text, { bytes: max });
      expect(isWhole(head)).toBe(true);
      expect(byteLength(head)).toBeLessThanOrEqual(max);
      expect(byteLength(head)).toBeGreaterThan(max - byteLength(character));
    }
  });

  test('at the beginning', () => {
    for (let max = character.length; max <= text.length; max += 1) {
      const tail = tailOf(text, { chars: max });
      expect(isWhole(tail)).toBe(true);
      expect(tail.length).toBeLessThanOrEqual(max);
    }
  });
});

test('what fits stays as it is', () => {
  expect(headOf('text', { chars: 4 })).toBe('text');
  expect(headOf('漢字', { bytes: 6 })).toBe('漢字');
  expect(tailOf('text', { chars: 4 })).toBe('text');
  expect(shortened('text', 4)).toBe('text');
});

test('a cut is shown, and the sign counts', () => {
  expect(shortened('a long text', 6)).toBe('a lon…');
  expect(shortened(FAMILY.repeat(3), 12)).toBe(`${FAMILY}…`);
});

test('a character that is larger than the limit is cut between code points, and never to nothing', () => {
  const piled = `a${'\u0301'.repeat(50)}`;
  expect(headOf(piled, { chars: 10 })).toBe(piled.slice(0, 10));
  expect(headOf(piled, { bytes: 10 })).toBe(piled.slice(0, 5));
  expect(tailOf(piled, { chars: 10 })).toBe('\u0301'.repeat(10));
  expect(headOf(FAMILY, { chars: 1 })).toBe('👨');
  expect(headOf('😀', { bytes: 1 })).toBe('😀');
  expect(tailOf('x😀', { chars: 1 })).toBe('');
});
