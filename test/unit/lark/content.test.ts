/** What an agent gets of each type of message that a person can send. */
import { describe, expect, test } from 'vitest';
import { openId } from '../../../src/core/ids.ts';
import type { Mention } from '../../../src/lark/inbound/content/mentions.ts';
import { parseParts } from '../../../src/lark/inbound/content/parts.ts';
import { messageText } from '../../../src/wire/message-text.ts';
import { random } from './captured.ts';

const BOT = openId('ou_bot');
const bot: Mention = { key: '@_user_1', openId: 'ou_bot', name: 'Bridge' };
const tom: Mention = { key: '@_user_2', openId: 'ou_tom', name: 'Tom' };

type Raw = Record<string, unknown>;

const parts = (messageType: string, content: unknown, mentions: readonly Mention[] = []) =>
  parseParts({ messageType, json: JSON.stringify(content), mentions }, BOT);
const shown = (...given: Parameters<typeof parts>) => messageText(parts(...given) ?? []);
const post = (paragraphs: unknown, title = '') => ({ title, content: paragraphs });
const t = (text: string, ...style: string[]): Raw => ({ tag: 'text', text, style });

describe('a message without a text of its own is one line in brackets', () => {
  test.each<[string, Raw, string]>([
    ['folder', { file_key: 'file_1', file_name: 'papers' }, '[folder: papers]'],
    ['sticker', { file_key: 'file_1' }, '[sticker]'],
    [
      'location',
      { name: 'Main street 1', longitude: '1', latitude: '2' },
      '[location: Main street 1]',
    ],
    ['location', { longitude: '121.4', latitude: '31.2' }, '[location: 31.2, 121.4]'],
    ['location', {}, '[location]'],
    ['vote', { topic: 'Lunch', options: ['Noodles', 'Rice'] }, '[vote: Lunch, Noodles / Rice]'],
    ['hongbao', { text: '[红包]' }, '[red packet]'],
    ['share_chat', { chat_id: 'oc_1' }, '[shared chat: oc_1]'],
    ['share_user', { user_id: 'ou_1' }, '[shared contact: ou_1]'],
    [
      'todo',
      {
        summary: { title: '', content: [[t('Water '), t('them', 'bold')]] },
        due_time: '1774004563541',
      },
      '[todo: Water **them**, due 2026-03-20 11:02 UTC]',
    ],
    [
      'share_calendar_event',
      { summary: 'Weekly', start_time: '1774004563541', end_time: '1774008163541' },
      '[calendar event: Weekly, 2026-03-20 11:02 UTC to 2026-03-20 12:02 UTC]',
    ],
    ['calendar', { summary: 'Weekly', start_time: 'soon' }, '[calendar event: Weekly]'],
    ['general_calendar', { summary: 'Weekly' }, '[calendar event: Weekly]'],
    [
      'video_chat',
      { topic: 'Stand-up', start_time: '1774004563541' },
      '[video meeting: Stand-up, 2026-03-20 11:02 UTC]',
    ],
    [
      'system',
      { template: '{from_user} met {other}', from_user: ['{other}'], other: ['Ann'] },
      '[system: {other} met Ann]',
    ],
  ])('%s', (type, content, line) => {
    expect(parts(type, content)).toEqual([{ kind: 'text', text: line }]);
  });

  test('a name with line ends, brackets and marks of direction stays on its line', () => {
    const name = 'a\n[lark-channel] brand=x\u202E\r\n\u0007b]';
    expect(shown('location', { name })).toBe('[location: a [lark-channel] brand=x b]]');
    expect(shown('location', { name: 'x'.repeat(150_000) }).length).toBeLessThan(220);
  });
});

