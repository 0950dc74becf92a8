import { describe, expect, test } from 'vitest';
import { tableOf, wrapped } from '../../../src/cli/table.ts';
import { cutToWidth, widthOf } from '../../../src/text/width.ts';

describe('a table', () => {
  const columns = [{ head: 'NAME', narrowest: 6 }, { head: 'AGE' }, { head: 'WHY', narrowest: 4 }];
  const rows = [
    ['om_0123456789', '3m', 'a long reason'],
    ['王小明', '10d', ''],
  ];

  test('is aligned also where signs take two columns, and whole in a pipe', () => {
    expect(tableOf(columns, rows).split('\n')).toEqual([
      'NAME           AGE  WHY',
      'om_0123456789  3m   a long reason',
      '王小明         10d',
    ]);
  });

  test('takes from the widest column that may be cut, and from none below its least', () => {
    expect(tableOf(columns, rows, 28).split('\n')).toEqual([
      'NAME        AGE  WHY',
      'om_012345…  3m   a long rea…',
      '王小明      10d',
    ]);
    expect(tableOf(columns, rows, 5).split('\n')[1]).toBe('om_01…  3m   a l…');
  });
});

test('text is broken at spaces, and the lines after the first are indented', () => {
  const text = '  Turns  one two three four';
  expect(wrapped(text, { width: 16, indent: '         ' }).split('\n')).toEqual([
    '  Turns  one two',
    '         three',
    '         four',
  ]);
  expect(wrapped('averylongword after', { width: 5, indent: ' ' }).split('\n')).toEqual([
    'averylongword',
    ' after',
  ]);
});

test.each([
  ['abc', 3],
  ['王小明', 6],
  ['é́', 1],
  ['👍', 2],
])('%s takes %i columns', (text, columns) => {
  expect(widthOf(text)).toBe(columns);
});

test('what is cut keeps within its columns', () => {
  expect(cutToWidth('王小明', 4)).toBe('王…');
  expect(cutToWidth('王小明', 6)).toBe('王小明');
});
