import { expect, test } from 'vitest';
import { fileNotices } from '../../../src/bridge/texts/files.ts';
import {
  choices,
  notices,
  proofTexts,
  question,
  withFiles,
} from '../../../src/bridge/texts/texts.ts';

const TEXTS: Readonly<Record<string, string>> = {
  unsupported: notices.unsupported('image').text,
  unreadable: notices.unreadable().text,
  empty: notices.empty().text,
  emptyAnswer: notices.emptyAnswer().text,
  refused: notices.refused('no').text,
  unanswerable: notices.unanswerable().text,
  agentFailed: notices.agentFailed('no').text,
  timedOut: notices.timedOut().text,
  overdue: notices.overdue().text,
  next: notices.queued(0).text,
  queued: notices.queued(3).text,
  inDoubt: notices.inDoubt().text,
  offline: notices.offline().text,
  nothingMeant: notices.nothingMeant().text,
  notYours: notices.notYours({ canRetry: true }).text,
  buttonNotValid: notices.buttonNotValid().text,
  skipped: notices.skipped().text,
  undeliverable: notices.undeliverable().text,
  files: withFiles('', ['a.png']),
  filesLeftOut: fileNotices.leftOut([{ name: 'a.png', why: 'empty' }]).text,
  fileNotSent: fileNotices.notSent('a.png').text,
  input: question('input', ''),
  signIn: question('sign_in', ''),
  signInThere: question('sign_in', 'https://example.com'),
  ...Object.fromEntries(
    Object.entries(choices).flatMap(([name, show]) => {
      const { text, buttons } = show();
      return [
        [name, text],
        ...buttons.map(({ label, action }) => [`${name} ${action}`, label] as const),
      ];
    }),
  ),
  ...Object.fromEntries(
    Object.values(proofTexts)
      .flat()
      .map((text) => [text, text]),
  ),
};

test.each(Object.entries(TEXTS))('%s is said in English and in Chinese', (_name, text) => {
  expect(text).toMatch(/^[A-Za-z0-9]/);
  expect(text).toMatch(/\p{Script=Han}/u);
});

test('every notice is among them', () => {
  expect(Object.keys(notices).filter((name) => !(name in TEXTS))).toEqual([]);
});

test('a reason is told once', () => {
  const { text } = notices.agentFailed('It ended with code 3');
  expect(text.split('It ended with code 3.')).toHaveLength(2);
});