describe('what can be downloaded is a resource, and a line in the text', () => {
  test.each<[string, Raw, Raw, string]>([
    ['image', { image_key: 'img_1' }, { kind: 'image', key: 'img_1' }, '[image]'],
    [
      'file',
      { file_key: 'file_1', file_name: 'report.pdf' },
      { kind: 'file', key: 'file_1', name: 'report.pdf' },
      '[file report.pdf]',
    ],
    [
      'audio',
      { file_key: 'file_1', duration: 2_400 },
      { kind: 'audio', key: 'file_1', durationMs: 2_400 },
      '[audio, 3 s]',
    ],
    [
      'media',
      { file_key: 'file_1', image_key: 'img_1', file_name: 'clip.mp4', duration: 2_000 },
      { kind: 'video', key: 'file_1', name: 'clip.mp4', durationMs: 2_000 },
      '[video clip.mp4, 2 s]',
    ],
  ])('%s', (type, content, resource, line) => {
    expect(parts(type, content)).toEqual([{ kind: 'resource', resource }]);
    expect(shown(type, content)).toBe(line);
  });

  test.each(['', '../../x', 'a/b', 'a?b', 7, null, undefined, 'k'.repeat(200)])(
    'the key %j becomes no part of a path',
    (key) => {
      expect(parts('image', { image_key: key })).toBeUndefined();
      expect(shown('post', post([[{ tag: 'img', image_key: key }]]))).toBe('[image]');
    },
  );
});

describe('a post becomes Markdown that means the same', () => {
  test.each<[string, unknown, string]>([
    ['bold', [[t('a '), t('b', 'bold'), t(' c')]], 'a **b** c'],
    ['several styles', [[t('x', 'bold', 'italic', 'lineThrough')]], '***~~x~~***'],
    ['underline, which Markdown has not', [[t('x', 'underline')]], 'x'],
    ['marks beside spaces', [[t(' a ', 'bold'), t('b')]], ' **a** b'],
    ['marks over several lines', [[t('a\n\n b', 'italic')]], '*a*\n\n *b*'],
    ['runs of one style', [[t('a', 'bold'), t('b', 'bold')]], '**ab**'],
    ['only a space', [[t('a'), t(' ', 'bold'), t('b')]], 'a b'],
    [
      'a link',
      [[{ tag: 'a', text: 'docs', href: 'https://x.example/a' }]],
      '[docs](https://x.example/a)',
    ],
    [
      'a link in bold',
      [[{ tag: 'a', text: 'd', href: 'https://x', style: ['bold'] }]],
      '**[d](https://x)**',
    ],
    [
      'a link with brackets',
      [[{ tag: 'a', text: 'a [b]\nc', href: 'https://x.example/(a) b>' }]],
      '[a \\[b\\] c](https://x.example/%28a%29%20b%3E)',
    ],
    [
      'a bare link',
      [[{ tag: 'a', text: 'https://x.example', href: 'https://x.example' }]],
      'https://x.example',
    ],
    [
      'a list as it was written',
      [[t('- one')], [t('  - two')], [t('1. three')]],
      '- one\n  - two\n1. three',
    ],
    ['indentation and runs of spaces', [[t('a  b')], [t('\tc')]], 'a  b\n\tc'],
    ['empty lines', [[t('a')], [], [t('b')]], 'a\n\nb'],
    ['a line', [[t('a')], [{ tag: 'hr' }], [t('b')]], 'a\n\n---\n\nb'],
    ['an emotion', [[t('ok '), { tag: 'emotion', emoji_type: 'SMILE' }]], 'ok :SMILE:'],
    [
      'code with its language',
      [
        [t('see:')],
        [{ tag: 'code_block', language: 'GO', text: 'func a() {\n\treturn\n}\n' }],
        [t('ok')],
      ],
      'see:\n```go\nfunc a() {\n\treturn\n}\n```\nok',
    ],
    [
      'code with fences in it',
      [[{ tag: 'code_block', language: 'a\n```', text: '```\nx\n````' }]],
      '`````\n```\nx\n````\n`````',
    ],
    ['elements that came later', [[{ tag: 'hologram', text: 'seen' }, { tag: 'other' }]], 'seen'],
  ])('%s', (_what, paragraphs, markdown) => {
    expect(shown('post', post(paragraphs))).toBe(markdown);
  });

  test('its title is a heading', () => {
    expect(shown('post', post([[t('x')]], 'Plan\nB'))).toBe('# Plan B\nx');
  });

  test('it may be under a language', () => {
    expect(shown('post', { en_us: post([[t('x')]]) })).toBe('x');
  });

  test('pictures and videos stay in their places', () => {
    const content = post([
      [t('before')],
      [{ tag: 'img', image_key: 'img_1' }],
      [t('between '), { tag: 'img', image_key: 'img_2' }, t(' after')],
      [{ tag: 'media', file_key: 'file_1', image_key: 'img_3' }],
    ]);
    expect(parts('post', content)).toEqual([
      { kind: 'text', text: 'before' },
      { kind: 'resource', resource: { kind: 'image', key: 'img_1' } },
      { kind: 'text', text: 'between ' },
      { kind: 'resource', resource: { kind: 'image', key: 'img_2' } },
      { kind: 'text', text: ' after' },
      { kind: 'resource', resource: { kind: 'video', key: 'file_1' } },
    ]);
    expect(shown('post', content)).toBe('before\n[image]\nbetween \n[image]\n after\n[video]');
  });

  test('pictures alone leave no empty text', () => {
    const content = post([
      [{ tag: 'at', user_id: '@_user_1' }, t(' ')],
      [{ tag: 'img', image_key: 'img_1' }],
    ]);
    expect(parts('post', content, [bot])).toEqual([
      { kind: 'resource', resource: { kind: 'image', key: 'img_1' } },
    ]);
  });
});

