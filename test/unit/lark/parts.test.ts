import { describe, expect, test } from 'vitest';
import { openId } from '../../../src/core/ids.ts';
import type { Mention } from '../../../src/lark/inbound/content/mentions.ts';
import { parseParts } from '../../../src/lark/inbound/content/parts.ts';
import { random, text } from './captured.ts';

const BOT = openId('ou_bot');
const bot: Mention = { key: '@_user_1', openId: 'ou_bot', name: 'Bridge' };
const person = (number: number, name = `P${number}`): Mention => ({
  key: `@_user_${number}`,
  openId: `ou_${number}`,
  name,
});

function textPart(content: string, mentions: readonly Mention[] = []): string | undefined {
  const parts = parseParts({ messageType: 'text', json: text(content), mentions }, BOT);
  const [part] = parts ?? [];
  return part?.kind === 'text' ? part.text : undefined;
}

describe('mentions', () => {
  test("the bot's own mention is removed, with one space after it and no more", () => {
    expect(textPart('@_user_1 hello', [bot])).toBe('hello');
    expect(textPart('@_user_1   hello', [bot])).toBe('  hello');
    expect(textPart('@_user_1\n  indented', [bot])).toBe('\n  indented');
    expect(textPart('hi @_user_1 there', [bot])).toBe('hi there');
    expect(textPart('hi @_user_1', [bot])).toBe('hi ');
    expect(textPart('你好@_user_1你好', [bot])).toBe('你好你好');
  });

  test('other mentions become names', () => {
    expect(
      textPart('@_user_1 ask @_user_2 and @_user_3.', [bot, person(2, 'Ann'), person(3, 'Bo B')]),
    ).toBe('ask @Ann and @Bo B.');
  });

  test('@_user_1 is never found inside @_user_10', () => {
    const all = Array.from({ length: 12 }, (_, at) => person(at + 1));
    const written = all.map(({ key }) => key).join(' ');
    expect(textPart(written, all)).toBe(all.map(({ name }) => `@${name}`).join(' '));
  });

  test('a placeholder without a mention stays', () => {
    expect(textPart('print("@_user_7") @_user_10 @_all', [bot])).toBe(
      'print("@_user_7") @_user_10 @_all',
    );
  });

  test('a name that looks like a placeholder is not replaced again', () => {
    expect(textPart('@_user_2 @_user_3', [person(2, '@_user_3'), person(3, 'Cy')])).toBe(
      '@@_user_3 @Cy',
    );
  });

  test('a name is one line that shows itself, whatever is in it', () => {
    const names = ['A\nB', '<at user_id="all">x</at>', '{0}', '\u202Eevil', 'a\u2028b', '\u200B'];
    const all = names.map((name, at) => person(at + 2, name));
    const written = all.map(({ key }) => key).join('|');
    expect(textPart(written, all)).toBe('@A B|@<at user_id="all">x</at>|@{0}|@evil|@a b|@ou_7');
  });

  test('who has no name that can be seen is called by the id, also in a post', () => {
    const mentions = [person(2, '\u200B'), { ...person(3, ''), openId: undefined }];
    expect(textPart('@_user_2 and @_user_3', mentions)).toBe('@ou_2 and @_user_3');
    const at = { tag: 'at', user_id: '@_user_2', user_name: '' };
    const json = JSON.stringify({ title: '', content: [[at]] });
    expect(parseParts({ messageType: 'post', json, mentions }, undefined)).toEqual([
      { kind: 'text', text: '@ou_2' },
    ]);
  });

  test("while the bot's id is unknown, no mention counts as its own", () => {
    const mentions = [{ ...bot, openId: undefined }];
    const content = { messageType: 'text', json: text('@_user_1 x'), mentions };
    expect(parseParts(content, undefined)).toEqual([{ kind: 'text', text: '@Bridge x' }]);
  });
});

describe('text', () => {
  test.each(['  two\n\tspaces  ', 'a\r\n\r\nb ', '```\n  code\n```', '\u3000全角', ''])(
    'survives byte for byte: %j',
    (written) => {
      expect(textPart(written)).toBe(written);
    },
  );

  test('U+0000 becomes U+FFFD, because the database would cut the text there', () => {
    expect(textPart('a\0b\0')).toBe('a\uFFFDb\uFFFD');
  });

  test.each(['', 'no json', '[]', 'null', '{}', '{"text":1}', '"text"'])(
    'content %j is not a text',
    (json) => {
      expect(parseParts({ messageType: 'text', json, mentions: [] }, BOT)).toBeUndefined();
    },
  );

  test('LCM-IN-06: types that nobody knows are named', () => {
    expect(parseParts({ messageType: 'hologram', json: '{}', mentions: [bot] }, BOT)).toEqual([
      { kind: 'unsupported', messageType: 'hologram' },
    ]);
  });

  test('halves of characters become U+FFFD, because they can not be sent on', () => {
    expect(textPart('a\uD83D b \uDE00 \u{1F600}')).toBe('a\uFFFD b \uFFFD \u{1F600}');
  });
});

test.each([1, 2, 3, 4, 5, 6, 7, 8])('any text around any mentions survives (SEED=%i)', (seed) => {
  const next = random(seed);
  const draw = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)] as T;
  const mentions = Array.from({ length: 15 }, (_, at) =>
    person(at + 1, draw(['Ann', '李', '@_user_2'])),
  );
  mentions[0] = bot;
  for (let round = 0; round < 200; round++) {
    let written = '';
    let expected = '';
    for (let piece = 0; piece < 8; piece++) {
      if (next() < 0.5) {
        const mentioned = draw(mentions);
        // A letter after it, so that neither a space nor a digit belongs to the placeholder.
        written += `${mentioned.key}x`;
        expected += mentioned === bot ? 'x' : `@${mentioned.name}x`;
      } else {
        const plain = draw([
          ' ',
          '\n',
          '\t  ',
          'code {',
          '@',
          '@_user_',
          '@_user_99 ',
          '你好',
          '_1',
        ]);
        // "@_user_" and what comes next could make up a placeholder that nobody wrote.
        const safe =
          /@_?\w*$/.test(written) || plain.endsWith('@') || plain === '@_user_' ? '|' : '';
        written += `${safe}${plain}${safe}`;
        expected += `${safe}${plain}${safe}`;
      }
    }
    expect(textPart(written, mentions)).toBe(expected);
  }
});
