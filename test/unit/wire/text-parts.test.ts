import { expect, test } from 'vitest';
import { textOfParts } from '../../../src/wire/text-parts.ts';

test('MOL-RES-01: the texts of a message are joined, in the forms of all versions', () => {
  const parts = [
    { kind: 'text', text: 'one' },
    { type: 'text', text: 'two' },
    { text: 'three' },
    { kind: 'text', text: '' },
    { kind: 'data', text: 'no' },
    { kind: 'text', text: 4 },
    null,
  ];
  expect(textOfParts(parts)).toBe('one\ntwo\nthree');
});

test.each([undefined, null, 'text', {}])('%j has no parts, so it has no text', (parts) => {
  expect(textOfParts(parts)).toBe('');
});