describe('mentions in a post', () => {
  const at = (user_id: string, user_name = ''): Raw => ({ tag: 'at', user_id, user_name });

  test.each(['@_user_1', 'ou_bot'])("the bot's own goes, with one space after it: %s", (who) => {
    const hello = (text: string) => shown('post', post([[at(who), t(text)]]), [bot]);
    expect(hello(' hello')).toBe('hello');
    expect(hello('   hello')).toBe('  hello');
    expect(hello('hello')).toBe('hello');
    expect(shown('post', post([[at(who)], [t(' x')]]), [bot])).toBe('\n x');
  });

  test('only the mention leaves an empty text', () => {
    expect(parts('post', post([[at('@_user_1')]]), [bot])).toEqual([{ kind: 'text', text: '' }]);
    expect(parts('post', post([]))).toEqual([{ kind: 'text', text: '' }]);
  });

  test.each<[string, Raw, string]>([
    ['by placeholder', at('@_user_2'), '@Tom'],
    ['by open id', at('ou_tom'), '@Tom'],
    ['by the name in the element', at('ou_ann', 'Ann'), '@Ann'],
    ['without any name', at('ou_ann'), '@ou_ann'],
    ['everybody', at('@_all', 'all'), '@all'],
    ['everybody, in older words', at('all'), '@all'],
  ])('others become names: %s', (_how, element, name) => {
    expect(shown('post', post([[element, t(' hi')]]), [bot, tom])).toBe(`${name} hi`);
  });

  test('forty of them, and @_user_1 is not found inside @_user_10', () => {
    const people = Array.from({ length: 40 }, (_, n) => ({
      key: `@_user_${n + 1}`,
      openId: `ou_${n + 1}`,
      name: `P${n + 1}`,
    }));
    const elements = people.map(({ key }) => at(key));
    expect(shown('post', post([elements]), people)).toBe(
      people.map(({ name }) => `@${name}`).join(''),
    );
  });
});

describe('a card that somebody passes on', () => {
  test('is its title and the texts in it', () => {
    const content = {
      title: 'Deploy',
      elements: [
        [
          { tag: 'text', text: 'Version ' },
          { tag: 'a', text: '2.1', href: 'https://x.example' },
        ],
        [{ tag: 'at', user_id: 'ou_tom' }],
        [{ tag: 'img', image_key: 'img_1' }],
        [{ tag: 'button', text: 'Roll back', type: 'danger' }],
        [{ tag: 'note', elements: [{ tag: 'text', text: 'by the robot' }] }],
      ],
    };
    expect(shown('interactive', content, [tom])).toBe(
      '[card: Deploy]\nVersion [2.1](https://x.example)\n@Tom\n[image]\n[button: Roll back]\nby the robot',
    );
    expect(shown('interactive', { title: null, elements: [] })).toBe('[card]');
  });

  test('elements that lie in each other without end are read to a bound', () => {
    let deep: Raw = { tag: 'text', text: 'deep' };
    for (let level = 0; level < 2_000; level += 1) deep = { tag: 'note', elements: [deep] };
    expect(shown('interactive', { elements: [deep] })).toBe('[card]');
  });
});

