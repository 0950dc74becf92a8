import { expect, test } from 'vitest';
import { reasonText } from '../../../src/bridge/texts/reasons.ts';
import { meaningOf } from '../../../src/files/system-errors.ts';
import {
  failureCodeOf,
  failureSentence,
  FAILURE_CODES,
  noAnswerWithin,
} from '../../../src/wire/failure-sentences.ts';

const HAN = /\p{Script=Han}/u;

test.each(FAILURE_CODES)('%s is said in each language by a whole sentence', (code) => {
  const { en, zh } = reasonText(failureSentence(code, 7));
  expect(en).toMatch(/\.$/);
  expect(en).not.toMatch(HAN);
  expect(zh).toMatch(/。$/);
  expect(zh.replace(' MB', '')).not.toMatch(/[A-Za-z]|\{/);
});

test.each(FAILURE_CODES)('%s is found again from its sentence, with its value', (code) => {
  const value = failureSentence(code, 7).includes('7') ? '7' : '';
  expect(failureCodeOf(failureSentence(code, 7))).toEqual({ code, value });
});

test('a value may have any form', () => {
  const sentence = failureSentence('program_signal', '$& {0}.');
  expect(failureCodeOf(sentence)).toEqual({ code: 'program_signal', value: '$& {0}.' });
  expect(reasonText(sentence).zh).toBe('智能体的程序被信号 $& {0}. 终止。');
});

test('the time is named in seconds', () => {
  expect(reasonText(noAnswerWithin(1_000))).toEqual({
    en: 'The agent gave no answer within 1 second.',
    zh: '智能体在 1 秒内没有回答。',
  });
  expect(reasonText(noAnswerWithin(60_000))).toEqual({
    en: 'The agent gave no answer within 60 seconds.',
    zh: '智能体在 60 秒内没有回答。',
  });
});

test('what an agent itself says stays as it says it', () => {
  expect(reasonText('No model is left.').zh).toBe('No model is left. ');
  expect(reasonText('no model').zh).toBe('no model。');
  expect(reasonText('余额不足').zh).toBe('余额不足。');
  expect(reasonText('The agent was removed. So what?').zh).toContain('So what?');
});

const CODES = 'EMFILE ENFILE ENOSPC EDQUOT EFBIG EROFS EIO ENOMEM EACCES EPERM EAGAIN'.split(' ');
const FAILED_STARTS = CODES.flatMap((code) => [
  { code, syscall: 'spawn x' },
  { code, syscall: 'open' },
]);

test.each([...FAILED_STARTS, { code: 'ENOENT', syscall: 'uv_cwd' }])(
  'why the system does not start a program ($code of $syscall) is said in Chinese too',
  (about) => {
    const meaning = meaningOf(Object.assign(new Error('it failed'), { errno: -1 }, about));
    if (meaning === undefined) return;
    const { zh } = reasonText(failureSentence('program_not_started_because', meaning.what));
    expect(zh.replace('lark-bridge', '')).not.toMatch(/[A-Za-z]/);
  },
);

test.each([
  'it is no card of an agent',
  'it names no address that speaks A2A 1.0 or 0.3',
  'it names an address that may not be used',
])('why a card can not be used is said in Chinese too: %s', (why) => {
  const { zh } = reasonText(failureSentence('a2a_card_unusable', why));
  expect(zh.replace('A2A', '')).not.toMatch(/[A-Za-z]|\{/);
});
