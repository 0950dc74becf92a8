/** The names of emoji: Lark refuses any other for good. */
import { expect, test } from 'vitest';
import { emojiNamed } from '../../../../src/lark/content/emojis.ts';
import { EMOJIS } from '../../../../src/sim/api/emojis.ts';

test('every emoji of Lark is known by its name, in any case', () => {
  for (const name of EMOJIS) {
    expect(emojiNamed(name)).toBe(name);
    expect(emojiNamed(` ${name.toLowerCase()} `)).toBe(name);
  }
});

test.each(['', '👍', ':thumbsup:', 'constructor', 'OK DONE'])('%j is no emoji of Lark', (name) => {
  expect(emojiNamed(name)).toBeUndefined();
});