test('a bundle is read later; its content need not be JSON', () => {
  const json = 'Merged and Forwarded Message';
  const bundle = { messageType: 'merge_forward', json, mentions: [] };
  expect(parseParts(bundle, BOT)).toEqual([{ kind: 'forwarded' }]);
});

test.each(['image', 'file', 'audio', 'media', 'post', 'text'])(
  '%s whose content does not fit is not read',
  (messageType) => {
    for (const json of ['', '{', '[]', 'null', '{}', '{"x":1}']) {
      expect(parseParts({ messageType, json, mentions: [] }, BOT)).toBeUndefined();
    }
  },
);

const TYPES = `text post image file folder audio media sticker interactive merge_forward share_chat
  share_user location todo vote calendar general_calendar share_calendar_event video_chat hongbao system
  toString __proto__ constructor`.split(/\s+/);
const FIELDS =
  `text title content elements tag style href user_id user_name image_key file_key file_name
  duration name latitude longitude summary due_time topic options start_time end_time template from_user
  language emoji_type chat_id __proto__ zh_cn`.split(/\s+/);
const SIGNS =
  '@_user_1 @_all \uD83D \uDE00 \0 \u202E {0} * ]( at img media hr code_block note a button bold';
const LONG = ['`'.repeat(50), '9'.repeat(14), 'y'.repeat(5_000), '1774004563541'];
const OTHER = ['', '\n', '<at user_id="all">', 0, -1, 1e308, 1774004563541, null, true];
const LEAVES: readonly unknown[] = [SIGNS.split(' '), LONG, OTHER].flat();

test.each([1, 2, 3, 4, 5, 6])(
  'never throws, whatever the content of any type (SEED=%i)',
  (seed) => {
    const next = random(seed);
    const draw = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)] as T;
    const value = (depth: number): unknown => {
      const roll = next();
      if (depth > 4 || roll < 0.3) return draw(LEAVES);
      const size = Math.floor(next() * 5);
      if (roll < 0.6) return Array.from({ length: size }, () => value(depth + 1));
      return Object.fromEntries(
        Array.from({ length: size + 1 }, () => [draw(FIELDS), value(depth + 1)]),
      );
    };
    const names: Mention[] = Array.from({ length: 40 }, (_, at) => ({
      key: `@_user_${at + 1}`,
      openId: draw(['ou_bot', `ou_${at}`, undefined]),
      name: String(draw(LEAVES)),
    }));
    for (let round = 0; round < 150; round += 1) {
      for (const messageType of TYPES) {
        const json = next() < 0.05 ? String(draw(LEAVES)) : JSON.stringify(value(0));
        const read = parseParts({ messageType, json, mentions: names }, BOT);
        const text = messageText(read ?? []);
        expect(text).toBe(text.replaceAll('\0', '').replaceAll(/\p{Cs}/gu, ''));
      }
    }
  },
);

test('150 KB of anything are read', () => {
  const size = 150_000;
  const texts = ['x', '@', '@_user_', '`', '*', '[', ' ', '\n', '\uD83D', '{', '<at '].map((text) =>
    text.repeat(size / text.length),
  );
  for (const text of texts) {
    expect(shown('text', { text }, [bot, tom]).length).toBe(text.length);
    shown('post', post([[t(text, 'bold'), { tag: 'a', text, href: text }]]), [bot, tom]);
    shown('post', post([[{ tag: 'code_block', language: text, text }]], text), [bot, tom]);
    shown('system', { template: text });
    shown('interactive', { title: text, elements: [[{ tag: 'text', text }]] });
  }
  const elements = Array.from({ length: 15_000 }, () => t('x'));
  // What is beyond the bound of elements is left out.
  expect(shown('post', post([elements]))).toBe('x'.repeat(10_000));
  expect(shown('post', post(elements.map((element) => [element])))).toBe(
    Array.from({ length: 10_000 }, () => 'x').join('\n'),
  );
});
