import { describe, expect, test } from 'vitest';
import { parseCommented, withField } from '../../../src/files/commented-json.ts';

const TEXT = `// Ours
{
  // "hub_port": 1,
  "agent": "claude", // not "echo"
  /* "lang": "zh",
     "x": 1 */
  "hub_port": 4001,
  "url": "http://h/**/x,}",
}
`;

describe('a text with comments', () => {
  test('is read without them, and a last comma does no harm', () => {
    expect(parseCommented(TEXT)).toEqual({
      agent: 'claude',
      hub_port: 4001,
      url: 'http://h/**/x,}',
    });
  });

  test('names the place of a mistake as it is in the file', () => {
    const broken = TEXT.replace('4001,', '40 01,');
    expect(() => parseCommented(broken)).toThrow('line 7, column 18');
    expect(() => parseCommented('{ "a": 1 /* never closed')).toThrow('line 1');
  });
});

describe('a change of one value', () => {
  test('of one that is there leaves all else as it is', () => {
    expect(withField(TEXT, 'hub_port', 5000)).toBe(TEXT.replace(': 4001,', ': 5000,'));
    expect(withField(TEXT, 'agent', 'a"b')).toBe(TEXT.replace('"claude"', '"a\\"b"'));
  });

  test('adds and removes one', () => {
    const added = withField(TEXT, 'lang', 'en');
    expect(added).toBe(TEXT.replace(/\n\}\n$/, '\n  "lang": "en"\n}\n'));
    expect(withField(TEXT, 'hub_port', undefined)).toBe(TEXT.replace('  "hub_port": 4001,\n', ''));
    expect(withField(TEXT, 'none', undefined)).toBe(TEXT);
  });

  test.each(['{}', '{\n}\n', '{ "a": 1 }', '{ "a": 1, }', '{\n  "a": 1 // one\n}', '{ // none\n}'])(
    'whatever the text is like, the value is in it and the others stay: %j',
    (text) => {
      const before = parseCommented(text);
      const added = withField(text, 'b', 'x');
      expect(parseCommented(added)).toEqual({ ...before, b: 'x' });
      expect(parseCommented(withField(added, 'b', 2))).toEqual({ ...before, b: 2 });
      expect(parseCommented(withField(added, 'b', undefined))).toEqual(before);
      expect(parseCommented(withField(added, 'a', undefined))).toEqual({ b: 'x' });
    },
  );
});
