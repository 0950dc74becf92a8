/** What people see beside the table of texts: whether anything of it is in English alone. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { COMMAND_NAMES } from '../../../src/bridge/commands/table.ts';
import { asSeen } from '../../../src/bridge/texts/seen.ts';
import { commandNotices, help, queue } from '../../../src/bridge/texts/commands.ts';
import { notices } from '../../../src/bridge/texts/texts.ts';
import { queueOf } from '../../../src/bridge/commands/queue-view.ts';
import { withQuote } from '../../../src/bridge/outbox/drafts.ts';
import type { Part } from '../../../src/core/message.ts';
import { turnId } from '../../../src/core/ids.ts';
import { messageText } from '../../../src/wire/message-text.ts';
import { message } from './samples.ts';

const SRC = join(import.meta.dirname, '../../../src');

function sources(folder: string): { name: string; code: string }[] {
  return readdirSync(join(SRC, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const text = readFileSync(join(SRC, folder, name), 'utf8');
      return { name: `${folder}/${name}`, code: text.replaceAll(/\/\*[^]*?\*\/|\/\/.*$/gm, '') };
    });
}

const LITERAL = /'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\\n]|\\.)*)`/g;

/** Literals of two words or more. */
function sentencesIn(code: string): string[] {
  return [...code.matchAll(LITERAL)]
    .map(([, single, double, template]) => single ?? double ?? template ?? '')
    .filter((words) => /[A-Za-z]{2,},? [a-z]{2,}/.test(words.replaceAll(/\$\{.*?\}|<.*?>/g, '')));
}

test('the forms in which Lark shows what the bridge says have no sentence of their own', () => {
  const found = sources('lark/content').flatMap(({ name, code }) =>
    // Lark's names of programming languages.
    name.endsWith('/signs.ts') ? [] : sentencesIn(code).map((words) => `${name}: ${words}`),
  );
  expect(found).toEqual([]);
});

/** They go to the log or into an error. */
const NOT_SHOWN = [
  'in doubt, ',
  'no bridge runs to act on it',
  'Let people in with `lark-bridge pairing approve`.',
  'there is no card',
  'there are no cards',
  'an update of the card is under way',
  'the card was not sent',
  'a card that was not sent can not be changed',
  'this Lark takes no files',
  'Run: lark-bridge connect',
];

test.each(['outbox', 'live', 'commands', 'questions', 'intake'])(
  'src/bridge/%s has no sentence beside the table of texts',
  (folder) => {
    const found = sources(`bridge/${folder}`).flatMap(({ code }) =>
      // The table of commands has both languages, and is looked at with the texts.
      sentencesIn(code.replaceAll(/\ben: '.*',|\bzh: '.*',/g, '')),
    );
    expect(found.filter((words) => !NOT_SHOWN.includes(words))).toEqual([]);
  },
);

test('what the hub and its agents say about a failed turn is in the table of such sentences', () => {
  const found = ['agents', 'hub/domain', 'platform'].flatMap((folder) =>
    sources(folder).flatMap(({ name, code }) =>
      [...code.matchAll(/reason: '\w+',\s*detail: (['"`].*)/g)].map(([, words]) => {
        return `${name}: ${words}`;
      }),
    ),
  );
  expect(found).toEqual([]);
});

test('a program that could not get its files is told of in Chinese too', () => {
  const { zh } = notices.agentFailed(
    "The agent's program could not be given the files of the message.",
  ).text;
  expect(zh.replace('/retry', '')).not.toMatch(/[A-Za-z]/);
});

test('what can be typed after a command is named in Chinese too', () => {
  const shown = [
    help(COMMAND_NAMES, '/').text.zh,
    ...(['allow', 'block', 'revoke'] as const).map(
      (name) => commandNotices.usage(name, '/').text.zh,
    ),
    commandNotices.usageAlone('allow', '/').text.zh,
  ];
  expect(shown.join('\n')).not.toMatch(/name|CODE/);
});

const PARTS: readonly Part[] = [
  { kind: 'resource', resource: { kind: 'image', key: 'k', name: 'a.png' } },
  { kind: 'resource', resource: { kind: 'audio', key: 'k', durationMs: 2_500 } },
  { kind: 'resource', resource: { kind: 'file', key: 'k', name: 'b' }, missing: 'it is gone' },
  { kind: 'forwarded' },
  { kind: 'unsupported', messageType: 'hologram' },
  { kind: 'text', text: '[location: Main street 1]' },
];

describe('what a message has beside its words', () => {
  test('is named in the language of the person', () => {
    expect(asSeen(messageText(PARTS))).toEqual({
      en: messageText(PARTS),
      zh: [
        '[图片 a.png]',
        '[语音，3 秒]',
        '[文件 b] [未取得]',
        '[转发的消息]',
        '[无法识别的消息：hologram]',
        '[位置：Main street 1]',
      ].join('\n'),
    });
  });

  test('the words of the person stay, also those in brackets', () => {
    const words = 'see [the file] and [image](https://0/)\n[x] done\n[filed]';
    expect(asSeen(words)).toEqual({ en: words, zh: words });
  });

  test('each kind of line in brackets that the bridge makes has a Chinese name', () => {
    const made = sources('lark/inbound/content').flatMap(({ code }) =>
      [...code.matchAll(/(?:bracketed|linePart)\(\s*'([^']+)'|'\[([^\]$'…]+)\]'/g)].map(
        ([, kind, line]) => kind ?? line ?? '',
      ),
    );
    expect(made.length).toBeGreaterThan(12);
    for (const kind of new Set([...made, 'image', 'file', 'audio', 'video'])) {
      expect([kind, asSeen(`[${kind}]`).zh]).toEqual([
        kind,
        expect.stringMatching(/^\[\P{L}*\p{Script=Han}+\]$/u),
      ]);
    }
  });

  test('in the list of what waits', () => {
    const turn = {
      id: turnId('om_1'),
      seq: 1,
      message: { ...message, parts: PARTS.slice(0, 1) },
      receivedAtMs: 0,
      run: 1,
      state: { phase: 'waiting', attempt: 0, notBeforeMs: 0 },
    } as const;
    const { zh, en } = queue(queueOf([turn], 0)).text;
    expect(zh).toContain('[图片 a.png]');
    expect(en).toContain('[image a.png]');
  });

  test('in the quote of a message that is gone', () => {
    const asked = { ...message, parts: PARTS.slice(0, 1) };
    const content = { kind: 'notice', text: '好' } as const;
    expect(withQuote(content, { asked, lang: 'zh' })).toBe('> [图片 a.png]\n好');
  });
});
