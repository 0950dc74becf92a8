/** What people type is a command, a mistyped command, or a message for the agent. */
import { describe, expect, test } from 'vitest';
import { parseCommand } from '../../../../src/bridge/commands/parse.ts';
import { allWords, COMMAND_NAMES } from '../../../../src/bridge/commands/table.ts';
import { message } from '../samples.ts';

const WORDS = allWords('/');

const typed = (text: string, words = WORDS) =>
  parseCommand({ ...message, parts: [{ kind: 'text', text }] }, words);

test.each(COMMAND_NAMES)('/%s is a command, in any case and as full-width forms', (name) => {
  const wide = Array.from(`/${name}`, (sign) => String.fromCharCode(sign.charCodeAt(0) + 0xfee0));
  const forms = [`/${name}`, `/${name.toUpperCase()}`, wide.join(''), wide.join('').toUpperCase()];
  for (const text of forms) {
    expect(typed(text)).toEqual({ kind: 'command', name, argument: '' });
  }
});

describe('the rest of the message is the argument', () => {
  test.each([
    ['/lang zh', 'zh'],
    ['/lang　zh', 'zh'],
    ['/lang\nzh', 'zh'],
    ['/lang\r\n zh\nand more ', 'zh\nand more'],
    ['  /LANG\tZH', 'ZH'],
  ])('%j', (text, argument) => {
    expect(typed(text)).toEqual({ kind: 'command', name: 'lang', argument });
  });
});

test('invisible characters anywhere around and in the word are forgiven (SEED=7 draws others)', () => {
  const invisible = [
    '\u200B',
    '\u200D',
    '\uFEFF',
    '\u2060',
    '\u00AD',
    '\u202E',
    '\u2066',
    '\u0000',
    '\u3164',
  ];
  let state = Number(process.env['SEED'] ?? 1);
  const draw = (below: number) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  for (let round = 0; round < 2_000; round += 1) {
    const name = COMMAND_NAMES[draw(COMMAND_NAMES.length)] ?? 'help';
    const signs = Array.from(`/${name}`).flatMap((sign) => {
      const more = Array.from({ length: draw(3) }, () => invisible[draw(invisible.length)] ?? '');
      return draw(2) === 0 ? [...more, sign] : [sign, ...more];
    });
    const text = `${' '.repeat(draw(3))}${signs.join('')}${'\n'.repeat(draw(3))}`;
    expect(typed(text), JSON.stringify(text)).toEqual({ kind: 'command', name, argument: '' });
  }
});

describe('a mistyped command gets a hint with the nearest one', () => {
  test.each([
    ['/stpo', 'stop'],
    ['/sotp', 'stop'],
    ['/halp', 'help'],
    ['/hlep me', 'help'],
    ['/statsu', 'status'],
    ['/stauts', 'status'],
    ['/whomai', 'whoami'],
    ['/retyr', 'retry'],
    ['／ｓｔｏｐｐ', 'stop'],
    ['/recconect', 'reconnect'],
  ])('%s: %s', (text, nearest) => {
    expect(typed(text)).toMatchObject({ kind: 'mistyped', nearest: `/${nearest}` });
  });
});

test.each([
  '/etc/passwd',
  '/compact',
  '/compact now',
  '/',
  '//stop',
  'stop',
  'please /stop',
  '/停止',
  '/stop/now',
  '/x',
  `/${'stop'.repeat(40_000)}`,
  '',
])('any other word goes to the agent: %j', (text) => {
  expect(typed(text)).toBeUndefined();
});

test('another prefix takes the place of the slash', () => {
  for (const prefix of ['!', '！', '!!', '//']) {
    const words = allWords(prefix);
    expect(typed(`${prefix}stop`, words)).toEqual({ kind: 'command', name: 'stop', argument: '' });
    expect(typed('/stop', words)).toBeUndefined();
  }
  expect(typed('！stop', allWords('!'))).toMatchObject({ kind: 'command', name: 'stop' });
});

test('a word that this bridge can not carry out goes to the agent', () => {
  const words = { prefix: '/', names: new Set(['stop', 'help'] as const) };
  expect(typed('/doctor', words)).toBeUndefined();
  expect(typed('/doctro', words)).toBeUndefined();
});

test('a message with more than text is for the agent', () => {
  const parts = [
    { kind: 'text', text: '/stop' },
    { kind: 'resource', resource: { kind: 'image', key: 'img_1' } },
  ] as const;
  expect(parseCommand({ ...message, parts }, WORDS)).toBeUndefined();
});
