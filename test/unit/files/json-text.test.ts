/** A JSON file that people edit: where it goes wrong is said, and nothing of it is quoted. */
import { describe, expect, test } from 'vitest';
import { parseJsonObject } from '../../../src/files/json-text.ts';

function faultOf(text: string): string {
  try {
    parseJsonObject(text);
  } catch (error) {
    expect(error).toBeInstanceOf(SyntaxError);
    return (error as SyntaxError).message;
  }
  return expect.fail(`nothing is wrong with ${text}`);
}

test('a byte order mark is no fault', () => {
  expect(parseJsonObject('\uFEFF{"a": 1}')).toEqual({ a: 1 });
});

describe('line and column of a fault', () => {
  test.each([
    ['a comma too much', '{\n  "agent": "claude",\n}\n', 'line 3, column 1'],
    ['a comma that is missing', '{\n  "a": 1\n  "b": 2\n}', 'line 3, column 3'],
    ['a comma too much in a list', '{"a": [1, 2,]}', 'line 1, column 13'],
    ['single quotes', "{\n  'a': 1\n}", 'line 2, column 3'],
    ['no quotes', '{"a": the-secret}', 'line 1, column 7'],
    ['a text that is not closed', '{\n"a": "the-secret\n}', 'line 2, column 6'],
    ['a wrong escape', String.raw`{"a": "\d"}`, 'line 1, column 7'],
    ['a colon that is missing', '{"a" 1}', 'line 1, column 6'],
    ['a wrong bracket', '{"a": [1}', 'line 1, column 9'],
    ['more behind the end', '{"a": 1} x', 'line 1, column 10'],
    ['a number with a zero before it', '{"a": 01}', 'line 1, column 8'],
    ['characters of two units before it', '{"a😀😀": x}', 'line 1, column 9'],
    ['a comment', '{\r\n  // no\r\n}', 'line 2, column 3'],
    ['a byte order mark before', '\uFEFF{,}', 'line 1, column 2'],
  ])('%s', (_name, text, place) => {
    expect(faultOf(text)).toBe(`it is not JSON: ${place}`);
    expect(() => JSON.parse(text) as unknown).toThrow();
  });

  test.each([
    ['', 'line 1, column 1'],
    ['{"a": 1,\n', 'line 2, column 1'],
    ['{"a": [{"b": null', 'line 1, column 18'],
  ])('%j ends too early', (text, place) => {
    expect(faultOf(text)).toBe(`it is not JSON: it ends too early, at ${place}`);
  });

  test.each(['[]', '"the-secret"', '7', 'null'])('%j is no object', (text) => {
    expect(faultOf(text)).toBe('it is not a JSON object: line 1, column 1');
  });
});
