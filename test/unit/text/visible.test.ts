import { describe, expect, test } from 'vitest';
import { isBlank, visibleOf, withoutTerminalControls } from '../../../src/text/visible.ts';

const ESC = '\u001B';

describe('what steers a terminal is removed', () => {
  test.each([
    ['colours', `${ESC}[31mred${ESC}[0m`, 'red'],
    ['colours of 24 bits', `${ESC}[38;2;1;2;3mred${ESC}[m`, 'red'],
    ['a cursor that moves and a line that is erased', `${ESC}[2K${ESC}[1Adone`, 'done'],
    ['private modes', `${ESC}[?25lwork${ESC}[?25h`, 'work'],
    ['the title of a window', `${ESC}]0;the title\u0007text`, 'text'],
    [
      'a link, of which the words stay',
      `${ESC}]8;;https://a.b${ESC}\\here${ESC}]8;;${ESC}\\`,
      'here',
    ],
    ['a device string', `${ESC}Pq#0;2${ESC}\\text`, 'text'],
    ['a character set', `${ESC}(Btext`, 'text'],
    ['a keypad mode and a saved cursor', `${ESC}=${ESC}7text${ESC}8`, 'text'],
    ['sequences of one character', '\u009B31mred\u009B0m', 'red'],
    ['NUL, bell and delete', 'a\0b\u0007c\u007F', 'abc'],
    ['a sequence that is cut off', `text${ESC}[3`, 'text'],
    ['an escape by itself', `text${ESC}`, 'text'],
  ])('%s', (_what, text, left) => {
    expect(withoutTerminalControls(text)).toBe(left);
  });

  test('a title without an end does not take the text with it', () => {
    expect(withoutTerminalControls(`${ESC}]the answer\nmore`)).toBe(']the answer\nmore');
  });

  test('everything else stays byte for byte', () => {
    const text = ' \tline\r\n[31m 漢字 👨‍👩‍👧 ❤️ a\u200Bb \uFEFF[0m\u0085\u2028\uD800 ';
    expect(withoutTerminalControls(text)).toBe(text);
  });
});

describe('a text is blank if nothing of it can be seen', () => {
  test.each([
    ['nothing', ''],
    ['white space', ' \t\r\n\u00A0\u3000'],
    ['control sequences', `${ESC}[2J${ESC}[0m\n${ESC}]0;title\u0007`],
    ['zero-width spaces and joiners', '\u200B\u200C\u200D\u2060'],
    ['a byte order mark', '\uFEFF'],
    ['marks of direction', '\u200E\u200F\u202E\u2069'],
    ['fillers', '\u3164\u115F\uFFA0\u2800'],
    ['variation selectors and tags', '\uFE0F\u{E0020}\u{E0100}'],
    ['a soft hyphen', '\u00AD'],
    ['NUL', '\0'],
  ])('%s', (_what, text) => {
    expect(isBlank(text)).toBe(true);
  });

  test.each(['.', '漢', '❤️', '👨‍👩‍👧', `${ESC}[31m!${ESC}[0m`, '\u200B0'])('and %j is not', (text) => {
    expect(isBlank(text)).toBe(false);
  });
});

test('what is seen of a text has neither invisible characters nor white space around it', () => {
  expect(visibleOf(' \uFEFF/run\u200B\n')).toBe('/run');
});
